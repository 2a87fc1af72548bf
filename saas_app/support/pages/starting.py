"""The form with which an agent begins to act for a member."""

from __future__ import annotations

from urllib.parse import quote

from quart import redirect, request
from quart.typing import ResponseReturnValue

from saas_app.errors import AppError, Invalid, LogtoUnavailable, ManagementNotSetUp, RateLimited
from saas_app.identity.support_exchange import NotGranted
from saas_app.identity.tenant import Tenant
from saas_app.rbac.permissions import Permission
from saas_app.support import changes, service
from saas_app.support.forms import StartForm
from saas_app.support.pages.desk import blueprint
from saas_app.support.values import DURATION, OpenOrganization, Wish
from saas_app.web.context import management, runtime, set_cookie
from saas_app.web.guards import requires
from saas_app.web.limits import retry_after
from saas_app.web.templating import render

__all__ = ["blueprint"]


@blueprint.get("/start")
@requires(Permission.SUPPORT_ACT, fresh=True)
async def choose_member(tenant: Tenant) -> ResponseReturnValue:
    """Ask whom to act for in an organization, and why."""
    service.require_team(runtime().settings, tenant)
    organization = await _read_organization(tenant, request.args.get("organization", ""))
    return _show_form(organization, StartForm(offers_writing=organization.consent.writes))


@blueprint.post("/start")
@requires(Permission.SUPPORT_ACT, fresh=True)
async def start(tenant: Tenant) -> ResponseReturnValue:
    """Act for the member from now on, in this browser and in their organization only."""
    service.require_team(runtime().settings, tenant)
    fields = await request.form
    organization = await _read_organization(tenant, fields.get("organization", ""))
    form = StartForm(fields, offers_writing=organization.consent.writes)
    if not form.validate():
        return _show_form(organization, form), 422
    try:
        member_id = await service.find_member_id(management(), organization, form.member.data or "")
        wish = Wish(organization.id, member_id, form.reason.data or "", form.ticket.data or "", form.writes)
        started = await changes.start(_desk(), tenant, wish)
    except Invalid as error:
        form.member.errors = list(error.fields.values()) or [error.detail]
        return _show_form(organization, form), error.status
    except (NotGranted, LogtoUnavailable, RateLimited) as error:
        return _show_form(organization, form, error), error.status, retry_after(error)
    response = redirect(f"/o/{quote(organization.id, safe='')}/", 303)
    set_cookie(response, "support", started.cookie, int(DURATION.total_seconds()))
    return response


def _desk() -> changes.Desk:
    found = runtime().support_desk
    if found is None:
        raise ManagementNotSetUp
    return found


async def _read_organization(tenant: Tenant, organization_id: str) -> OpenOrganization:
    return await service.get_open(runtime().work, runtime().directory, organization_id, tenant)


def _show_form(organization: OpenOrganization, form: StartForm, failure: AppError | None = None) -> str:
    return render("support/start.html", organization=organization, form=form, failure=failure)
