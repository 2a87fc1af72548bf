"""Notes when an API client was last used, for the page that lists API clients.

A client's requests are noted once in a quarter of an hour. So almost no request writes, and a client that
nobody uses can be told from one that works.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
import structlog

from saas_app.db.base import utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.models import ApiClient

log = structlog.get_logger(__name__)

NOTED_EVERY: Final = timedelta(minutes=15)


async def note_use(work: UnitOfWork, organization_id: str, client_id: str, noted_at: datetime | None) -> None:
    """Record that a client is used now, unless that was noted recently. Raises no database errors."""
    now = utc_now()
    if noted_at is not None and now - noted_at < NOTED_EVERY:
        return
    statement = sa.update(ApiClient).where(ApiClient.client_id == client_id).values(last_used_at=now)
    try:
        async with work.writing(organization_id) as db:
            await db.execute(statement)
    except Exception:
        log.warning("the use of an API client was not noted", client_id=client_id, exc_info=True)
