"""Sends, decides and withdraws access requests.

* Each of them is a turn in the organization, so that of two decisions the second one finds the first.
* Approving is one change of roles with all its rules: nobody assigns more than they hold. If the member holds
  the role and it ends, it is a change of that end, to a later one only.
* Nobody decides their own request.
* The request gets its state in the transaction that records the change of roles. If the process dies between
  Logto and that transaction, ``saas-app reconcile`` completes it (:func:`complete_approval`).
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from saas_app.access_requests import queries
from saas_app.access_requests.choosing import gained_by
from saas_app.access_requests.refusals import (
    AlreadyAsked,
    AlreadyDecided,
    AlreadyHeld,
    HeldOtherwise,
    NobodyCanApprove,
    NothingToAsk,
    OnlyPeople,
    OwnRequest,
    RequestNotFound,
    TooManyPending,
)
from saas_app.access_requests.service import find_deciders, get_request, is_own
from saas_app.access_requests.values import (
    MAX_PENDING,
    MIN_MINUTES,
    Approver,
    RequestRow,
    RequestState,
    WantedAccess,
    is_longer,
)
from saas_app.audit.recorder import Action, AuditEntry, Target, record
from saas_app.changes.organization_change import MemberChange
from saas_app.db.base import utc_now
from saas_app.db.session import WritingSession
from saas_app.errors import Invalid
from saas_app.identity.named_members import CheckedMember, require_still_member
from saas_app.identity.open_requests import mark_read
from saas_app.identity.standing import require_standing, session_key
from saas_app.identity.tenant import Tenant
from saas_app.members.changes import change_roles_in_turn
from saas_app.members.end_changes import set_end_in_turn
from saas_app.members.roles import kept_roles, read_choice
from saas_app.members.service import get_member
from saas_app.members.values import Member, WantedRoles
from saas_app.notifications.recorder import notify_of_decline, notify_of_request
from saas_app.text.translation import _
from saas_app.web.durations import too_early
from saas_app.web.times import exact_text


async def ask(change: MemberChange, wanted: WantedAccess) -> uuid.UUID:
    """Send a request to those who could approve it, and return its id.

    Raises :class:`OnlyPeople`, :class:`NothingToAsk`, :class:`Invalid` if they have the role for longer,
    :class:`NobodyCanApprove`, :class:`AlreadyAsked`, :class:`TooManyPending`, :class:`LimitReached`, and what
    a turn raises.
    """
    require_person(change.caller)
    async with change.alone() as turn:
        caller = turn.caller
        requester = await get_member(turn, caller.principal.subject)
        if not gained_by(requester.role_names, wanted.role, requester.ends):
            raise NothingToAsk(wanted.role)
        held_until = requester.ends.get(wanted.role)
        _require_longer(wanted.minutes, held_until)
        approvers = await _find_approvers(turn, wanted, held_until)
        await turn.count()
        async with (
            turn.limits.spend_unless_failed((turn.limits.access_requests, requester.id)),
            turn.work.writing(turn.organization_id, key=session_key(caller)) as db,
        ):
            await require_standing(db, caller)
            checked = CheckedMember(requester.id, caller.membership_version)
            await require_still_member(db, turn.organization_id, checked)
            await _require_room(db, requester.id, wanted)
            request_id = await queries.add(db, requester.id, wanted)
            after = {**_about(request_id, wanted.role), "reason": wanted.reason}
            if held_until is not None:
                after["held_until"] = held_until.isoformat()
            target = Target("member", requester.id, requester.display_name)
            record(db, turn.event(Action.ACCESS_REQUEST, target, after=after))
            await notify_of_request(
                db,
                turn.organization_id,
                [approver.id for approver in approvers],
                request_id,
                wanted.role,
                requester.display_name,
                held_until,
            )
    return request_id


def require_person(tenant: Tenant) -> None:
    """Raise :class:`OnlyPeople` to a program."""
    if tenant.principal.is_machine:
        raise OnlyPeople


async def approve(
    change: MemberChange, request_id: uuid.UUID, until: datetime | None, seen: datetime | None = None
) -> RequestRow:
    """Give the member the role until a moment, or without an end. Return the request as it was.

    ``seen`` is until when they hold the role, as the caller read it, or None if they do not hold it. If they
    hold it, its end moves, which is one transaction here.

    Raises :class:`RequestNotFound`, :class:`OwnRequest`, :class:`AlreadyDecided`, :class:`AlreadyHeld`,
    :class:`HeldOtherwise`, :class:`NotAMember`, :class:`AssignmentDenied`, :class:`Invalid` for an impossible
    end, and what a turn raises.
    """
    async with change.alone() as turn:
        row = await _get_decidable(turn, request_id)
        member = await get_member(turn, row.requester_id)
        held_until = _held_until(member, row)
        if held_until != seen:
            raise HeldOtherwise(row, seen=seen, held_until=held_until)
        target = Target("member", member.id, member.display_name)

        async def note(db: WritingSession) -> None:
            event = turn.event(Action.ACCESS_APPROVE, target, after=_about(row.id, row.role))
            await _record_approval(db, turn.organization_id, row, event, until)

        noted = {"request": str(row.id)}
        if held_until is None:
            chosen = read_choice(sorted({*member.role_names - kept_roles(member.role_names), row.role}))
            wanted = WantedRoles(member.id, member.role_names, chosen, until=until)
            await change_roles_in_turn(turn, wanted, also=note, noted=noted)
        else:
            (role,) = read_choice([row.role])
            _require_later(until, held_until)
            await set_end_in_turn(turn, member, role, until, also=note, noted=noted)
    return row


def _held_until(member: Member, row: RequestRow) -> datetime | None:
    """Return until when the member holds the role, or None. Raises :class:`AlreadyHeld` if it has no end."""
    if row.role in member.role_names and row.role not in member.ends:
        raise AlreadyHeld(row)
    return member.ends.get(row.role)


def _require_later(until: datetime | None, held_until: datetime) -> None:
    """Check that an approval lets a role end later than it does."""
    if until is not None and until <= held_until:
        problem = too_early(held_until)
        raise Invalid(problem, fields={"until": problem})


def _require_longer(minutes: int | None, held_until: datetime | None) -> None:
    """Check that somebody asks for a role for longer than they have it."""
    if held_until is not None and not is_longer(minutes, held_until):
        problem = _("You have this role until %(time)s. Choose a longer time.", time=exact_text(held_until))
        raise Invalid(problem, fields={"minutes": problem})


async def complete_approval(
    db: WritingSession, organization_id: str, entry: AuditEntry, roles: Collection[str]
) -> None:
    """Record that an interrupted change of roles approved a request, if it did and the role was given.

    ``roles`` are the member's roles now. Other entries are ignored.
    """
    after = entry.after or {}
    if "request" not in after:
        return
    row = await queries.find_row(db, uuid.UUID(after["request"]))
    if row is not None and row.role in roles:
        event = replace(entry, action=Action.ACCESS_APPROVE, before=None, after=_about(row.id, row.role))
        until = after.get("ends_at")
        await _record_approval(
            db, organization_id, row, event, datetime.fromisoformat(until) if until else None
        )


async def _record_approval(
    db: WritingSession, organization_id: str, row: RequestRow, event: AuditEntry, until: datetime | None
) -> None:
    """Close an approved request. One that was withdrawn as the membership ended stays so."""
    if await queries.close(db, row.id, RequestState.APPROVED, event.actor.id, ends_at=until):
        record(db, event)
        await mark_read(db, organization_id, row.id)


async def decline(change: MemberChange, request_id: uuid.UUID, answer: str) -> RequestRow:
    """Decline a request, and return it as it was. ``answer`` may be empty.

    Raises :class:`RequestNotFound`, :class:`OwnRequest`, :class:`AlreadyDecided`, and what a turn raises.
    """
    async with change.alone() as turn:
        row = await _get_decidable(turn, request_id)
        await turn.count()
        async with turn.work.writing(turn.organization_id, key=session_key(turn.caller)) as db:
            await require_standing(db, turn.caller)
            await _close(db, turn, row, RequestState.DECLINED, Action.ACCESS_DECLINE, answer)
            await notify_of_decline(db, turn.organization_id, row.requester_id, row.id, row.role, answer)
    return row


async def withdraw(change: MemberChange, request_id: uuid.UUID) -> RequestRow:
    """Withdraw the caller's own request, and return it as it was.

    Raises :class:`RequestNotFound`, also for a request of somebody else, :class:`AlreadyDecided`, and what
    a turn raises.
    """
    async with change.alone() as turn:
        async with turn.work.reading(turn.organization_id) as db:
            row = await get_request(db, turn.caller, request_id)
        if not is_own(turn.caller, row):
            raise RequestNotFound
        if not row.is_pending:
            raise AlreadyDecided(row)
        await turn.count()
        async with turn.work.writing(turn.organization_id, key=session_key(turn.caller)) as db:
            await require_standing(db, turn.caller)
            await _close(db, turn, row, RequestState.WITHDRAWN, Action.ACCESS_WITHDRAW)
    return row


async def name_approvers(change: MemberChange, wanted: bool) -> None:
    """Choose whether people who ask for access see the names of those who can approve."""
    async with change.alone() as turn:
        await turn.count()
        async with turn.work.writing(turn.organization_id, key=session_key(turn.caller)) as db:
            await require_standing(db, turn.caller)
            if await queries.names_approvers(db, turn.organization_id) is wanted:
                return
            await queries.save_names_approvers(db, turn.organization_id, wanted)
            target = Target("organization", turn.organization_id, turn.caller.organization_name)
            before, after = {"names_approvers": not wanted}, {"names_approvers": wanted}
            record(db, turn.event(Action.ORGANIZATION_UPDATE, target, before, after))


async def _find_approvers(
    turn: MemberChange, wanted: WantedAccess, held_until: datetime | None
) -> tuple[Approver, ...]:
    """Return those who could approve the request. Raises :class:`NobodyCanApprove`."""
    deciders, requester_id = await find_deciders(turn), turn.caller.principal.subject
    found = deciders.for_role(wanted.role, requester_id, wanted.minutes)
    if not found:
        left = (held_until - utc_now()) // timedelta(minutes=1) + 1 if held_until else 0
        for_less = deciders.for_role(wanted.role, requester_id, max(MIN_MINUTES, left))
        raise NobodyCanApprove(wanted.role, turn.caller.organization_name, for_less=bool(for_less))
    return found


async def _require_room(db: WritingSession, user_id: str, wanted: WantedAccess) -> None:
    """Check that the person may send another request."""
    await queries.close_expired(db, user_id)
    pending = await queries.list_pending_of(db, user_id)
    if wanted.role.value in pending:
        raise AlreadyAsked(wanted.role, pending[wanted.role.value])
    if len(pending) >= MAX_PENDING:
        raise TooManyPending


async def _find(turn: MemberChange, request_id: uuid.UUID) -> RequestRow:
    async with turn.work.reading(turn.organization_id) as db:
        row = await queries.find_row(db, request_id)
    if row is None:
        raise RequestNotFound
    return row


async def _get_decidable(turn: MemberChange, request_id: uuid.UUID) -> RequestRow:
    """Return a pending request of somebody else. Within a turn, it stays pending."""
    row = await _find(turn, request_id)
    if row.requester_id == turn.caller.principal.subject:
        raise OwnRequest(row.id)
    if not row.is_pending:
        raise AlreadyDecided(row)
    return row


async def _close(
    db: WritingSession,
    turn: MemberChange,
    row: RequestRow,
    state: RequestState,
    action: Action,
    answer: str = "",
) -> None:
    """Close a request without a change of roles, and record who did."""
    if not await queries.close(db, row.id, state, turn.caller.principal.subject, answer=answer):
        raise AlreadyDecided(await get_request(db, turn.caller, row.id))
    target = Target("member", row.requester_id, row.requester_name)
    record(db, turn.event(action, target, after=_about(row.id, row.role)))
    await mark_read(db, turn.organization_id, row.id)


def _about(request_id: uuid.UUID, role: str) -> dict[str, Any]:
    return {"role": str(role), "request": str(request_id)}
