"""Statements on API clients that were created here. The session adds the tenant."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.models import ApiClient, User


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of a client. ``created_by`` is a name, or an id if the name is unknown."""

    created_by: str
    created_at: datetime
    rotated_at: datetime | None
    last_used_at: datetime | None


async def find_origins(db: DatabaseSession, client_ids: Collection[str]) -> dict[str, Origin]:
    """Return the origins of those clients that were created here, by id, in one statement."""
    statement: sa.Select[*tuple[Any, ...]] = (
        sa.select(
            ApiClient.client_id,
            User.display_name(ApiClient.created_by),
            ApiClient.created_at,
            ApiClient.rotated_at,
            ApiClient.last_used_at,
        )
        .outerjoin(User, User.id == ApiClient.created_by)
        .where(ApiClient.client_id.in_(client_ids))
    )
    return {client_id: Origin(*origin) for client_id, *origin in await db.execute(statement)}


def add_client(db: WritingSession, client_id: str, name: str, created_by: str, now: datetime) -> None:
    """Record a client that was created here."""
    db.add(ApiClient(client_id=client_id, name=name, created_by=created_by, created_at=now))


async def note_rotation(db: WritingSession, client_id: str, now: datetime) -> None:
    """Record that a client has a new secret."""
    statement = sa.update(ApiClient).where(ApiClient.client_id == client_id).values(rotated_at=now)
    await db.execute(statement)
