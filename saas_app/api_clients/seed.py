"""Records the demo's API client as one that was created here."""

from __future__ import annotations

from saas_app.api_clients import queries
from saas_app.db.base import utc_now
from saas_app.db.session import WritingSession


async def remember_client(db: WritingSession, client_id: str, name: str, created_by: str) -> None:
    """Record a client, unless it is known. ``db`` is a writing session bound to the organization."""
    if client_id not in await queries.find_origins(db, [client_id]):
        queries.add_client(db, client_id, name, created_by, utc_now())
