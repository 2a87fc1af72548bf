"""New secrets, which can be shown again for a minute when their page is reloaded.

A page that is the response to a form cannot be reloaded without sending the form again. So the form redirects
to a page that shows the secret from here. It is encrypted, readable by the session that created it only, and
deleted with the session, or by the first request after it expired.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from saas_app.db import keys
from saas_app.db.base import utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.db.upsert import upsert
from saas_app.identity.vault import Vault
from saas_app.models import ShownSecretRow

SHOWN_FOR: Final = timedelta(seconds=60)


class ShownSecrets:
    """Stores secrets that were just shown, encrypted."""

    def __init__(self, work: UnitOfWork, vault: Vault) -> None:
        self._work = work
        self._vault = vault

    async def put(self, session_id: UUID, name: str, content: Mapping[str, Any]) -> None:
        """Let this session read ``content`` by this name for a minute. Replaces older content."""
        now = utc_now()
        row = {
            "session_id": session_id,
            "name": name,
            "payload": self._vault.seal(json.dumps(dict(content))),
            "expires_at": now + SHOWN_FOR,
        }
        async with self._work.writing(key=keys.of_session(session_id)) as db:
            await db.execute(sa.delete(ShownSecretRow).where(ShownSecretRow.expires_at < now))
            await upsert(db, ShownSecretRow, [row], key=("session_id", "name"))

    async def find(self, session_id: UUID, name: str) -> dict[str, Any] | None:
        """Return what this session stored by a name, or None after a minute and for other sessions."""
        async with self._work.writing(key=keys.of_session(session_id)) as db:
            await db.execute(sa.delete(ShownSecretRow).where(ShownSecretRow.expires_at < utc_now()))
            sealed = await db.scalar(
                sa.select(ShownSecretRow.payload).where(
                    ShownSecretRow.session_id == session_id, ShownSecretRow.name == name
                )
            )
        content: dict[str, Any] | None = json.loads(self._vault.open(sealed)) if sealed else None
        return content
