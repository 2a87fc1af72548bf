"""Health checks: whether the process is alive, and whether it is ready to serve."""

from __future__ import annotations

import sqlalchemy as sa
from quart import Blueprint, request

from saas_app.errors import DatabaseUnavailable
from saas_app.http_server import is_draining
from saas_app.web.context import runtime
from saas_app.web.guards import public_without_database

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@public_without_database
async def healthz() -> dict[str, str]:
    """Answer 200 while the process is alive."""
    return {"status": "ok"}


@blueprint.get("/readyz")
@public_without_database
async def readyz() -> tuple[dict[str, str], int]:
    """Answer 200 if the database answers, and 503 if it does not or this server is about to stop."""
    if is_draining(request.scope.get("state", {})):
        return {"status": "draining"}, 503
    try:
        async with runtime().work.reading() as session:
            await session.execute(sa.select(1))
    except DatabaseUnavailable:  # the log says why
        return {"status": "unavailable", "database": "unreachable"}, 503
    return {"status": "ok", "database": "ok"}, 200
