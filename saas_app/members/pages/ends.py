"""The page on which the end of a member's role is changed: later, sooner, never, or now."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from quart import Blueprint, redirect, request, url_for
from quart.typing import ResponseReturnValue

from saas_app.errors import AssignmentTooLong, Invalid
from saas_app.identity.tenant import Tenant
from saas_app.members import end_changes, service
from saas_app.members.ends import WITHIN
from saas_app.members.forms import read_seen_end, seen_end_field, seen_fields
from saas_app.members.roles import get_person_role, kept_roles
from saas_app.members.values import EndChanged, Member, NotHeld
from saas_app.rbac.permissions import Permission, Role
from saas_app.text.translation import Sentence, _
from saas_app.text.visible import isolated
from saas_app.web.context import current_tenant, organization_change
from saas_app.web.durations import (
    UNTIL_FIELD,
    Duration,
    DurationField,
    duration_field,
    read_end,
    too_late,
)
from saas_app.web.guards import requires
from saas_app.web.notices import notify
from saas_app.web.templating import render
from saas_app.web.times import exact_text

blueprint = Blueprint("ends", __name__, url_prefix="/<role_name>/end")


@blueprint.get("")
@requires(Permission.MEMBERS_UPDATE, complete=True)
async def choose(tenant: Tenant, user_id: str, role_name: str) -> ResponseReturnValue:
    """Show when the role ends, and the choice of another end."""
    role = get_person_role(role_name)
    member = await service.get_member(organization_change(tenant), user_id)
    if role.value not in member.role_names:
        raise NotHeld(member, role)
    return _page(member, role)


@blueprint.post("")
@requires(Permission.MEMBERS_UPDATE, complete=True)
async def change(tenant: Tenant, user_id: str, role_name: str) -> ResponseReturnValue:
    """Let the role end at another time, or never."""
    role, form = get_person_role(role_name), await request.form
    seen = read_seen_end(form)
    try:
        until = read_end(form)
        member = await end_changes.set_end(organization_change(tenant), user_id, role, seen, until)
    except Invalid as error:
        return await _page_again(tenant, user_id, role, error.fields[UNTIL_FIELD]), error.status
    await notify(_notice(member, role, until))
    return redirect(url_for("members.list_members", organization_id=tenant.organization_id), 303)


@blueprint.errorhandler(AssignmentTooLong)
async def ask_for_earlier_end(error: AssignmentTooLong) -> ResponseReturnValue:
    """Show the form again if the role would outlast those of the caller."""
    tenant, named = cast("Tenant", current_tenant()), request.view_args or {}
    role = get_person_role(named["role_name"])
    return await _page_again(tenant, named["user_id"], role, too_late(error.latest)), error.status


@blueprint.errorhandler(EndChanged)
async def show_change(error: EndChanged) -> ResponseReturnValue:
    """Show the end that somebody else has chosen meanwhile."""
    return _page(error.member, error.role, has_changed=True), error.status


async def _page_again(tenant: Tenant, user_id: str, role: Role, problem: str) -> str:
    """Return the form with the end that was chosen, and why it cannot be."""
    member = await service.get_member(organization_change(tenant), user_id)
    typed = await request.form
    field = duration_field(tuple(Duration), Duration.DATE, within=WITHIN, typed=typed, problem=problem)
    return _page(member, role, field)


def _page(
    member: Member, role: Role, field: DurationField | None = None, *, has_changed: bool = False
) -> str:
    end = member.ends.get(role.value)
    remaining = member.role_names - {role.value}
    return render(
        "members/end.html",
        member=member,
        role=role,
        end=end,
        seen_end_field=seen_end_field(end),
        duration=field
        or duration_field(tuple(Duration), Duration.DATE if end else Duration.NO_END, within=WITHIN, end=end),
        removal_fields=[
            *seen_fields(member.role_names),
            *(("roles", name) for name in sorted(remaining - kept_roles(remaining))),
            ("step", "preview"),
        ],
        has_changed=has_changed,
    )


def _notice(member: Member, role: Role, until: datetime | None) -> Sentence:
    named = {"role": role.value, "name": isolated(member.display_name)}
    if until is None:
        return _("The %(role)s role of %(name)s has no end.", **named)
    return _("The %(role)s role of %(name)s ends on %(time)s.", **named, time=exact_text(until))
