"""A browser's session: proved by its cookie, with tokens that are fetched from Logto when needed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from saas_app.db.base import utc_now
from saas_app.errors import PermissionDenied, SignInRequired
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.renewal import RenewalRequired, StepUpRequired, was_just_made
from saas_app.identity.session_access import SessionAccess
from saas_app.identity.sessions import SessionStore
from saas_app.identity.step_up import is_fresh
from saas_app.identity.tenant import Tenant
from saas_app.identity.tenants import Tenants
from saas_app.rbac.decision import Decision
from saas_app.rbac.permissions import Carrier, permissions_of
from saas_app.text.translation import _

_NOT_GRANTED = _(
    "Your role allows this, but Logto did not include it in your token. The operator can "
    "check with 'saas-app provision --check'."
)


class BrowserSessions:
    """Proves callers by their session cookie. ``fresh_sign_in_max_age`` in seconds."""

    def __init__(self, sessions: SessionStore, tenants: Tenants, *, fresh_sign_in_max_age: int) -> None:
        self._sessions = sessions
        self._tenants = tenants
        self._fresh_sign_in_max_age = fresh_sign_in_max_age

    async def prove(self, cookie: str, organization_id: str | None = None) -> SessionCaller:
        """Return the person whose live session the cookie opens. Raises :class:`SignInRequired`.

        ``organization_id`` is the organization in the path. One statement reads the session and its tokens
        for it.
        """
        access = await self._sessions.find_access(cookie, organization_id)
        if access is None:
            raise SignInRequired
        if organization_id is None:
            await self._sessions.touch(access, None)
        return SessionCaller(access, self._tenants, self._fresh_sign_in_max_age)


@dataclass(frozen=True, slots=True)
class SessionCaller:
    """A person in a signed-in browser."""

    access: SessionAccess
    tenants: Tenants
    fresh_sign_in_max_age: int

    @property
    def principal(self) -> SessionPrincipal:
        """The person who is signed in."""
        return self.access.principal

    @property
    def organization_id(self) -> str | None:
        """None, because a session is valid for all organizations of the person."""
        return None

    async def get_tenant(
        self, organization_id: str, carriers: Collection[Carrier] = (), *, is_visit: bool = True
    ) -> Tenant:
        """Return the organization, with fresh tokens from Logto. See :class:`Tenants`."""
        return await self.tenants.get_tenant(self.access, organization_id, carriers, is_visit=is_visit)

    def denial(self, tenant: Tenant, decision: Decision) -> Exception:
        """Return the denial, or a renewal if the roles grant what the frozen grant lacks."""
        permission = decision.permission
        if permission is None or permission not in permissions_of(tenant.role_names):
            return PermissionDenied(decision)
        purpose = f"{tenant.organization_id} {permission.value}"
        if was_just_made(self.access, purpose):
            return PermissionDenied(decision, _NOT_GRANTED)
        return RenewalRequired(purpose, decision)

    def require_fresh_sign_in(self, tenant: Tenant) -> None:
        """Raise :class:`StepUpRequired` if the last sign-in that Logto confirmed is too old."""
        if is_fresh(self.access.authenticated_at, self.fresh_sign_in_max_age, utc_now()):
            return
        purpose = f"{tenant.organization_id} fresh"
        raise StepUpRequired(
            purpose, just_made=was_just_made(self.access, purpose), max_age=self.fresh_sign_in_max_age
        )

    async def complete(self, tenant: Tenant) -> Tenant:
        """Return the tenant. Raises :class:`RenewalRequired` while its tokens lack what the roles grant."""
        purpose = f"{tenant.organization_id} all"
        lacks = not permissions_of(tenant.role_names) <= tenant.granted
        if lacks and not was_just_made(self.access, purpose):
            raise RenewalRequired(purpose)
        return tenant
