"""Whether the process lives, and whether it can serve."""

from __future__ import annotations

import sqlalchemy as sa
import structlog
from quart import Blueprint
from sqlalchemy.exc import SQLAlchemyError

from saas_app.web.context import runtime
from saas_app.web.guards import public_without_database

blueprint = Blueprint("health", __name__)
log = structlog.get_logger(__name__)


@blueprint.get("/healthz")
@public_without_database
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@blueprint.get("/readyz")
@public_without_database
async def readyz() -> tuple[dict[str, str], int]:
    """The database answers; 503 when it does not."""
    try:
        async with runtime().work.reading() as session:
            await session.execute(sa.select(1))
    except (SQLAlchemyError, OSError):
        log.warning("the database does not answer", exc_info=True)
        return {"status": "unavailable", "database": "unreachable"}, 503
    return {"status": "ok", "database": "ok"}, 200
