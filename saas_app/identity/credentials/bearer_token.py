"""A bearer token of a program: proved by Logto's signature, and newer than every change of its membership.

It is for one organization, names no roles and no time of sign-in, and cannot be renewed from here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from saas_app.db.base import utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import (
    FreshSignInRequired,
    InvalidToken,
    LogtoUnavailable,
    ManagementNotSetUp,
    NotFound,
    PermissionDenied,
)
from saas_app.identity.bearer import BearerToken
from saas_app.identity.bearer_access import BearerAccess, read_access
from saas_app.identity.bearer_freshness import BearerFreshness
from saas_app.identity.client_use import note_use
from saas_app.identity.principal import Principal
from saas_app.identity.session_access import NO_ORGANIZATION
from saas_app.identity.tenant import Tenant
from saas_app.logto import ManagementClient, ManagementError, explained
from saas_app.rbac.decision import Decision
from saas_app.rbac.endings import have_ended, still_granted
from saas_app.rbac.permissions import Carrier, Permission, known_permissions, permissions_of
from saas_app.text.translation import _


class BearerTokens:
    """Proves callers by a verified token. ``fresh_sign_in_max_age`` in seconds.

    Without ``management``, Logto cannot be asked, and a token that may be older than a change is rejected.
    With ``client_of_people``, tokens of people count only if they were issued to this application: how they
    signed in to another one was not checked (decision 31).
    """

    def __init__(
        self,
        work: UnitOfWork,
        management: ManagementClient | None,
        *,
        fresh_sign_in_max_age: int,
        client_of_people: str = "",
    ) -> None:
        self._work = work
        self._management = management
        self._freshness = BearerFreshness(management)
        self._fresh_sign_in_max_age = fresh_sign_in_max_age
        self._client_of_people = client_of_people

    async def prove(self, token: BearerToken) -> TokenCaller:
        """Return the holder of a token whose signature was verified.

        Raises :class:`InvalidToken` if the membership changed after the token was issued, or if it is not
        known how its holder signed in.
        """
        if not token.is_machine and self._client_of_people not in ("", token.client_id):
            raise InvalidToken(
                _(
                    "Tokens of people from other applications are not accepted here, because companies’ "
                    "identity providers sign people in. Use an API client of the organization."
                )
            )
        access = await read_access(self._work, token)
        if not await self._freshness.is_current(token, access):
            raise InvalidToken(_("The membership changed after the token was issued. Request a new token."))
        if access.is_client and token.organization_id is not None:
            await note_use(self._work, token.organization_id, token.subject, access.used_at)
        return TokenCaller(token, access, self._management, self._fresh_sign_in_max_age)


@dataclass(frozen=True, slots=True)
class TokenCaller:
    """A program, or a person who uses one."""

    token: BearerToken
    access: BearerAccess
    management: ManagementClient | None
    fresh_sign_in_max_age: int

    @property
    def principal(self) -> Principal:
        """The holder of the token."""
        return self.access.principal

    @property
    def organization_id(self) -> str | None:
        """The organization that the token names."""
        return self.token.organization_id

    async def get_tenant(
        self, organization_id: str, carriers: Collection[Carrier] = (), *, is_visit: bool = True
    ) -> Tenant:
        """Return the organization that the token names, with what it grants there.

        Raises :class:`InvalidToken` if it names none, and :class:`NotFound` if it names another one, whether
        ``organization_id`` exists or not. Raises :class:`SsoRequired` for a token of a person if the
        organization requires its single sign-on. There is only this token, so ``carriers`` changes nothing.
        """
        token = self.token
        if token.organization_id is None:
            raise InvalidToken(
                _("The token is not for an organization. Request it from Logto with organization_id.")
            )
        if token.organization_id != organization_id:
            raise NotFound(_("This organization does not exist, or the token is not for it."))
        organization_name = self.access.organization_name or organization_id
        if (required := self.access.unmet_requirement) is not None:
            raise required.token_refusal(organization_id, organization_name)
        known = known_permissions(token.scopes)
        granted = frozenset(item for item in known if item.carrier is token.carrier)
        ends = self.access.role_ends
        ended = have_ended(ends, utc_now())
        return Tenant(
            organization_id=organization_id,
            organization_name=organization_name,
            principal=self.principal,
            role_names=frozenset(),
            granted=await self._left_of(granted, ended) if ended else granted,
            carriers=frozenset({token.carrier}),
            read_at=utc_now(),
            membership_version=self.access.changes.version,
            role_ends={name: ends_at for name, ends_at in ends.items() if name not in ended},
            ended_roles=ended,
        )

    async def _left_of(self, granted: frozenset[Permission], ended: frozenset[str]) -> frozenset[Permission]:
        """Return what the token still grants after a role ended, which Logto may not have taken away yet.

        The token does not say which role a permission comes from, so Logto is asked for the other roles. If
        it cannot be asked, nothing counts that the ended role grants.
        """
        try:
            role_names = await self._role_names() - ended
        except (ManagementNotSetUp, ManagementError, LogtoUnavailable):
            return granted - permissions_of(ended)
        return still_granted(granted, ended, role_names)

    async def _role_names(self) -> frozenset[str]:
        """Return the roles that the holder has at Logto now, also those that have ended."""
        if self.management is None:
            raise ManagementNotSetUp
        organization_id = self.token.organization_id or NO_ORGANIZATION
        return await self.management.find_member_roles(organization_id, self.principal.subject) or frozenset()

    def denial(self, tenant: Tenant, decision: Decision) -> Exception:
        """Return the denial. The program needs another token, whatever its holder's roles allow."""
        return PermissionDenied(decision, title=_("This token does not allow this"))

    def require_fresh_sign_in(self, tenant: Tenant) -> None:
        """Raise :class:`FreshSignInRequired`, always."""
        raise FreshSignInRequired(
            _("A bearer token does not say when its owner signed in. Do this in a browser instead."),
            max_age=self.fresh_sign_in_max_age,
        )

    async def complete(self, tenant: Tenant) -> Tenant:
        """Return the tenant with all permissions of the caller's roles, read from Logto now.

        A token may grant less than its holder has, and assigning a role is compared with everything they
        have.
        """
        try:
            role_names = await self._role_names() - tenant.ended_roles
        except ManagementError as refusal:
            raise explained(refusal) from None
        return replace(tenant, role_names=role_names, granted=tenant.granted | permissions_of(role_names))
