"""Statements on grounds, role-play members and runs of the lab. All rows belong to one learner."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from saas_app.db import keys
from saas_app.db.base import utc_now
from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.db.upsert import insert_if_absent, upsert
from saas_app.identity.vault import Vault
from saas_app.lab.values import Place, Player, Run
from saas_app.models import GroundState, LabGround, LabPlayer, LabRun, Organization


@dataclass(frozen=True, slots=True)
class StoredGround:
    """A ground as stored, at any stage of its making."""

    subject: str
    state: GroundState
    workshop_id: str | None
    studio_id: str | None
    used_at: datetime

    @property
    def organization_ids(self) -> list[str]:
        """The organizations that were made so far."""
        return [found for found in (self.workshop_id, self.studio_id) if found]


_GROUND = (
    LabGround.subject,
    LabGround.state,
    LabGround.admin_organization_id,
    LabGround.viewer_organization_id,
    LabGround.used_at,
)


async def find_ground(db: DatabaseSession, subject: str) -> StoredGround | None:
    """Return a learner's ground, or None."""
    row = (await db.execute(sa.select(*_GROUND).where(LabGround.subject == subject))).one_or_none()
    return None if row is None else StoredGround(*row)


async def find_ground_with_player(
    db: DatabaseSession, subject: str, key: str
) -> tuple[StoredGround | None, str | None]:
    """Return a learner's ground and the account of one of its role-play members, or None for either."""
    is_theirs = sa.and_(LabPlayer.subject == LabGround.subject, LabPlayer.name == key)
    joined = sa.select(*_GROUND, LabPlayer.user_id).outerjoin(LabPlayer, is_theirs)
    row = (await db.execute(joined.where(LabGround.subject == subject))).one_or_none()
    return (None, None) if row is None else (StoredGround(*row[:-1]), row[-1])


async def list_grounds_unused_since(db: DatabaseSession, moment: datetime) -> list[str]:
    """Return the learners who have not used their ground since ``moment``. The session is that of jobs."""
    statement = sa.select(LabGround.subject).where(LabGround.used_at < moment).order_by(LabGround.used_at)
    return list(await db.scalars(statement))


async def list_organization_ids(db: DatabaseSession) -> set[str]:
    """Return the organizations of all grounds. The session is that of jobs."""
    rows = await db.execute(sa.select(LabGround.admin_organization_id, LabGround.viewer_organization_id))
    return {found for row in rows for found in row if found}


async def begin_ground(db: WritingSession, subject: str) -> None:
    """Store that a learner's ground is being made. A ground that exists stays as it is."""
    now = utc_now()
    row = {"subject": subject, "state": GroundState.BUILDING, "created_at": now, "used_at": now}
    await insert_if_absent(db, LabGround, row, key=("subject",))


async def update_ground(db: WritingSession, subject: str, **values: Any) -> None:
    """Set columns of a learner's ground."""
    await db.execute(sa.update(LabGround).where(LabGround.subject == subject).values(**values))


async def delete_ground(db: WritingSession, subject: str) -> None:
    """Delete a learner's ground and its role-play members."""
    await db.execute(sa.delete(LabPlayer).where(LabPlayer.subject == subject))
    await db.execute(sa.delete(LabGround).where(LabGround.subject == subject))


async def list_names(db: DatabaseSession, organization_ids: list[str]) -> dict[str, str]:
    """Return the names of organizations, by id. The session's key names them."""
    found = sa.select(Organization.id, Organization.name).where(Organization.id.in_(organization_ids))
    return {row.id: row.name for row in await db.execute(found)}


async def list_players(db: DatabaseSession, vault: Vault, subject: str) -> dict[str, Player]:
    """Return a learner's role-play members by their keys, with their secrets."""
    rows = await db.execute(
        sa.select(LabPlayer.name, LabPlayer.user_id, LabPlayer.username, LabPlayer.secrets).where(
            LabPlayer.subject == subject
        )
    )
    return {
        row.name: Player(row.name, row.user_id, row.username, json.loads(vault.open(row.secrets)))
        for row in rows
    }


