"""Changes one row by its key, and reports whether the row existed."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from saas_app.db.session import WritingSession


async def changed(
    db: WritingSession, statement: sa.Update | sa.Delete, key: InstrumentedAttribute[Any]
) -> bool:
    """Run an update or delete of at most one row, and return whether there was such a row.

    ``key`` is any column of the table that is never null.
    """
    result = await db.execute(statement.returning(key))
    return result.one_or_none() is not None
