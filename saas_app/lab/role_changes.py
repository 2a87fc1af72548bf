"""Changes of the roles of role-play members, which Workroom makes in a learner's ground.

Each has a turn in its organization, is recorded in its audit log, and leaves no end of a role behind.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from saas_app.audit.recorder import Action, Target, record
from saas_app.changes.organization_change import Systems
from saas_app.db.base import utc_now
from saas_app.db.session import WritingSession
from saas_app.identity import role_ends
from saas_app.identity.role_ends import RoleEnding
from saas_app.identity.standing import Workroom
from saas_app.lab.values import NotYet, Place, Player
from saas_app.members.ends import GivenEnds
from saas_app.members.role_endings import end_role
from saas_app.rbac.permissions import Role
from saas_app.text.translation import _
from saas_app.text.visible import isolated


async def ends_of(systems: Systems, player: Player, place: Place) -> dict[str, datetime]:
    """Return when the member's roles end, by their names. Some may have ended."""
    async with systems.work.reading(place.id) as db:
        return await role_ends.read_ends(db, place.id, player.user_id)


async def set_role(systems: Systems, player: Player, place: Place, role: Role, given_by: str) -> None:
    """Let the member hold exactly this role, without an end. Nothing happens if they do."""
    management = systems.management
    async with systems.by(Workroom(place.id)).alone() as turn:
        held = await management.find_member_roles(place.id, player.user_id)
        if held == frozenset({role.value}) and not await ends_of(systems, player, place):
            return

        async def call() -> None:
            await management.add_members(place.id, [player.user_id])
            await management.replace_roles(place.id, player.user_id, [role.value])

        async def forget(db: WritingSession) -> None:
            await role_ends.forget_ends(db, place.id, player.user_id)

        given = GivenEnds(place.id, player.user_id, [role.value], None, given_by)
        before, after = {"roles": sorted(held or ())}, {"roles": [role.value]}
        await turn.carry_out(
            turn.event(Action.MEMBER_CHANGE_ROLES, _target(player), before, after),
            call,
            subjects=[player.user_id],
            before=given.write,
            also=forget,
            on_refusal=given.restore,
        )


@asynccontextmanager
async def ended(
    systems: Systems, player: Player, place: Place, role: Role, given_by: str
) -> AsyncIterator[None]:
    """Let a role that ends later end now. During the block, Logto still has it: the job waits for its turn.

    Raises :class:`NotYet` if the role does not end, or has ended.
    """
    async with systems.by(Workroom(place.id)).alone() as turn:
        before, now = (await ends_of(systems, player, place)).get(role.value), utc_now()
        if before is None or before <= now:
            raise NotYet(
                _(
                    "The %(role)s role of %(name)s has just changed. Try again.",
                    role=role.value,
                    name=isolated(player.name),
                )
            )
        event = turn.event(
            Action.MEMBER_SET_ROLE_END, _target(player), _as_json(role, before), _as_json(role, now)
        )
        async with turn.work.writing(place.id) as db:
            await role_ends.set_end(db, place.id, player.user_id, role.value, now, given_by)
            record(db, event)
        yield


async def take_away(systems: Systems, player: Player, place: Place, role: Role) -> None:
    """Take a role that has ended away at Logto, as the job does, unless the job was faster."""
    ends = await ends_of(systems, player, place)
    if role.value in ends:
        await end_role(systems, RoleEnding(place.id, player.user_id, role.value, ends[role.value]))


def _target(player: Player) -> Target:
    return Target("member", player.user_id, player.name)


def _as_json(role: Role, ends_at: datetime) -> dict[str, str]:
    return {"role": role.value, "ends_at": ends_at.isoformat()}