async def save_player(db: WritingSession, vault: Vault, subject: str, player: Player) -> None:
    """Store a role-play member."""
    row = {
        "subject": subject,
        "name": player.key,
        "user_id": player.user_id,
        "username": player.username,
        "secrets": vault.seal(json.dumps(dict(player.secrets))),
    }
    await upsert(db, LabPlayer, [row], key=("subject", "name"))


async def save_secrets(
    work: UnitOfWork, vault: Vault, subject: str, key: str, secrets: Mapping[str, Any]
) -> None:
    """Store the secrets of a role-play member, in a transaction of its own: a lost token ends a grant."""
    sealed = vault.seal(json.dumps(dict(secrets)))
    async with work.writing(key=keys.of_person(subject)) as db:
        await db.execute(
            sa.update(LabPlayer)
            .where(LabPlayer.subject == subject, LabPlayer.name == key)
            .values(secrets=sealed)
        )


async def list_runs(db: DatabaseSession, subject: str) -> dict[str, Run]:
    """Return a learner's runs by lesson, without what they saw."""
    columns = (LabRun.lesson, LabRun.prediction, LabRun.predicted_at, LabRun.answer, LabRun.done_at)
    rows = await db.execute(sa.select(*columns).where(LabRun.subject == subject))
    return {row.lesson: Run(**row._asdict()) for row in rows}


async def find_run(db: DatabaseSession, subject: str, lesson: str) -> Run | None:
    """Return a learner's run of a lesson, with what it saw."""
    columns = (
        LabRun.lesson,
        LabRun.prediction,
        LabRun.predicted_at,
        LabRun.class_code,
        LabRun.before,
        LabRun.evidence,
        LabRun.answer,
        LabRun.done_at,
    )
    statement = sa.select(*columns).where(LabRun.subject == subject, LabRun.lesson == lesson)
    row = (await db.execute(statement)).one_or_none()
    return None if row is None else Run(**row._asdict())


async def add_prediction(
    db: WritingSession,
    subject: str,
    lesson: str,
    prediction: str,
    before: Mapping[str, Any],
    class_code: str | None,
) -> bool:
    """Store a prediction. Returns False if there is one already, which stays."""
    row = {
        "subject": subject,
        "lesson": lesson,
        "prediction": prediction,
        "predicted_at": utc_now(),
        "before": dict(before),
        "class_code": class_code,
    }
    return await insert_if_absent(db, LabRun, row, key=("subject", "lesson"))


async def replace_before(db: WritingSession, subject: str, lesson: str, before: Mapping[str, Any]) -> None:
    """Store what a lesson saw when it prepared the ground again."""
    await db.execute(
        sa.update(LabRun)
        .where(LabRun.subject == subject, LabRun.lesson == lesson)
        .values(before=dict(before))
    )


async def save_evidence(
    db: WritingSession, subject: str, lesson: str, evidence: Mapping[str, Any], answer: str
) -> None:
    """Store what a lesson saw, and the answer that follows."""
    await db.execute(
        sa.update(LabRun)
        .where(LabRun.subject == subject, LabRun.lesson == lesson)
        .values(evidence=dict(evidence), answer=answer, done_at=utc_now())
    )


async def forget_evidence(db: WritingSession, subject: str, lesson: str, before: Mapping[str, Any]) -> None:
    """Delete what a lesson saw, and store what it compares with when it is played again."""
    await db.execute(
        sa.update(LabRun)
        .where(LabRun.subject == subject, LabRun.lesson == lesson)
        .values(before=dict(before), evidence=sa.null(), answer=None, done_at=None)
    )


async def delete_runs(db: WritingSession, subject: str) -> None:
    """Delete what a learner predicted and saw, except what was predicted in a class."""
    await db.execute(sa.delete(LabRun).where(LabRun.subject == subject, LabRun.class_code.is_(None)))


def place(organization_id: str, names: Mapping[str, str]) -> Place:
    """Return an organization with its name, or with its id if the name is not known."""
    return Place(organization_id, names.get(organization_id, organization_id))
