"""Pages: the overview of an organization, with its first steps, and the caller's access."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, TypeVar
from urllib.parse import quote

from quart import make_response, redirect, request, url_for
from quart.typing import ResponseReturnValue
from werkzeug.sansio.response import Response as BaseResponse

import saas_app.access_requests.service as access_requests
import saas_app.audit.service as audit
import saas_app.projects.service as projects
import saas_app.support.service as support
from saas_app.audit.sentences import sentence_with_marks
from saas_app.db.readings import Reading, read_together
from saas_app.identity.single_sign_on import describe_sign_in
from saas_app.identity.tenant import Tenant
from saas_app.organizations import service
from saas_app.organizations.pages.organizations import blueprint
from saas_app.organizations.values import FirstSteps
from saas_app.rbac.permissions import Carrier, Permission
from saas_app.support.values import AccessRow
from saas_app.text.translation import _
from saas_app.web.context import database, runtime
from saas_app.web.guards import requires_member, requires_member_or_support
from saas_app.web.notices import notify
from saas_app.web.reader import current_reader
from saas_app.web.templating import render
from saas_app.web.tokens import with_token

__all__ = ["blueprint"]

AnyResponse = TypeVar("AnyResponse", bound=BaseResponse)

_STEPS_COOKIE: Final = "workroom_steps"  # one for each organization, by its path; it decides nothing
_HIDDEN: Final = "hidden"
_SEEN_ACCESS: Final = "access"
_YEAR: Final = 31_536_000  # seconds
_ACTIVITY_SIZE: Final = 6


@blueprint.get("/o/<organization_id>/")
@requires_member_or_support
async def overview(tenant: Tenant) -> ResponseReturnValue:
    """Show the caller's roles, and the projects and recent activity if the caller may see them.

    One statement reads everything that the page shows, besides the one that proves the caller.
    """
    for carrier in Carrier:
        tenant = await with_token(tenant, carrier)
    guides = tenant.offers(Permission.MEMBERS_INVITE) and request.cookies.get(_STEPS_COOKIE) != _HIDDEN
    summary = projects.summary(current_reader().zone) if tenant.may(Permission.PROJECTS_READ) else None
    activity = audit.recent(tenant, _ACTIVITY_SIZE)
    first_steps = service.first_steps() if guides else None
    live_support = _live_support(tenant)
    found = await read_together(database(), summary, activity, first_steps, live_support)
    steps = _left(found.of(first_steps))
    page = render(
        "organizations/overview.html",
        summary=found.of(summary),
        steps=steps,
        activity=[(sentence_with_marks(row), row.occurred_at) for row in found.of(activity) or ()],
        roles=tenant.role_names,
        live_support=found.of(live_support) or (),
        ending_soon=service.ends_within_a_day(tenant),
    )
    if not guides or steps is not None:
        return page
    return _with_steps(await make_response(page), tenant, _HIDDEN)  # not looked up again


@blueprint.post("/o/<organization_id>/first-steps/hide")
@requires_member
async def hide_first_steps(tenant: Tenant) -> ResponseReturnValue:
    """Hide the first steps in this browser."""
    target = url_for("organizations.overview", organization_id=tenant.organization_id)
    return _with_steps(redirect(target, 303), tenant, _HIDDEN)


@blueprint.get("/o/<organization_id>/access")
@requires_member
async def access(tenant: Tenant) -> ResponseReturnValue:
    """Show the caller's roles, sign-in and access requests, the permission matrix, and the tokens."""
    for carrier in Carrier:
        tenant = await with_token(tenant, carrier)
    tokens = await runtime().tenants.describe_tokens(tenant)
    page = render(
        "organizations/access.html",
        matrix=service.permission_matrix(tenant.role_names, tokens),
        tokens=tokens,
        roles=tenant.role_names,
        requests=await access_requests.list_own(database(), tenant),
        roles_to_keep=access_requests.roles_to_keep(tenant),
        sign_in=await describe_sign_in(database(), tenant.organization_id, tenant.principal),
    )
    if request.cookies.get(_STEPS_COOKIE):
        return page
    return _with_steps(await make_response(page), tenant, _SEEN_ACCESS)


@blueprint.post("/o/<organization_id>/access/read-again")
@requires_member
async def refresh_access(tenant: Tenant) -> ResponseReturnValue:
    """Delete the cached tokens for this organization. The next page fetches new ones from Logto."""
    await runtime().tenants.forget_tokens(tenant)
    await notify(_("Your access was refreshed."))
    return redirect(url_for("organizations.access", organization_id=tenant.organization_id), 303)


def _live_support(tenant: Tenant) -> Reading[list[AccessRow]] | None:
    """Return the question for support accesses to tell the caller about. Agents know their own."""
    is_told = runtime().settings.offers_support and tenant.principal.support is None
    return support.live_for(tenant) if is_told else None


def _left(steps: FirstSteps | None) -> FirstSteps | None:
    """Return the first steps while some are left, for an organization that is new."""
    if steps is None:
        return None
    steps = replace(steps, has_seen_access=request.cookies.get(_STEPS_COOKIE) == _SEEN_ACCESS)
    return None if steps.are_done else steps


def _with_steps(response: AnyResponse, tenant: Tenant, value: str) -> AnyResponse:
    """Remember in this browser what happened to the first steps in this organization."""
    response.set_cookie(
        _STEPS_COOKIE,
        value,
        max_age=_YEAR,
        path=f"/o/{quote(tenant.organization_id, safe='')}/",
        secure=runtime().settings.is_tls,
        httponly=True,
        samesite="Lax",
    )
    return response
