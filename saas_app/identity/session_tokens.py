"""The tokens of a session, encrypted: a refresh token, an ID token, and one access token per audience."""

from __future__ import annotations

import json
import uuid

import sqlalchemy as sa

from saas_app.db import keys
from saas_app.db.base import utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.db.upsert import upsert
from saas_app.identity.former_members import note_refused
from saas_app.identity.session_access import CachedToken, Refusal
from saas_app.identity.vault import Vault
from saas_app.models import SessionRow, SessionToken


class SessionTokens:
    """Stores the tokens of sessions. Each method runs in its own short unit of work."""

    def __init__(self, work: UnitOfWork, vault: Vault) -> None:
        self._work = work
        self._vault = vault

    async def find_refresh_token(self, session_id: uuid.UUID) -> str | None:
        """Return the session's refresh token, decrypted, or None."""
        async with self._work.reading(key=keys.of_session(session_id)) as db:
            sealed = await db.scalar(sa.select(SessionRow.refresh_token).where(SessionRow.id == session_id))
        return self._vault.open(sealed) if sealed else None

    async def save_refresh_token(self, session_id: uuid.UUID, refresh_token: str) -> None:
        """Store a new refresh token. Always do this before anything else with a token response."""
        await self._update(session_id, refresh_token=self._vault.seal(refresh_token))

    async def get_id_token(self, session_id: uuid.UUID) -> str:
        """Return the latest verified ID token of the session, or "" if the session has ended."""
        async with self._work.reading(key=keys.of_session(session_id)) as db:
            sealed = await db.scalar(sa.select(SessionRow.id_token).where(SessionRow.id == session_id))
        return self._vault.open(sealed) if sealed else ""

    async def save_id_token(self, session_id: uuid.UUID, id_token: str) -> None:
        """Store a verified ID token from a refresh."""
        await self._update(session_id, id_token=self._vault.seal(id_token))

    async def save_token(
        self, session_id: uuid.UUID, organization_id: str, cached: CachedToken, token: str | None
    ) -> None:
        """Store what Logto granted or refused for one audience. ``token`` is None for a refusal."""
        row = {
            "session_id": session_id,
            "audience": cached.audience,
            "organization_id": organization_id,
            "token": self._vault.seal(token) if token else None,
            "scopes": " ".join(sorted(cached.scopes)),
            "role_names": json.dumps(sorted(cached.role_names)),
            "refusal": cached.refusal,
            "fetched_at": cached.fetched_at,
            "expires_at": cached.expires_at,
            "membership_version": cached.membership_version,
        }
        key = keys.of_session(session_id)
        async with self._work.writing(organization_id or None, key=key) as db:
            if cached.refusal is Refusal.NOT_A_MEMBER:
                await note_refused(db, session_id, organization_id, cached.fetched_at)
            await upsert(db, SessionToken, [row], key=("session_id", "audience"))

    async def find_token(self, session_id: uuid.UUID, audience: str) -> str | None:
        """Return a cached token, decrypted, or None if there is no valid one."""
        statement = sa.select(SessionToken.token).where(
            SessionToken.session_id == session_id,
            SessionToken.audience == audience,
            SessionToken.expires_at > utc_now(),
        )
        async with self._work.reading(key=keys.of_session(session_id)) as db:
            sealed = await db.scalar(statement)
        return self._vault.open(sealed) if sealed else None

    async def forget_tokens(self, session_id: uuid.UUID, organization_id: str) -> None:
        """Delete the cached tokens for one organization, so that the next request fetches new ones."""
        async with self._work.writing(key=keys.of_session(session_id)) as db:
            await db.execute(
                sa.delete(SessionToken).where(
                    SessionToken.session_id == session_id,
                    SessionToken.organization_id == organization_id,
                )
            )

    async def _update(self, session_id: uuid.UUID, **values: bytes) -> None:
        async with self._work.writing(key=keys.of_session(session_id)) as db:
            await db.execute(sa.update(SessionRow).where(SessionRow.id == session_id).values(**values))
