"""When changes of projects happen: in an order that pages can rely on, on whatever machine they are made."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from saas_app.db.base import utc_now
from saas_app.models import Project


async def begin_change(db: AsyncSession, organization_id: str) -> None:
    """Let changes of an organization's projects pass one after the other; SQLite has one writer anyway."""
    if db.get_bind().dialect.name == "postgresql":
        name = sa.func.hashtextextended(f"projects:{organization_id}", 0)
        await db.execute(sa.select(sa.func.pg_advisory_xact_lock(name)))


async def find_last_change(db: AsyncSession) -> datetime | None:
    """When a project of the organization, or a task of it, changed last."""
    moment: datetime | None = await db.scalar(sa.select(sa.func.max(Project.updated_at)))
    return moment


async def moment_of_change(db: AsyncSession) -> datetime:
    """The moment of a change that was begun: now, but later than every change before."""
    last = await find_last_change(db)
    return utc_now() if last is None else max(utc_now(), last + timedelta(microseconds=1))
