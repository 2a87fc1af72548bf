"""Guards: every route declares who may use it. A test walks the URL map and fails on one that does not.

The ladder is the same for pages and API: no credential → sign-in or 401; not a member, or no such
organization → 404; a member without the permission → 403 that shows the decision. The guard resolves the
:class:`Tenant` and hands it to the view; views never read an organization id from the request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from quart import current_app, g, redirect, render_template, request
from werkzeug.datastructures import MultiDict

from saas_app.db.base import utc_now
from saas_app.errors import FreshSignInRequired, PermissionDenied, SignInRequired
from saas_app.identity.authorization import ConsentRequired
from saas_app.identity.principal import Principal, SessionPrincipal
from saas_app.identity.sessions import SessionAccess
from saas_app.identity.step_up import is_fresh
from saas_app.identity.tenant import Tenant
from saas_app.rbac.decision import Decision
from saas_app.rbac.permissions import Carrier, Permission, permissions_of
from saas_app.rbac.policy import decide
from saas_app.web import limits
from saas_app.web.context import bearer_token, is_api, request_database, runtime, session_cookie
from saas_app.web.deliberate import is_deliberate
from saas_app.web.denials import denials_noted
from saas_app.web.json_api.bodies import check_sent
from saas_app.web.kept_forms import require_same_person
from saas_app.web.tokens import with_own_roles

View = Callable[..., Awaitable[Any]]

_IN_A_BROWSER_ONLY = "A bearer token does not tell when its owner signed in: do this in the browser."
_RENEWAL_INTERVAL = timedelta(seconds=60)  # a round trip that changed nothing is not made again sooner


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

    ``for_programs``: other programs call it and prove themselves by what they send. No cookie is read
    there, so it is exempt from the check that changes come from our own pages. ``fresh``: the person must
    have signed in within ``FRESH_SIGN_IN_MAX_AGE``.
    """

    audience: Audience
    permission: Permission | None = None
    for_programs: bool = False
    fresh: bool = False


def public(view: View) -> View:
    """For everyone, signed in or not."""

    @wraps(view)
    async def guarded(**arguments: Any) -> Any:
        async with request_database(None):
            return await view(**arguments)

    return _declare(guarded, Guard(Audience.PUBLIC))


def public_without_database(view: View) -> View:
    """For everyone, and without a session of the database: files, and the probes that ask how we are."""

    @wraps(view)
    async def guarded(**arguments: Any) -> Any:
        return await view(**arguments)

    return _declare(guarded, Guard(Audience.PUBLIC))


def public_webhook(view: View) -> View:
    """For programs elsewhere, which the view itself authenticates: it gets neither session nor database."""

    @wraps(view)
    async def guarded(**arguments: Any) -> Any:
        return await view(**arguments)

    return _declare(guarded, Guard(Audience.PUBLIC, for_programs=True))


def declared_guard() -> Guard | None:
    """What the route of this request declared; None where there is no such route."""
    view = current_app.view_functions.get(request.endpoint or "")
    return getattr(view, "guard", None)


def signed_in(view: View) -> View:
    """For who is signed in; the view gets the principal. Pages redirect to sign-in, the API answers 401."""

    @wraps(view)
    async def guarded(**arguments: Any) -> Any:
        access = await runtime().authorization.get_access(session_cookie(request))
        g.principal = access.principal
        await require_same_person(access.principal)
        async with request_database(None):
            return await view(access.principal, **arguments)

    return _declare(guarded, Guard(Audience.SIGNED_IN))


def authenticated(view: View) -> View:
    """For every caller of the API, with a session or a bearer token; the view gets the principal."""

    @wraps(view)
    async def guarded(**arguments: Any) -> Any:
        token = bearer_token(request)
        if token is None:
            cookie = session_cookie(request)
            async with limits.proving_session(cookie):
                g.principal = (await runtime().authorization.get_access(cookie)).principal
            await limits.count_person(g.principal.subject)
        else:
            await limits.prove_bearer(token)
            g.principal, g.bearer = await runtime().bearer_tokens.get_principal(token)
            if g.bearer.organization_id is not None:
                await limits.count_organization(g.bearer.organization_id)
        return await _answer(view, None, g.principal, arguments)

    return _declare(guarded, Guard(Audience.AUTHENTICATED))


def requires(
    permission: Permission, *, complete: bool = False, fresh: bool = False
) -> Callable[[View], View]:
    """For members whose token grants ``permission``; the view gets the tenant.

    ``complete``: every kind of token is read, for views that weigh all the caller holds, as when roles are
    given to others; for who comes with a bearer token, which tells only a part, Logto is asked for their
    roles instead. ``fresh``: who may is asked to sign in again when that was too long ago, for what
    cannot be undone (:mod:`saas_app.identity.step_up`).
    """

    def decorate(view: View) -> View:
        guard = Guard(Audience.PERMISSION, permission=permission, fresh=fresh)
        carriers = tuple(Carrier) if complete else (permission.carrier,)
        return _tenant_guard(view, guard, carriers, lambda tenant: decide(tenant.facts, permission))

    return decorate


def requires_member(view: View) -> View:
    """For every member of the organization; the view gets the tenant."""
    return _tenant_guard(view, Guard(Audience.MEMBER), (), None)


async def find_principal() -> SessionPrincipal | None:
    """On a public page: who is signed in, if anybody."""
    access = await _find_access()
    if access is not None:
        g.principal = access.principal
    return access.principal if access else None


async def find_last_organization_id() -> str | None:
    """On a public page: the organization the signed-in person worked in last."""
    access = await _find_access()
    return access.last_organization_id if access else None


