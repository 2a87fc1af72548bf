"""Takes away roles that have ended, and deletes ends of roles that nobody holds: a part of reconciliation."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from saas_app.changes.notes import list_note_ids
from saas_app.changes.organization_change import Systems
from saas_app.db.base import utc_now
from saas_app.db.session import DatabaseSession
from saas_app.errors import Busy
from saas_app.identity.membership_changes import mark_changed
from saas_app.identity.role_ends import RoleEnding, delete_ends, list_due, list_given
from saas_app.logto.provider_clock import Moment
from saas_app.members.role_endings import Ended, RoleRenamed, end_role
from saas_app.operations.reconciliation.logto_state import LogtoState
from saas_app.rbac.endings import may_be_renamed
from saas_app.text.translation import Sentence, _

_SETTLED_AFTER: Final = timedelta(minutes=1)  # an end is stored before its role is given at Logto


async def end_roles(systems: Systems, organization_id: str) -> list[Sentence]:
    """Take away the roles that have ended in an organization, and say which. Raises what changes raise.

    One that is being changed, or may have another name now, is left to the job of the application.
    """
    async with systems.work.reading(organization_id) as db:
        ended = await list_due(db, utc_now(), organization_id)
    news = []
    for due in ended:
        try:
            result = await end_role(systems, due)
        except (Busy, RoleRenamed):
            continue
        if result is Ended.TAKEN_AWAY:
            text = _(
                "the %(role)s role of %(person)s ended at %(time)s, and was taken away",
                role=due.role,
                person=due.user_id,
                time=due.ends_at.strftime("%Y-%m-%d %H:%M UTC"),
            )
            news.append(text)
    return news


async def forget_unheld(systems: Systems, state: LogtoState, now: Moment | None) -> list[Sentence]:
    """Delete the ends of roles that were taken away in Logto, and say whose.

    Tokens from before that still carry the role, and nothing but its end limits it. So they are rejected;
    ``now`` is the time at Logto. Nothing is deleted while a change is open, because it may be about to give
    the role, nor if the role may have another name now.
    """
    async with systems.work.reading(state.organization_id) as db:
        if not await _list_unheld(db, state):
            return []
    names = [role.name for role in await systems.management.list_organization_roles()]
    async with systems.work.writing(state.organization_id) as db:
        unheld = [
            end
            for end in await _list_unheld(db, state)
            if not may_be_renamed(end.role, _held(state, end), names)
        ]
        if not unheld or await list_note_ids(db):
            return []
        for end in unheld:
            await delete_ends(db, end.organization_id, end.user_id, [end.role])
        people = sorted({end.user_id for end in unheld})
        await mark_changed(db, state.organization_id, people, now)
    return [_("ends of roles that were taken away in Logto: %(people)s", people=", ".join(people))]


async def _list_unheld(db: DatabaseSession, state: LogtoState) -> list[RoleEnding]:
    given = await list_given(db, state.organization_id, before=state.read_at - _SETTLED_AFTER)
    return [end for end in given if end.role not in _held(state, end)]


def _held(state: LogtoState, end: RoleEnding) -> frozenset[str]:
    return state.role_names.get(end.user_id, frozenset())
