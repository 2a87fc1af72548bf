"""The database's clock, which all hosts share, for decisions that depend on the time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from saas_app.db.base import utc_now
from saas_app.db.session import DatabaseSession


def database_now(db: DatabaseSession) -> datetime | sa.ColumnElement[Any]:
    """Return an expression for the current time, to compare with stored times or to add a duration to.

    PostgreSQL uses the server's clock. A SQLite file is used by one host, so the host's clock is used.
    """
    if db.dialect_name == "sqlite":
        return utc_now()
    return sa.func.clock_timestamp(type_=sa.DateTime(timezone=True))