async def find_last_renewal() -> str | None:
    """What the session's last round trip to Logto was made for, if for anything."""
    access = await _find_access()
    return access.renewed_for if access else None


async def _find_access() -> SessionAccess | None:
    if "access" not in g:
        g.access = await runtime().sessions.find_access(session_cookie(request), None)
    found: SessionAccess | None = g.access
    return found


def _tenant_guard(
    view: View,
    guard: Guard,
    carriers: Collection[Carrier],
    decide_for: Callable[[Tenant], Decision] | None,
) -> View:
    @wraps(view)
    async def guarded(organization_id: str, **arguments: Any) -> Any:
        async with denials_noted(organization_id):
            return await answer(organization_id, arguments)

    async def answer(organization_id: str, arguments: dict[str, Any]) -> Any:
        token = bearer_token(request)
        if token is not None:
            await limits.prove_bearer(token)
            tenant = await runtime().bearer_tokens.get_tenant(token, organization_id)
            await limits.count_organization(organization_id)
            g.principal, g.tenant = tenant.principal, tenant
            _require(decide_for(tenant) if decide_for else None)
            if guard.fresh:
                max_age = runtime().settings.fresh_sign_in_max_age
                raise FreshSignInRequired(_IN_A_BROWSER_ONLY, max_age=max_age)
            if len(carriers) > 1:  # only now: what the roles bundle must not stand in for the token's scope
                tenant = g.tenant = await with_own_roles(tenant)
            return await _answer(view, organization_id, tenant, arguments)
        cookie = session_cookie(request)
        try:
            async with limits.proving_session(cookie):
                tenant, access = await runtime().authorization.get_tenant(
                    cookie, organization_id, carriers, is_visit=is_deliberate(request)
                )
        except ConsentRequired:
            return await _renew(f"{organization_id} consent", None)
        g.principal, g.tenant = tenant.principal, tenant
        await require_same_person(tenant.principal)
        await limits.count_person(tenant.principal.subject)
        await limits.count_organization(organization_id)
        decision = decide_for(tenant) if decide_for else None
        if decision is not None and not decision.allowed:
            return await _deny_or_renew(tenant, access, decision)
        lacks = len(carriers) > 1 and not permissions_of(tenant.role_names) <= tenant.granted
        if lacks and _may_renew(access, f"{organization_id} all"):
            return await _renew(f"{organization_id} all", decision)
        if guard.fresh and not _signed_in_lately(access):
            return _sign_in_again(access, f"{organization_id} fresh")
        return await _answer(view, organization_id, tenant, arguments)

    return _declare(guarded, guard)


async def _answer(
    view: View, organization_id: str | None, caller: Principal | Tenant, arguments: dict[str, Any]
) -> Any:
    """The view's answer, in its session of the database. Only now is it looked at what was sent."""
    if is_api(request):
        await check_sent(view)
    async with request_database(organization_id):
        return await view(caller, **arguments)


def _require(decision: Decision | None) -> None:
    if decision is not None and not decision.allowed:
        raise PermissionDenied(decision)


async def _deny_or_renew(tenant: Tenant, access: SessionAccess, decision: Decision) -> Any:
    """Deny; unless the role grants what the frozen grant lacks, which a round trip mends, once."""
    permission = decision.permission
    if permission is not None and permission in permissions_of(tenant.role_names):
        renewed_for = f"{tenant.organization_id} {permission.value}"
        if _may_renew(access, renewed_for):
            return await _renew(renewed_for, decision)
        raise PermissionDenied(
            decision,
            "Your role allows this, but Logto did not put it into your token. Whoever runs this "
            "application can check with 'saas-app provision --check'.",
        )
    raise PermissionDenied(decision)


def _signed_in_lately(access: SessionAccess) -> bool:
    return is_fresh(access.authenticated_at, runtime().settings.fresh_sign_in_max_age, utc_now())


def _sign_in_again(access: SessionAccess, mark: str) -> Any:
    """Send a page through a sign-in and back, once. A form is not kept: who comes back is asked again."""
    if request.method in ("GET", "HEAD") and not is_api(request):
        if _may_renew(access, mark):
            query = urlencode({"next": request.full_path.rstrip("?"), "for": mark})
            return redirect(f"/sign-in/fresh?{query}", 303)
        detail = (
            "You have just signed in, but the sign-in provider did not confirm that it asked who you are."
        )
    else:
        detail = "Nothing has been done yet, and what you entered will be asked for again."
    raise FreshSignInRequired(detail, max_age=runtime().settings.fresh_sign_in_max_age)


def _may_renew(access: SessionAccess, renewed_for: str) -> bool:
    """Whether a round trip may help: not when the same one has just been made and changed nothing."""
    just_renewed = utc_now() - access.granted_at < _RENEWAL_INTERVAL
    return access.renewed_for != renewed_for or not just_renewed


async def _renew(renewed_for: str, decision: Decision | None) -> Any:
    if is_api(request):
        raise SignInRequired("Your access has to be renewed by signing in again.")
    if request.method in ("GET", "HEAD"):
        query = urlencode({"next": request.full_path.rstrip("?"), "for": renewed_for})
        return redirect(f"/sign-in/renew?{query}", 303)
    form: MultiDict[str, str] = await request.form
    page = await render_template(
        "identity/renew_needed.html",
        decision=decision,
        action=request.path,
        renewed_for=renewed_for,
        fields=list(form.items(multi=True)),
    )
    return page, 403


def _declare(guarded: View, guard: Guard) -> View:
    guarded.guard = guard  # type: ignore[attr-defined]
    return guarded
