"""Guards: every route declares who may use it. A test walks the URL map and fails on one that does not.

A route of an organization is reached over a ladder of five steps, the same for pages and API and for every
credential (:mod:`saas_app.identity.credentials`):

1. **Prove** who is calling. No proof: a way to sign in (page) or 401 (API).
2. **Find the tenant**: the organization in the path, for this caller. Not a member, or no such organization:
   404, and a stranger cannot tell the two apart.
3. **Decide** by the permission the route declares. Denied: 403 that shows the decision, or a renewal when the
   role grants what the token lacks.
4. **Step up**, where the route wants a fresh sign-in or all that the caller holds.
5. **Run** the view in its own unit of work. It gets the :class:`Tenant`, and never reads an organization id
   from the request.
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
from saas_app.identity.tenant import Tenant
from saas_app.rbac.permissions import Carrier, Permission
from saas_app.rbac.policy import decide
from saas_app.web import limits
from saas_app.web.context import request_database
from saas_app.web.deliberate import is_deliberate
from saas_app.web.denials import denials_noted
from saas_app.web.proof import prove, prove_session
from saas_app.web.sent import check_sent

View = Callable[..., Awaitable[Any]]


class Audience(StrEnum):
    """Whom a route is for."""

    PUBLIC = "public"
    SIGNED_IN = "signed in"
    AUTHENTICATED = "authenticated"
    MEMBER = "member"
    PERMISSION = "permission"


@dataclass(frozen=True, slots=True)
class Guard:
    """What a route declared; found on the view as ``view.guard``.

    ``complete``: the view weighs all that the caller holds. ``fresh``: the person must have signed in within
    ``FRESH_SIGN_IN_MAX_AGE``. ``for_programs``: other programs call it and prove themselves by what they
    send. No cookie is read there, so it is exempt from the check that changes come from our own pages.
    """

    audience: Audience
    permission: Permission | None = None
    complete: bool = False
    fresh: bool = False
    for_programs: bool = False

    @property
    def carriers(self) -> tuple[Carrier, ...]:
        """The kinds of token that the route weighs."""
        if self.complete:
            return tuple(Carrier)
        return () if self.permission is None else (self.permission.carrier,)


def public(view: View) -> View:
    """For everyone, signed in or not."""

    @wraps(view)
    async def guarded(**arguments: Any) -> Any:
        async with request_database(None):
            return await view(**arguments)

    return _declare(guarded, Guard(Audience.PUBLIC))


def public_without_database(view: View) -> View:
    """For everyone, and without a session of the database: files, and the probes that ask how we are."""
    return _declare(view, Guard(Audience.PUBLIC))


def public_webhook(view: View) -> View:
    """For programs elsewhere, which the view itself authenticates: it gets neither session nor database."""
    return _declare(view, Guard(Audience.PUBLIC, for_programs=True))


def signed_in(view: View) -> View:
    """For people who are signed in; the view gets the principal. Pages redirect the others to sign-in."""

    @wraps(view)
    async def guarded(**arguments: Any) -> Any:
        caller = await prove_session()
        return await run(view, None, caller.principal, arguments)

    return _declare(guarded, Guard(Audience.SIGNED_IN))


def authenticated(view: View) -> View:
    """For every caller of the API, with a session or a bearer token; the view gets the principal."""

    @wraps(view)
    async def guarded(**arguments: Any) -> Any:
        caller = await prove()
        if caller.organization_id is not None:
            await limits.count_organization(caller.organization_id)
        return await run(view, None, caller.principal, arguments)

    return _declare(guarded, Guard(Audience.AUTHENTICATED))


def requires_member(view: View) -> View:
    """For every member of the organization; the view gets the tenant."""
    return _guarded_by_ladder(view, Guard(Audience.MEMBER))


def requires(
    permission: Permission, *, complete: bool = False, fresh: bool = False
) -> Callable[[View], View]:
    """For members whose token grants ``permission``; the view gets the tenant.

    ``complete``: for views that weigh all the caller holds, as when roles are given to others. ``fresh``: for
    what cannot be undone; the caller is asked to sign in again when the last time was too long ago.
    """
    guard = Guard(Audience.PERMISSION, permission, complete=complete, fresh=fresh)
    return lambda view: _guarded_by_ladder(view, guard)


def declared_guard() -> Guard | None:
    """What the route of this request declared; None where there is no such route."""
    view = current_app.view_functions.get(request.endpoint or "")
    return getattr(view, "guard", None)


def _guarded_by_ladder(view: View, guard: Guard) -> View:
    @wraps(view)
    async def guarded(organization_id: str, **arguments: Any) -> Any:
        async with denials_noted(organization_id):
            caller = await prove(organization_id)
            tenant = await find_tenant(caller, guard, organization_id)
            require_permission(caller, guard, tenant)
            tenant = await step_up(caller, guard, tenant)
            return await run(view, organization_id, tenant, arguments)

    return _declare(guarded, guard)


async def find_tenant(caller: Caller, guard: Guard, organization_id: str) -> Tenant:
    """Step 2: find the organization in the path, for this caller. Raises :class:`NotFound` to strangers."""
    tenant = await caller.get_tenant(organization_id, guard.carriers, is_visit=is_deliberate(request))
    g.tenant = tenant
    await limits.count_organization(organization_id)
    return tenant


def require_permission(caller: Caller, guard: Guard, tenant: Tenant) -> None:
    """Step 3: decide whether the caller may. Raises :class:`PermissionDenied`, or the renewal that helps."""
    if guard.permission is None:
        return
    decision = decide(tenant.facts, guard.permission)
    if not decision.allowed:
        raise caller.denial(tenant, decision)


async def step_up(caller: Caller, guard: Guard, tenant: Tenant) -> Tenant:
    """Step 4: ask for what the route wants beyond the permission; return the tenant, complete if need be.

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
    """Step 5: run the view in its unit of work, once what was sent to it is found in order."""
    await check_sent(view)
    async with request_database(organization_id):
        return await view(subject, **arguments)


def _declare(view: View, guard: Guard) -> View:
    view.guard = guard  # type: ignore[attr-defined]
    return view
