"""Statements for showing invitations: the names of people. Logto stores the invitations."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from saas_app.db.session import DatabaseSession
from saas_app.models import User

_CHUNK = 500  # bound parameters per statement


async def find_names(db: DatabaseSession, user_ids: Collection[str]) -> dict[str, str]:
    """Return people's names for display, by id. People unknown to Workroom are missing."""
    wanted = sorted(set(user_ids))
    names: dict[str, str] = {}
    for start in range(0, len(wanted), _CHUNK):
        rows = await db.execute(
            sa.select(User.id, User.display_name(User.id)).where(User.id.in_(wanted[start : start + _CHUNK]))
        )
        names.update((user_id, name) for user_id, name in rows)
    return names
