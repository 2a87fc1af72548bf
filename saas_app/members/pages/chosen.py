"""Actions on several members, chosen on the list: other roles, with a preview, and removal."""

from __future__ import annotations

from quart import Blueprint, request, url_for
from quart.typing import ResponseReturnValue

from saas_app.audit.last_saves import find_last_saves
from saas_app.changes.rows import ChosenRow, RowResult
from saas_app.errors import Invalid
from saas_app.identity.tenant import Tenant
from saas_app.members import chosen_changes, service
from saas_app.members.roles import read_choice, role_options
from saas_app.members.values import PAGE_SIZE
from saas_app.rbac.permissions import Permission
from saas_app.text.translation import Sentence, _, ngettext
from saas_app.text.visible import isolated
from saas_app.web import bulk
from saas_app.web.context import open_reading, organization_change
from saas_app.web.guards import requires
from saas_app.web.templating import render

blueprint = Blueprint("chosen", __name__, url_prefix="/members/bulk")


@blueprint.post("/roles")
@requires(Permission.MEMBERS_UPDATE, complete=True)
async def change_roles(tenant: Tenant) -> ResponseReturnValue:
    """Choose roles for the chosen members, preview them with ``step=preview``, or save them."""
    rows, back, form = await bulk.read_rows(PAGE_SIZE), await _back(tenant), await request.form
    step = form.get("step")
    if step not in ("preview", "confirm"):
        return await _choice_page(tenant, rows, back)
    try:
        roles = read_choice(form.getlist("roles"))
    except Invalid as error:
        return await _choice_page(tenant, rows, back, error.fields["roles"]), error.status
    if step == "preview":
        planned = await chosen_changes.plan_roles(organization_change(tenant), rows, roles)
        return render("members/chosen_preview.html", planned=planned, roles=form.getlist("roles"), back=back)
    results = await chosen_changes.change_roles(organization_change(tenant), rows, roles)
    done = ngettext("Roles of %(num)s member changed.", "Roles of %(num)s members changed.", len(results))
    return await _report(tenant, _("Change roles"), done, results, back)


@blueprint.post("/remove")
@requires(Permission.MEMBERS_REMOVE)
async def remove_members(tenant: Tenant) -> ResponseReturnValue:
    """Ask for confirmation, then remove the chosen members."""
    rows, back = await bulk.read_rows(PAGE_SIZE), await _back(tenant)
    if not await bulk.is_confirmed():
        members = await service.list_chosen(organization_change(tenant), [row.id for row in rows])
        return await bulk.ask(
            ngettext("Remove %(num)s member?", "Remove %(num)s members?", len(members)),
            _(
                "They lose access to %(organization)s immediately. Everything they created stays. To come "
                "back, they need a new invitation.",
                organization=isolated(tenant.organization_name),
            ),
            ngettext("Remove %(num)s member", "Remove %(num)s members", len(members)),
            [member.display_name for member in members],
            back,
        )
    results = await chosen_changes.remove_members(organization_change(tenant), rows)
    done = ngettext("%(num)s member removed.", "%(num)s members removed.", len(results))
    return await _report(tenant, _("Remove members"), done, results, back)


async def _back(tenant: Tenant) -> str:
    return await bulk.back_to(url_for("members.list_members", organization_id=tenant.organization_id))


async def _report(
    tenant: Tenant, heading: Sentence, done: Sentence, results: list[RowResult], back: str
) -> ResponseReturnValue:
    async with open_reading(tenant) as db:
        last = await find_last_saves(db, tenant, results)
    return await bulk.report(heading, done, results, back, last)


async def _choice_page(tenant: Tenant, rows: list[ChosenRow], back: str, problem: str = "") -> str:
    return render(
        "members/chosen_roles.html",
        members=await service.list_chosen(organization_change(tenant), [row.id for row in rows]),
        options=role_options(frozenset(), tenant.granted),
        rows=[f"{row.id}:{row.version}" for row in rows],
        back=back,
        problem=problem,
    )
