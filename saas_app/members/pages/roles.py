"""Pages that change a member's roles: choose, preview, confirm."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import cast

from quart import Blueprint, redirect, request, url_for
from quart.typing import ResponseReturnValue

from saas_app.audit.last_saves import find_last_save
from saas_app.errors import AssignmentTooLong, Invalid
from saas_app.identity.tenant import Tenant
from saas_app.members import changes, service
from saas_app.members.ends import WITHIN
from saas_app.members.forms import read_wanted_roles, seen_fields
from saas_app.members.pages.ends import blueprint as ends
from saas_app.members.roles import kept_roles, role_options
from saas_app.members.values import Member, RolePlan, RolesChanged, SelfDemotionUnconfirmed
from saas_app.rbac.permissions import Permission, in_role_order
from saas_app.text.translation import Sentence, _
from saas_app.text.visible import isolated
from saas_app.web.context import current_tenant, organization_change
from saas_app.web.durations import UNTIL_FIELD, Duration, duration_field, end_fields, too_late
from saas_app.web.guards import requires
from saas_app.web.notices import notify
from saas_app.web.templating import render
from saas_app.web.times import exact_text

blueprint = Blueprint("roles", __name__, url_prefix="/members/<user_id>/roles")
blueprint.register_blueprint(ends)


@blueprint.get("")
@requires(Permission.MEMBERS_UPDATE, complete=True)
async def choose(tenant: Tenant, user_id: str) -> ResponseReturnValue:
    """Show the roles of a member, and those the caller may assign."""
    member = await service.get_member(organization_change(tenant), user_id)
    return await _choice_page(tenant, member, member.role_names)


@blueprint.post("")
@requires(Permission.MEMBERS_UPDATE, complete=True)
async def change(tenant: Tenant, user_id: str) -> ResponseReturnValue:
    """Preview the choice, or apply it with ``step=confirm``."""
    form = await request.form
    try:
        wanted = read_wanted_roles(user_id, form)
        if form.get("step") != "confirm":
            return _preview_page(await changes.plan_roles(organization_change(tenant), wanted))
        plan = await changes.change_roles(organization_change(tenant), wanted)
    except SelfDemotionUnconfirmed as error:
        return _preview_page(error.plan, is_unconfirmed=True), error.status
    except Invalid as error:
        member = await service.get_member(organization_change(tenant), user_id)
        return await _choice_page(tenant, member, form.getlist("roles"), form, error.fields), error.status
    await notify(_notice(plan))
    endpoint = "organizations.access" if plan.member.is_self else "members.list_members"
    return redirect(url_for(endpoint, organization_id=tenant.organization_id), 303)


@blueprint.errorhandler(AssignmentTooLong)
async def ask_for_earlier_end(error: AssignmentTooLong) -> ResponseReturnValue:
    """Show the form again if the roles would outlast those of the caller."""
    tenant, form = cast("Tenant", current_tenant()), await request.form
    member = await service.get_member(organization_change(tenant), (request.view_args or {})["user_id"])
    problems = {UNTIL_FIELD: too_late(error.latest)}
    return await _choice_page(tenant, member, form.getlist("roles"), form, problems), error.status


@blueprint.errorhandler(RolesChanged)
async def choose_side(error: RolesChanged) -> ResponseReturnValue:
    """Show both versions after a conflict, and let the caller choose the one to preview."""
    yours = {role.value for role in error.wanted.chosen}
    page = render(
        "members/conflict.html",
        member=error.member,
        theirs=error.member.role_names,
        yours=yours | kept_roles(error.member.role_names),
        before=error.wanted.seen,
        fields=[*_fields(error.member.role_names, yours), *end_fields(error.wanted.until)],
        last=await find_last_save(error.member.id, {"roles": sorted(error.member.role_names)}),
    )
    return page, error.status


async def _choice_page(
    tenant: Tenant,
    member: Member,
    chosen: Collection[str],
    typed: Mapping[str, str] | None = None,
    problems: Mapping[str, str] = MappingProxyType({}),
) -> str:
    return render(
        "members/roles.html",
        member=member,
        options=role_options(member.role_names, tenant.granted),
        chosen=frozenset(chosen),
        kept=kept_roles(member.role_names),
        seen_fields=seen_fields(member.role_names),
        problem=problems.get("roles", ""),
        duration=duration_field(
            tuple(Duration), Duration.NO_END, within=WITHIN, typed=typed, problem=problems.get("until", "")
        ),
        is_last_admin=await service.is_last_admin(organization_change(tenant), member),
        is_recovery=await service.is_recovery_admin(organization_change(tenant), member),
    )


def _preview_page(plan: RolePlan, *, is_unconfirmed: bool = False) -> str:
    chosen = plan.after - kept_roles(plan.member.role_names)
    return render(
        "members/preview.html",
        plan=plan,
        member=plan.member,
        fields=[*_fields(plan.member.role_names, chosen), *end_fields(plan.until)],
        is_unconfirmed=is_unconfirmed,
    )


def _fields(seen: Collection[str], chosen: Collection[str]) -> list[tuple[str, str]]:
    return [*seen_fields(seen), *(("roles", name) for name in sorted(chosen))]


def _notice(plan: RolePlan) -> Sentence:
    if plan.member.is_self:
        return _("Your roles were changed. Your current permissions are listed below.")
    named = {
        "name": isolated(plan.member.display_name),
        "roles": ", ".join(in_role_order(plan.after)) or _("no role"),
    }
    if plan.until is None:
        return _(
            "Roles of %(name)s changed to %(roles)s. The change takes effect with their next request.",
            **named,
        )
    return _(
        "Roles of %(name)s changed to %(roles)s. Added roles end on %(time)s.",
        **named,
        time=exact_text(plan.until),
    )
