"""Changes members and their roles. Logto is asked about each rule at the moment of the change.

* Nobody assigns a role with a permission that they lack themselves, whatever the form says.
* Taking a role away needs only ``members:update``, and removing a member only ``members:remove``, even if the
  caller could not assign that role: it gives nobody power, and an organization must be able to stop a member
  who holds more than the caller.
* The last admin cannot be demoted or removed, and cannot leave. Changes of members run one at a time in an
  organization, across workers (a lease), so that of two admins who demote each other, one remains.
* While an organization requires single sign-on, its recovery admin stays a member and an admin.
* Callers cannot remove themselves. They leave instead.
* Who goes comes back with a new invitation only: those that are still open are revoked first.
* A caller who gives up their own permissions confirms it.
* Roles that the registry does not know, or that changed since the form was opened, are not overwritten. Of a
  role that somebody else has given meanwhile, the end has to be the same.
* The roles that a choice adds may end. Nobody assigns a role for longer than they hold its permissions.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from saas_app.audit.recorder import Action, AuditEntry, Target
from saas_app.changes.organization_change import MemberChange, Writes
from saas_app.db.session import WritingSession
from saas_app.errors import VersionConflict
from saas_app.identity import role_ends
from saas_app.identity.former_members import note_end
from saas_app.identity.named_members import forget_member
from saas_app.identity.single_sign_on import RECOVERY_ROLES
from saas_app.identity.tenant import Tenant
from saas_app.invitations.changes.pending import revoke_open_for
from saas_app.members.ends import GivenEnds, require_possible_end
from saas_app.members.roles import with_choice
from saas_app.members.service import get_member, is_last_admin, is_recovery_admin
from saas_app.members.values import (
    EndChanged,
    LastAdmin,
    LeaveInstead,
    Member,
    RecoveryAdmin,
    RolePlan,
    RolesChanged,
    SelfDemotionUnconfirmed,
    WantedRoles,
)
from saas_app.models import Ending
from saas_app.rbac.assignment import preview
from saas_app.rbac.permissions import Role
from saas_app.text.translation import _
from saas_app.text.visible import isolated


async def plan_roles(change: MemberChange, wanted: WantedRoles) -> RolePlan:
    """Return the result of the choice, if it is allowed now.

    Raises :class:`NotAMember`, :class:`RolesChanged`, :class:`EndChanged`, :class:`AssignmentDenied`,
    :class:`LastAdmin` and :class:`RecoveryAdmin`.
    """
    member = await get_member(change, wanted.user_id)
    after = with_choice(member.role_names, wanted.chosen)
    if member.role_names not in (wanted.seen, after):
        raise RolesChanged(member, wanted)
    for role in wanted.chosen:
        is_given_meanwhile = role.value in member.role_names - wanted.seen
        if is_given_meanwhile and member.ends.get(role.value) != wanted.until:
            raise EndChanged(member, role)
    difference = preview(member.role_names, after)
    plan = RolePlan(member, after, difference, wanted.until if difference.added else None)
    require_possible_end(plan.until)
    change.caller.require_assignable(difference.added, plan.until)
    if plan.change.removed & RECOVERY_ROLES:
        await require_not_recovery(change, member)
    if Role.ADMIN.value in plan.change.removed:
        await _require_another_admin(change, member)
    return plan


async def change_roles(change: MemberChange, wanted: WantedRoles) -> RolePlan:
    """Change the roles. Raises what :func:`plan_roles` raises, :class:`AccessChanged`,
    :class:`SelfDemotionUnconfirmed`, :class:`Busy` and :class:`LogtoUnavailable`.
    """
    async with change.alone() as turn:
        return await change_roles_in_turn(turn, wanted)


async def change_roles_in_turn(
    turn: MemberChange,
    wanted: WantedRoles,
    *,
    also: Writes | None = None,
    noted: Mapping[str, str] = MappingProxyType({}),
) -> RolePlan:
    """Change the roles within a turn that the caller has taken, to check more in it.

    ``also`` writes more in the transaction of the event, whose ``after`` holds what is ``noted`` too. Neither
    happens if there is nothing to change.
    """
    plan = await plan_roles(turn, wanted)
    if plan.is_own_loss and not wanted.accepts_own_loss:
        raise SelfDemotionUnconfirmed(plan)
    if not plan.change.is_empty:
        await _carry_out(turn, plan, also, noted)
    return plan


async def _carry_out(
    turn: MemberChange, plan: RolePlan, also: Writes | None, noted: Mapping[str, str]
) -> None:
    """Give and take the roles. Those that have ended are left to the job that takes them away."""
    member, added = plan.member, plan.change.added
    given = GivenEnds(turn.organization_id, member.id, added, plan.until, turn.caller.principal.subject)

    async def write(db: WritingSession) -> None:
        await role_ends.delete_ends(db, turn.organization_id, member.id, plan.change.removed)
        if also is not None:
            await also(db)

    after: dict[str, Any] = {"roles": sorted(plan.after)}
    if plan.until is not None:
        after["ends_at"] = plan.until.isoformat()
    await turn.carry_out(
        _event(turn, Action.MEMBER_CHANGE_ROLES, member, {**after, **noted}),
        lambda: turn.management.replace_roles(
            turn.organization_id, member.id, sorted(plan.after | member.ended)
        ),
        subjects=[member.id],
        before=given.write,
        also=write,
        on_refusal=given.restore,
    )


async def remove_member(change: MemberChange, user_id: str, seen: frozenset[str] | None = None) -> Member:
    """Remove another member from the organization. If ``seen`` is given, they must still hold those roles.

    Raises :class:`LeaveInstead`, :class:`NotAMember`, :class:`VersionConflict`, :class:`LastAdmin`,
    :class:`RecoveryAdmin`, :class:`AccessChanged`, :class:`Busy` and :class:`LogtoUnavailable`.
    """
    refuse_own_removal(change.caller, user_id)
    async with change.alone() as turn:
        member = await get_member(turn, user_id)
        if seen is not None and member.role_names != seen:
            raise VersionConflict(
                _(
                    "The roles of %(name)s have changed since you opened the page. Nobody was removed.",
                    name=isolated(member.display_name),
                )
            )
        await _end_membership(turn, member, Action.MEMBER_REMOVE, Ending.REMOVED)
    return member


async def leave(change: MemberChange) -> Member:
    """Let the caller leave. Raises :class:`LastAdmin`, :class:`RecoveryAdmin`, :class:`NotAMember`,
    :class:`AccessChanged`, :class:`Busy` and :class:`LogtoUnavailable`.
    """
    async with change.alone() as turn:
        member = await get_member(turn, turn.caller.principal.subject)
        await _end_membership(turn, member, Action.MEMBER_LEAVE, Ending.LEFT)
    return member


def refuse_own_removal(tenant: Tenant, user_id: str) -> None:
    """Raise :class:`LeaveInstead` if the caller would remove themselves."""
    if user_id == tenant.principal.subject:
        raise LeaveInstead(_("To end your own membership, leave the organization instead."))


async def _end_membership(turn: MemberChange, member: Member, action: Action, ending: Ending) -> None:
    await require_not_recovery(turn, member)
    if member.is_admin:
        await _require_another_admin(turn, member)
    if member.email:
        await revoke_open_for(turn, member.email)

    async def note(db: WritingSession) -> None:
        await forget_member(db, turn.organization_id, member.id)
        await note_end(db, turn.organization_id, turn.caller.organization_name, member.id, ending)

    await turn.carry_out(
        _event(turn, action, member),
        lambda: turn.management.remove_member(turn.organization_id, member.id),
        subjects=[member.id],
        also=note,
    )


def _event(
    change: MemberChange, action: Action, member: Member, after: dict[str, Any] | None = None
) -> AuditEntry:
    target = Target("member", member.id, member.display_name)
    return change.event(action, target, {"roles": sorted(member.role_names)}, after)


async def _require_another_admin(change: MemberChange, member: Member) -> None:
    if await is_last_admin(change, member):
        raise LastAdmin(member, change.caller.organization_name)


async def require_not_recovery(change: MemberChange, member: Member) -> None:
    """Raise :class:`RecoveryAdmin` if this member is needed where single sign-on is required.

    The requirement is switched on in a turn of the organization, too, so it cannot come in between.
    """
    if await is_recovery_admin(change, member):
        raise RecoveryAdmin(member, change.caller.organization_name)
