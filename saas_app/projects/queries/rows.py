"""Changing one row by its key."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute


async def changed(
    db: AsyncSession, statement: sa.Update | sa.Delete, key: InstrumentedAttribute[uuid.UUID]
) -> bool:
    """Run an update or delete of one row by its key, and return whether there was such a row."""
    result = await db.execute(statement.returning(key), execution_options={"synchronize_session": False})
    return result.one_or_none() is not None
