"""Guards: every route declares who may use it. A test walks the URL map and fails on a route that does not.

A request to a route of an organization climbs a ladder of five steps, the same for pages and API and for
every credential (:mod:`saas_app.identity.credentials`):

1. **Prove** who is calling. Without proof, a page redirects to sign-in, and the API returns 401.
2. **Find the tenant**: the organization in the path, for this caller. If it is not theirs, the answer is 404
   as if it did not exist, and 403 for members without the single sign-on that it requires.
3. **Decide** by the permission that the route declares. A denial returns 403 and shows the decision. If
   the role grants what the token lacks, access is renewed instead.
4. **Step up**, if the route requires a fresh sign-in or all permissions of the caller.
5. **Run** the view in its own unit of work. It receives the :class:`Tenant`, and never reads an organization
   id from the request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import Any

from quart import current_app, g, request

from saas_app.identity.credentials.caller import Caller
from saas_app.identity.principal import Principal
from saas_app.identity.support_endings import SupportDenied
from saas_app.identity.tenant import Tenant
from saas_app.rbac.permissions import Carrier, Permission
from saas_app.rbac.policy import decide
from saas_app.rbac.support import SUPPORT_WRITE
from saas_app.web import limits
from saas_app.web.context import request_connection, request_database
from saas_app.web.decided import Deciding
from saas_app.web.denials import recording_denials
from saas_app.web.prefetches import is_deliberate
from saas_app.web.proof import prove, prove_session
from saas_app.web.request_checks import check_sent

View = Callable[..., Awaitable[Any]]


class Callers(StrEnum):
    """The callers that a route allows."""

    PUBLIC = "public"
    SIGNED_IN = "signed in"
    AUTHENTICATED = "authenticated"
    MEMBER = "member"
    PERMISSION = "permission"


@dataclass(frozen=True, slots=True)
class Guard:
    """The declaration of a route, stored on the view as ``view.guard``.

    ``complete``: the view needs all permissions of the caller. ``fresh``: the person must have signed in
    within ``FRESH_SIGN_IN_MAX_AGE``. ``for_programs``: other programs call the route and prove themselves by
    the request. It reads no cookie, so it is exempt from the check that changes come from our own pages.
    ``for_support``: an agent who acts for a member may use it. By default, nobody acts for somebody else.
    """

    callers: Callers
    permission: Permission | None = None
    complete: bool = False
    fresh: bool = False
    for_programs: bool = False
    for_support: bool = False

    @property
    def carriers(self) -> tuple[Carrier, ...]:
        """The kinds of token that the route needs."""
        if self.complete:
            return tuple(Carrier)
        return () if self.permission is None else (self.permission.carrier,)


def public(view: View) -> View:
    """Allow everyone, signed in or not."""

    @wraps(view)
    async def guarded(**arguments: Any) -> Any:
        async with request_connection(), request_database(None):
            return await view(**arguments)

    return _declare(guarded, Guard(Callers.PUBLIC))


def public_without_database(view: View) -> View:
    """Allow everyone, without a database session: for static files and health checks."""
    return _declare(view, Guard(Callers.PUBLIC))


def public_webhook(view: View) -> View:
    """Allow other programs, which the view authenticates itself. There is neither session nor database."""
    return _declare(view, Guard(Callers.PUBLIC, for_programs=True))


def signed_in(view: View) -> View:
    """Allow people who are signed in. The view receives the principal. Pages redirect others to sign-in."""

    @wraps(view)
    async def guarded(**arguments: Any) -> Any:
        async with request_connection():
            caller = await prove_session()
            return await run(view, None, caller.principal, arguments)

    return _declare(guarded, Guard(Callers.SIGNED_IN))


def authenticated(view: View) -> View:
    """Allow every caller of the API, with a session or a bearer token. The view receives the principal."""

    @wraps(view)
    async def guarded(**arguments: Any) -> Any:
        async with request_connection():
            caller = await prove()
            if caller.organization_id is not None:
                await limits.count_organization(caller.organization_id)
            return await run(view, None, caller.principal, arguments)

    return _declare(guarded, Guard(Callers.AUTHENTICATED))


def requires_member(view: View) -> View:
    """Allow every member of the organization. The view receives the tenant."""
    return _guarded_by_ladder(view, Guard(Callers.MEMBER))


def requires_member_or_support(view: View) -> View:
    """Allow every member of the organization, and agents who act for one. The view receives the tenant."""
    return _guarded_by_ladder(view, Guard(Callers.MEMBER, for_support=True))


def requires(
    permission: Permission, *, complete: bool = False, fresh: bool = False, for_support: bool = True
) -> Callable[[View], View]:
    """Allow members whose token grants ``permission``. The view receives the tenant.

    ``complete``: the view needs all permissions of the caller, for example to assign roles. ``fresh``: the
    view does something that cannot be undone, so the caller signs in again if the last time was too long ago.
    ``for_support``: agents who act for a member may use it too, if support access can have the permission.
    """
    is_open = for_support and permission in SUPPORT_WRITE and not (complete or fresh)
    guard = Guard(Callers.PERMISSION, permission, complete, fresh, for_support=is_open)
    return lambda view: _guarded_by_ladder(view, guard)


def declared_guard() -> Guard | None:
    """Return the declaration of this request's route, or None if there is no such route."""
    view = current_app.view_functions.get(request.endpoint or "")
    return getattr(view, "guard", None)


def _guarded_by_ladder(view: View, guard: Guard) -> View:
    deciding = Deciding(guard.permission)

    @wraps(view)
    async def guarded(organization_id: str, **arguments: Any) -> Any:
        async with recording_denials(organization_id), request_connection():
            caller = await prove(organization_id)
            with deciding:
                tenant = await find_tenant(caller, guard, organization_id)
                require_permission(caller, guard, tenant)
                tenant = await step_up(caller, guard, tenant)
            return await run(view, organization_id, tenant, arguments)

    return _declare(guarded, guard)


async def find_tenant(caller: Caller, guard: Guard, organization_id: str) -> Tenant:
    """Step 2: find the organization in the path. Raises :class:`NotFound`, and :class:`SupportDenied`."""
    tenant = await caller.get_tenant(organization_id, guard.carriers, is_visit=is_deliberate(request))
    g.tenant = tenant
    await limits.count_organization(organization_id)
    if tenant.principal.support is not None and not guard.for_support:
        raise SupportDenied.of(tenant)
    return tenant


def require_permission(caller: Caller, guard: Guard, tenant: Tenant) -> None:
    """Step 3: decide by the permission. Raises :class:`PermissionDenied`, or :class:`RenewalRequired`."""
    if guard.permission is None:
        return
    decision = decide(tenant.facts, guard.permission)
    if not decision.allowed:
        raise caller.denial(tenant, decision)


async def step_up(caller: Caller, guard: Guard, tenant: Tenant) -> Tenant:
    """Step 4: require a fresh sign-in or all permissions, if the route declares it. Returns the tenant.

    Raises :class:`StepUpRequired` or :class:`FreshSignInRequired`, and :class:`RenewalRequired`.
    """
    if guard.fresh:
        caller.require_fresh_sign_in(tenant)
    if guard.complete:
        tenant = g.tenant = await caller.complete(tenant)
    return tenant


async def run(
    view: View, organization_id: str | None, subject: Principal | Tenant, arguments: dict[str, Any]
) -> Any:
    """Step 5: check what was sent, and run the view in its unit of work."""
    await check_sent(view)
    async with request_database(organization_id):
        return await view(subject, **arguments)


def _declare(view: View, guard: Guard) -> View:
    view.guard = guard  # type: ignore[attr-defined]
    return view
