"""The page on which an admin requires single sign-on, after seeing whom that locks out."""

from __future__ import annotations

from quart import redirect, request
from quart.typing import ResponseReturnValue

from saas_app.errors import AppError, Invalid, LogtoUnavailable, RateLimited
from saas_app.identity.tenant import Tenant
from saas_app.rbac.permissions import Permission
from saas_app.single_sign_on import recovery, service
from saas_app.single_sign_on.changes import requiring
from saas_app.single_sign_on.changes.steps import NotAllowed, NotSetUp
from saas_app.single_sign_on.outsiders import list_outsiders
from saas_app.single_sign_on.pages.wizard import blueprint, page_path, try_change
from saas_app.text.translation import _
from saas_app.web.context import database, management, organization_change, runtime
from saas_app.web.guards import requires
from saas_app.web.limits import retry_after
from saas_app.web.notices import notify
from saas_app.web.templating import render

__all__ = ["blueprint"]


@blueprint.get("/require")
@requires(Permission.ORGANIZATION_UPDATE, fresh=True)
async def choose_recovery(tenant: Tenant) -> ResponseReturnValue:
    """Show whom the requirement would lock out, and who can be the recovery admin."""
    settings = runtime().settings
    service.require_offered(settings)
    if not await service.is_allowed(database(), tenant.organization_id, settings):
        raise NotAllowed
    return await _page(tenant)


@blueprint.post("/require")
@requires(Permission.ORGANIZATION_UPDATE, fresh=True)
async def require(tenant: Tenant) -> ResponseReturnValue:
    """Let only people in who signed in at the provider, and the recovery admin."""
    service.require_offered(runtime().settings)
    self_service = runtime().settings.single_sign_on_self_service
    chosen = (await request.form).get("recovery", "")
    try:
        await requiring.require(organization_change(tenant), chosen, self_service=self_service)
    except (Invalid, LogtoUnavailable, RateLimited) as error:
        return await _page(tenant, chosen, error), error.status, retry_after(error)
    await notify(_("Single sign-on is required now."))
    return redirect(f"{page_path(tenant)}#require", 303)


@blueprint.post("/optional")
@requires(Permission.ORGANIZATION_UPDATE, fresh=True)
async def stop_requiring(tenant: Tenant) -> ResponseReturnValue:
    """Let members in however they signed in."""
    service.require_offered(runtime().settings)
    work = requiring.stop_requiring(organization_change(tenant))
    return await try_change(tenant, work, _("Single sign-on is optional now."), "require")


async def _page(tenant: Tenant, chosen: str = "", failure: AppError | None = None) -> str:
    """Return the page. Without ``chosen``, the current recovery admin is, or the caller if they can be."""
    work, organization_id = runtime().work, tenant.organization_id
    connection, held = await service.read_held(work, organization_id)
    if connection is None:
        raise NotSetUp
    candidates = await recovery.list_candidates(work, management(), connection)
    outsiders = await list_outsiders(
        management(), organization_id, service.effective_domains(connection, held)
    )
    ids = [candidate.id for candidate in candidates if candidate.way is not None]
    preferred = (chosen, connection.recovery_id, tenant.principal.subject)
    return render(
        "single_sign_on/require.html",
        connection=connection,
        candidates=candidates,
        chosen=next((one for one in preferred if one in ids), ""),
        outsiders=outsiders,
        failure=failure,
    )
