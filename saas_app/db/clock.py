"""The database's clock: the one that all hosts share, for what they decide by the time together."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from saas_app.db.base import utc_now


def database_now(db: AsyncSession) -> datetime | sa.ColumnElement[Any]:
    """Return the current time for a statement, to compare with stored times or to add a duration to.

    On PostgreSQL it is the server's; a SQLite file is on one host, whose clock it shares.
    """
    if db.get_bind().dialect.name == "sqlite":
        return utc_now()
    return sa.func.clock_timestamp(type_=sa.DateTime(timezone=True))
