"""Pages of members: the list, removing, leaving. :mod:`saas_app.members.pages.roles` has the roles."""

from __future__ import annotations

from quart import Blueprint, redirect, request, url_for
from quart.typing import ResponseReturnValue

import saas_app.access_requests.service as access_requests
from saas_app.email_domains.changes import joins
from saas_app.errors import AppError
from saas_app.identity.standing import AccessChanged
from saas_app.identity.tenant import Tenant
from saas_app.members import changes, service
from saas_app.members.forms import read_filter
from saas_app.members.pages.chosen import blueprint as chosen
from saas_app.members.pages.roles import blueprint as roles
from saas_app.members.values import LastAdmin, LeaveInstead, NotAMember, NotHeld, OwnEnd, RecoveryAdmin
from saas_app.rbac.permissions import Permission
from saas_app.text.translation import _
from saas_app.text.visible import isolated
from saas_app.web.context import database, management, organization_change, runtime
from saas_app.web.guards import requires, requires_member
from saas_app.web.notices import notify
from saas_app.web.templating import render

blueprint = Blueprint("members", __name__, url_prefix="/o/<organization_id>")
blueprint.register_blueprint(roles)
blueprint.register_blueprint(chosen)


@blueprint.get("/members")
@requires(Permission.MEMBERS_READ)
async def list_members(tenant: Tenant) -> ResponseReturnValue:
    """List people, or machines with ``show=machines``. Each page is one of Logto's."""
    wanted = read_filter(request.args)
    if request.args.get("show") == "machines":
        machines = await service.list_machines(management(), tenant, wanted)
        shown = await _open_requests(tenant)
        return render("members/machines.html", page=machines, wanted=wanted, open_requests=shown)
    people = await service.list_people(organization_change(tenant), wanted)
    shown = await _open_requests(tenant)
    return render("members/list.html", people=people, page=people.page, wanted=wanted, open_requests=shown)


@blueprint.get("/members/<user_id>/remove")
@requires(Permission.MEMBERS_REMOVE)
async def confirm_remove(tenant: Tenant, user_id: str) -> ResponseReturnValue:
    """Ask for confirmation."""
    changes.refuse_own_removal(tenant, user_id)
    member = await service.get_member(organization_change(tenant), user_id)
    change = organization_change(tenant)
    return render(
        "members/remove.html",
        member=member,
        is_last_admin=await service.is_last_admin(change, member),
        is_recovery=await service.is_recovery_admin(change, member),
    )


@blueprint.post("/members/<user_id>/remove")
@requires(Permission.MEMBERS_REMOVE)
async def remove(tenant: Tenant, user_id: str) -> ResponseReturnValue:
    """Remove the member. Their next request is rejected, in every session."""
    member = await changes.remove_member(organization_change(tenant), user_id)
    await notify(
        _(
            "%(name)s is no longer a member of %(organization)s.",
            name=isolated(member.display_name),
            organization=isolated(tenant.organization_name),
        )
    )
    return redirect(url_for("members.list_members", organization_id=tenant.organization_id), 303)


@blueprint.get("/leave")
@requires_member
async def confirm_leave(tenant: Tenant) -> ResponseReturnValue:
    """Ask for confirmation."""
    return await _ask_to_leave(tenant)


@blueprint.post("/leave")
@requires_member
async def leave(tenant: Tenant) -> ResponseReturnValue:
    """Leave the organization, then renew access, because the ID token still names the organization."""
    if (await request.form).get("confirm") != "yes":
        return await _ask_to_leave(tenant), 422
    await changes.leave(organization_change(tenant))
    await notify(_("You have left %(organization)s.", organization=isolated(tenant.organization_name)))
    return redirect(url_for("identity.renew", next="/o"), 303)


@blueprint.post("/joined")
@requires_member
async def confirm_joined(tenant: Tenant) -> ResponseReturnValue:
    """Record that the caller has confirmed the notice of how they joined."""
    await joins.confirm(runtime().work, tenant)
    return redirect(url_for("organizations.overview", organization_id=tenant.organization_id), 303)


@blueprint.errorhandler(LeaveInstead)
async def redirect_to_leaving(error: LeaveInstead) -> ResponseReturnValue:
    """Redirect a caller who tried to remove themselves to the page for leaving."""
    await notify(error.detail, "info")
    arguments = request.view_args or {}
    return redirect(
        url_for("members.confirm_leave", organization_id=arguments.get("organization_id", "")), 303
    )


@blueprint.errorhandler(LastAdmin)
@blueprint.errorhandler(RecoveryAdmin)
@blueprint.errorhandler(AccessChanged)
@blueprint.errorhandler(NotAMember)
@blueprint.errorhandler(NotHeld)
@blueprint.errorhandler(OwnEnd)
async def refused(error: AppError) -> ResponseReturnValue:
    """Show why the change was not made, with a link to the members."""
    return render("members/refused.html", error=error), error.status


async def _open_requests(tenant: Tenant) -> int | None:
    """Return how many access requests wait for a decision, or None if the caller does not decide."""
    if not tenant.offers(Permission.MEMBERS_UPDATE):
        return None
    return await access_requests.count_open().read(database())


async def _ask_to_leave(tenant: Tenant) -> str:
    member = await service.get_member(organization_change(tenant), tenant.principal.subject)
    return render(
        "members/leave.html",
        member=member,
        is_last_admin=await service.is_last_admin(organization_change(tenant), member),
        is_recovery=await service.is_recovery_admin(organization_change(tenant), member),
    )
