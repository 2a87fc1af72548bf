"""Changes when a role of a member ends: later, sooner, or never. Logto knows no ends, so only we change.

* An end that comes sooner needs only ``members:update``, like taking the role away.
* A later end, or none, is a role given for longer: callers need its permissions for as long.
* Nobody lets their own role last longer.
* A role that has ended is not extended but given again, with all checks of that.
* The last admin whose role does not end stays so, and the recovery admin where single sign-on is required.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from saas_app.audit.recorder import Action, AuditEntry, Target, record
from saas_app.changes.organization_change import MemberChange, Writes
from saas_app.identity import role_ends
from saas_app.identity.single_sign_on import RECOVERY_ROLES
from saas_app.identity.standing import require_standing, session_key
from saas_app.members.changes import require_not_recovery
from saas_app.members.ends import require_possible_end
from saas_app.members.service import get_member, is_last_admin
from saas_app.members.values import EndChanged, LastAdmin, Member, NotHeld, OwnEnd
from saas_app.notifications.recorder import notify_of_end
from saas_app.rbac.permissions import Role


async def set_end(
    change: MemberChange, user_id: str, role: Role, seen: datetime | None, until: datetime | None
) -> Member:
    """Let a member's role end at ``until``, or never. ``seen`` is the end that the caller read.

    Returns the member as they were before. Raises :class:`NotAMember`, :class:`NotHeld`, :class:`EndChanged`,
    :class:`Invalid`, :class:`OwnEnd`, :class:`AssignmentDenied`, :class:`LastAdmin`, :class:`RecoveryAdmin`,
    :class:`AccessChanged`, :class:`Busy` and :class:`LogtoUnavailable`.
    """
    async with change.alone() as turn:
        member = await get_member(turn, user_id)
        if role.value not in member.role_names:
            raise NotHeld(member, role)
        if member.ends.get(role.value) != seen:
            raise EndChanged(member, role)
        await set_end_in_turn(turn, member, role, until)
    return member


async def set_end_in_turn(
    turn: MemberChange,
    member: Member,
    role: Role,
    until: datetime | None,
    *,
    also: Writes | None = None,
    noted: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Change the end of a role that ``member`` holds, within a turn that the caller has taken.

    ``also`` writes more in the transaction of the event, whose ``after`` holds what is ``noted`` too. Neither
    happens if the role already ends at ``until``.
    """
    if until != member.ends.get(role.value):
        await _require_allowed(turn, member, role, until)
        await _store(turn, member, role, until, also, noted)


async def _require_allowed(turn: MemberChange, member: Member, role: Role, until: datetime | None) -> None:
    require_possible_end(until)
    current = member.ends.get(role.value)
    if current is None:
        if role.value in RECOVERY_ROLES:
            await require_not_recovery(turn, member)
        if role is Role.ADMIN and await is_last_admin(turn, member):
            raise LastAdmin(member, turn.caller.organization_name)
    elif until is None or until > current:
        if member.is_self:
            raise OwnEnd(role)
        turn.caller.require_assignable([role.value], until)


async def _store(
    turn: MemberChange,
    member: Member,
    role: Role,
    until: datetime | None,
    also: Writes | None,
    noted: Mapping[str, str],
) -> None:
    """Record the end in a transaction of its own. The guard reads it with the member's next request."""
    await turn.count()
    organization_id = turn.organization_id
    async with turn.work.writing(organization_id, key=session_key(turn.caller)) as db:
        await require_standing(db, turn.caller)
        if until is None:
            await role_ends.delete_ends(db, organization_id, member.id, [role.value])
        else:
            by = turn.caller.principal.subject
            await role_ends.set_end(db, organization_id, member.id, role.value, until, by)
        event = _event(turn, member, role, until, noted)
        record(db, event)
        if also is not None:
            await also(db)
        await notify_of_end(db, organization_id, event, role.value, until)


def _event(
    turn: MemberChange, member: Member, role: Role, until: datetime | None, noted: Mapping[str, str]
) -> AuditEntry:
    def side(end: datetime | None) -> dict[str, str | None]:
        return {"role": role.value, "ends_at": None if end is None else end.isoformat()}

    target = Target("member", member.id, member.display_name)
    before, after = side(member.ends.get(role.value)), {**side(until), **noted}
    return turn.event(Action.MEMBER_SET_ROLE_END, target, before, after)
