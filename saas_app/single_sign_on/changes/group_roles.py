"""Gives members the roles of their groups at the company's identity provider, when they sign in through it.

Workroom itself makes the change, with the order of every change in Logto
(:mod:`saas_app.changes.organization_change`). Nobody is made a member. The last admin whose role does not end
stays admin, and the recovery admin keeps all roles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

import structlog

from saas_app.audit.recorder import SYSTEM, Action, AuditEntry, Target, record
from saas_app.changes.organization_change import OrganizationChange, Systems
from saas_app.db.session import WritingSession
from saas_app.errors import AppError, LogtoUnavailable
from saas_app.identity.last_admin import is_only_admin
from saas_app.identity.role_ends import delete_ends, read_ends
from saas_app.identity.standing import Workroom
from saas_app.logto import LogtoUser, ManagementError
from saas_app.notifications.recorder import notify_of_end
from saas_app.rbac.permissions import Role
from saas_app.single_sign_on.groups import given_roles, wanted_roles
from saas_app.single_sign_on.queries import find_connection
from saas_app.single_sign_on.values import Connection

log = structlog.get_logger(__name__)

_Turn: TypeAlias = OrganizationChange[Workroom]
_ADMIN: Final = Role.ADMIN.value


@dataclass(frozen=True, slots=True)
class _Plan:
    """The roles of a member at Logto and after the sign-in, and the ends of those they now hold lastingly."""

    held: frozenset[str]
    wanted: frozenset[str]
    lasting: Mapping[str, datetime]

    @property
    def is_empty(self) -> bool:
        return self.held == self.wanted and not self.lasting


async def set_roles_of_groups(
    systems: Systems, connection: Connection, account: LogtoUser, claim: object
) -> bool:
    """Set the roles of a member to those of their groups, unless no claim with groups is configured.

    ``claim`` is the one with their groups, or None. Returns whether their roles at Logto were changed. A
    failure is logged and recorded, but keeps nobody from signing in, except that Logto is down: raises
    :class:`LogtoUnavailable`.
    """
    if not _decides_about(connection, account):
        return False
    change = systems.by(Workroom(connection.organization_id))
    try:
        plan = await _plan(change, connection, account.id, claim)
        if plan is not None and not plan.is_empty:
            async with change.alone() as turn:
                return await _set_roles(turn, account, claim)
    except LogtoUnavailable:
        raise
    except (AppError, ManagementError) as error:
        log.warning(
            "a member did not get the roles of their groups",
            organization_id=connection.organization_id,
            user_id=account.id,
            reason=str(error),
        )
        target = Target("member", account.id, account.display_name)
        async with systems.work.writing(connection.organization_id) as db:
            record(db, AuditEntry(SYSTEM, Action.SSO_MISS_ROLES, target))
    return False


async def _plan(change: _Turn, connection: Connection, user_id: str, claim: object) -> _Plan | None:
    """Return what to change. None for a person who is not a member."""
    held = await change.management.find_member_roles(change.organization_id, user_id)
    if held is None:
        return None
    async with change.work.reading(change.organization_id) as db:
        ends = await read_ends(db, change.organization_id, user_id)
    wanted = wanted_roles(claim, connection.group_roles, held)
    loses_admin = _ADMIN in held - wanted and _ADMIN not in ends
    if loses_admin and await is_only_admin(change.work, change.management, change.organization_id, user_id):
        wanted |= {_ADMIN}
    given = given_roles(claim, connection.group_roles)
    return _Plan(held, wanted, {role: ends[role] for role in given & ends.keys()})


def _decides_about(connection: Connection, account: LogtoUser) -> bool:
    """Return whether the groups decide about the roles of a person."""
    return bool(connection.is_on and connection.group_claim and account.id != connection.recovery_id)


async def _set_roles(turn: _Turn, account: LogtoUser, claim: object) -> bool:
    """Change what is to be changed in this turn: it may have changed since it was looked at.

    So may the mapping, and who the recovery admin is. Returns whether roles at Logto were changed.
    """
    async with turn.work.reading(turn.organization_id) as db:
        connection = await find_connection(db, turn.organization_id)
    if connection is None or not _decides_about(connection, account):
        return False
    plan = await _plan(turn, connection, account.id, claim)
    if plan is None or plan.is_empty:
        return False
    obsolete = (plan.held - plan.wanted) | plan.lasting.keys()
    if plan.held == plan.wanted:
        await _make_lasting(turn, account, plan.lasting)
        return False

    async def forget(db: WritingSession) -> None:
        await delete_ends(db, turn.organization_id, account.id, obsolete)

    await turn.carry_out(
        turn.event(
            Action.MEMBER_CHANGE_ROLES,
            Target("member", account.id, account.display_name),
            {"roles": sorted(plan.held)},
            {"roles": sorted(plan.wanted)},
        ),
        lambda: turn.management.replace_roles(turn.organization_id, account.id, sorted(plan.wanted)),
        subjects=[account.id],
        also=forget,
    )
    return True


async def _make_lasting(turn: _Turn, account: LogtoUser, lasting: Mapping[str, datetime]) -> None:
    """Delete the ends of roles that the member holds. Logto knows no ends."""
    target = Target("member", account.id, account.display_name)
    async with turn.work.writing(turn.organization_id) as db:
        await delete_ends(db, turn.organization_id, account.id, lasting.keys())
        for role, ends_at in lasting.items():
            before = {"role": role, "ends_at": ends_at.isoformat()}
            event = turn.event(Action.MEMBER_SET_ROLE_END, target, before, {"role": role, "ends_at": None})
            record(db, event)
            await notify_of_end(db, turn.organization_id, event, role, None)
