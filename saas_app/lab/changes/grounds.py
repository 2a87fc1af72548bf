"""Makes and removes a learner's ground: two organizations and three role-play members, in Logto.

Each id is stored as soon as Logto has returned it, so an attempt after a crash carries on, and a removal
finds everything. What Logto made just before a crash has our mark, and :mod:`saas_app.lab.cleanup` finds it.
Only the organizations and accounts of the learner's own ground are ever touched.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from saas_app.audit.recorder import SYSTEM, Action, Actor, AuditEntry, Target, record
from saas_app.coordination.leases import lease
from saas_app.db import keys
from saas_app.db.base import utc_now
from saas_app.db.shielding import shielded
from saas_app.errors import LogtoUnavailable
from saas_app.identity.directory import remember_organization
from saas_app.identity.principal import Principal
from saas_app.identity.standing import Workroom
from saas_app.lab import queries
from saas_app.lab.queries import StoredGround
from saas_app.lab.robots import remove_robots
from saas_app.lab.systems import LabSystems
from saas_app.lab.values import (
    KIM,
    MARK,
    NOT_SET_UP,
    PLAYERS,
    ROSA,
    SAM,
    STUDIO_NAME,
    Ground,
    NoGround,
    Place,
    Player,
    workshop_name,
)
from saas_app.logto import ManagementError, OrganizationInfo, ignore_missing
from saas_app.models import EVERYONE, GroundState
from saas_app.organizations.removal import request_removal
from saas_app.rbac.permissions import Role
from saas_app.text.translation import _

USERNAME_PREFIX: Final = "lab_"
"""The beginning of the usernames of role-play members."""

_EMAIL_DOMAIN: Final = "role-play.example"
"""A domain that is never assigned (RFC 2606), so nothing reaches anybody."""

_PATIENCE: Final = 10.0  # seconds to wait for another request of the same learner
_SECONDS_TO_FINISH: Final = 60.0  # after the learner has disconnected

_LEARNER: Final = "learner"
_WORKSHOP: Final = {_LEARNER: Role.ADMIN, SAM: Role.VIEWER, KIM: Role.EDITOR}
_ORGANIZATIONS: Final = 2
_STUDIO: Final = {_LEARNER: Role.VIEWER, ROSA: Role.ADMIN, KIM: Role.VIEWER}


@asynccontextmanager
async def alone(lab: LabSystems, subject: str) -> AsyncIterator[None]:
    """Let one request at a time use a learner's ground, across workers. Raises :class:`Busy`."""
    async with lease(lab.work, f"lab:{subject}", seconds=_PATIENCE):
        yield


async def build_ground(lab: LabSystems, principal: Principal) -> Ground:
    """Make what is missing of the learner's ground, and return it. It continues if the learner disconnects.

    Raises :class:`Busy`, :class:`LimitReached` and :class:`LogtoUnavailable`.
    """
    return await shielded(_build_alone(lab, principal), grace=_SECONDS_TO_FINISH)


async def _build_alone(lab: LabSystems, principal: Principal) -> Ground:
    subject, limits = principal.subject, lab.systems.limits
    claims = [(limits.changes, subject), *[(limits.new_organizations, subject)] * _ORGANIZATIONS]
    async with alone(lab, subject):
        found = await _find(lab, subject)
        if found is None or found.state is not GroundState.READY:
            async with limits.spend_unless_failed(*claims), _explained():
                if found is not None and found.state is GroundState.REMOVING:
                    await _remove(lab, found)  # a reset was cut off: what it left cannot be used
                await _build(lab, principal)
        return await get_ground(lab, subject)


async def _build(lab: LabSystems, principal: Principal) -> None:
    subject, work = principal.subject, lab.work
    async with work.writing(key=keys.of_person(subject)) as db:
        await queries.begin_ground(db, subject)
        await queries.update_ground(db, subject, state=GroundState.BUILDING)
    people = {_LEARNER: subject} | {key: await _make_player(lab, subject, key) for key in PLAYERS}
    ground = await _find(lab, subject)
    workshop_id = ground.workshop_id if ground else None
    studio_id = ground.studio_id if ground else None
    name = workshop_name(principal.display_name)
    await _make_organization(lab, principal, "admin_organization_id", workshop_id, name, _WORKSHOP, people)
    await _make_organization(
        lab, principal, "viewer_organization_id", studio_id, STUDIO_NAME, _STUDIO, people
    )
    async with work.writing(key=keys.of_person(subject)) as db:
        await queries.update_ground(db, subject, state=GroundState.READY, used_at=utc_now())


async def _make_player(lab: LabSystems, subject: str, key: str) -> str:
    """Return the account of a role-play member. Its password is stored before the account is made."""
    async with lab.work.reading(key=keys.of_person(subject)) as db:
        player = (await queries.list_players(db, lab.vault, subject)).get(key)
    if player is None:
        player = Player(key, "", f"{USERNAME_PREFIX}{key}_{secrets.token_hex(6)}", {"password": _password()})
        await _save(lab, subject, player)
    if player.user_id:
        return player.user_id
    found = await lab.management.find_user_by_username(player.username)
    if found is None:
        found = await lab.management.create_user(
            username=player.username,
            email=f"{player.username}@{_EMAIL_DOMAIN}",  # Logto may ask an account without one for it
            name=player.name,
            password=player.secrets["password"],
        )
    await _save(lab, subject, Player(key, found.id, player.username, player.secrets))
    return found.id


async def _save(lab: LabSystems, subject: str, player: Player) -> None:
    async with lab.work.writing(key=keys.of_person(subject)) as db:
        await queries.save_player(db, lab.vault, subject, player)


async def _make_organization(
    lab: LabSystems,
    principal: Principal,
    column: str,
    organization_id: str | None,
    name: str,
    roles: Mapping[str, Role],
    people: Mapping[str, str],
) -> None:
    """Make one organization with its members, or complete it."""
    management, subject = lab.management, principal.subject
    made: OrganizationInfo | None = None
    if organization_id is not None:
        made = await management.find_organization(organization_id)
    if made is None:
        mark = {
            MARK: {
                "learner": subject,
                "createdAt": utc_now().isoformat(),
                "application": lab.redirect_uri,  # several installations may share a Logto
            }
        }
        made = await management.create_organization(
            name, "A practice organization of Workroom’s lab", custom_data=mark
        )
        async with lab.work.writing(key=keys.of_person(subject)) as db:
            await queries.update_ground(db, subject, **{column: made.id})
    await management.add_members(made.id, [people[key] for key in roles])
    for key, role in roles.items():
        await management.assign_roles(made.id, people[key], [role.value])
    target = Target("organization", made.id, made.name)
    async with lab.work.writing(made.id) as db:
        await remember_organization(db, made)
        record(db, AuditEntry(Actor.of(principal), Action.ORGANIZATION_CREATE, target, after={"name": name}))


async def get_ground(lab: LabSystems, subject: str) -> Ground:
    """Return the learner's ground. Raises :class:`NoGround` if it is not ready."""
    found = await _find(lab, subject)
    if found is None or found.state is not GroundState.READY:
        raise NoGround(NOT_SET_UP)
    ids = found.organization_ids
    async with lab.work.reading(key=keys.of_person(subject)) as db:
        players = await queries.list_players(db, lab.vault, subject)
    async with lab.work.reading(key=keys.of_organizations(ids)) as db:
        names = await queries.list_names(db, ids)
    workshop, studio = (Place(one, names.get(one, one)) for one in ids)
    return Ground(subject, workshop, studio, players, found.used_at)


async def remove_ground(lab: LabSystems, subject: str, *, unused_since: datetime | None = None) -> bool:
    """Delete the learner's ground in Logto and here. Returns False if there is none.

    With ``unused_since``, a ground that was used after that moment stays. What was predicted and seen is
    deleted too, except in a class. A removal that fails can be repeated. Raises :class:`Busy` and
    :class:`LogtoUnavailable`.
    """
    return await shielded(_remove_alone(lab, subject, unused_since), grace=_SECONDS_TO_FINISH)


async def _remove_alone(lab: LabSystems, subject: str, unused_since: datetime | None) -> bool:
    async with alone(lab, subject), _explained():
        found = await _find(lab, subject)
        if found is None or (unused_since is not None and found.used_at >= unused_since):
            return False
        await _remove(lab, found)
        return True


async def _remove(lab: LabSystems, found: StoredGround) -> None:
    subject = found.subject
    async with lab.work.writing(key=keys.of_person(subject)) as db:
        await queries.update_ground(db, subject, state=GroundState.REMOVING)
        players = await queries.list_players(db, lab.vault, subject)
    await remove_robots(lab.management, subject)
    for organization_id in found.organization_ids:
        await remove_organization(lab, organization_id, subject)
    for player in players.values():
        await _delete_account(lab, player)
    async with lab.work.writing(key=keys.of_person(subject)) as db:
        await queries.delete_runs(db, subject)
        await queries.delete_ground(db, subject)


async def _delete_account(lab: LabSystems, player: Player) -> None:
    """Delete a role-play member at Logto. The id is unknown if Logto's response was lost."""
    user_id = player.user_id
    if not user_id:
        found = await lab.management.find_user_by_username(player.username)
        user_id = found.id if found else ""
    if user_id:
        await ignore_missing(lab.management.delete_user(user_id))


async def remove_organization(lab: LabSystems, organization_id: str, requested_by: str) -> None:
    """Delete an organization of a ground in Logto, and request the removal of its data here."""
    async with lab.work.reading(key=keys.of_organizations([organization_id])) as db:
        name = queries.place(organization_id, await queries.list_names(db, [organization_id])).name
    change = lab.systems.by(Workroom(organization_id))
    async with change.alone() as turn:
        await turn.carry_out(
            AuditEntry(SYSTEM, Action.ORGANIZATION_DELETE, Target("organization", organization_id, name)),
            lambda: ignore_missing(turn.management.delete_organization(organization_id)),
            subjects=[EVERYONE],
            also=lambda db: request_removal(db, organization_id, name, requested_by),
        )


async def _find(lab: LabSystems, subject: str) -> StoredGround | None:
    async with lab.work.reading(key=keys.of_person(subject)) as db:
        return await queries.find_ground(db, subject)


@asynccontextmanager
async def _explained() -> AsyncIterator[None]:
    try:
        yield
    except ManagementError as refusal:
        raise LogtoUnavailable(
            _("Logto did not accept a change of your practice organizations (%(code)s).", code=refusal.code)
        ) from None


def _password() -> str:
    """Return a random password with every kind of character that a password policy may ask for."""
    return f"{secrets.token_urlsafe(18)}-aA7"
