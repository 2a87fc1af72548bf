"""Server-side sessions: one row per signed-in browser, from sign-in to sign-out.

The cookie holds 256 random bits and nothing else; the database holds their hash. ``session_access`` has the
statement that every request uses to read its session, and ``session_tokens`` the session's tokens.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog

from saas_app.db import keys
from saas_app.db.base import new_uuid, utc_now
from saas_app.db.keys import Key
from saas_app.db.rows import changed
from saas_app.db.session import WritingSession
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.db.writers import PATIENCE
from saas_app.errors import DatabaseBusy
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.session_access import (
    ACCESS_BY_COOKIE,
    ACCESS_BY_ID,
    NO_ORGANIZATION,
    SessionAccess,
    as_access,
)
from saas_app.identity.vault import Vault, fingerprint, new_cookie_value
from saas_app.models import SessionRow, SessionToken, ShownSecretRow

log = structlog.get_logger(__name__)

__all__ = ["NewSession", "OwnSession", "SessionAccess", "SessionStore"]

_TOUCH_INTERVAL = timedelta(seconds=60)  # how often an active session updates its last_seen_at
_TOUCH_PATIENCE = 0.2  # seconds; a page does not wait longer than this for a busy database


@dataclass(frozen=True, slots=True)
class OwnSession:
    """A session in the list on its owner's account page.

    ``sso_connector_id`` is the enterprise connector through which its owner signed in, if they did.
    """

    id: uuid.UUID
    created_at: datetime
    last_seen_at: datetime
    user_agent: str
    address: str
    logto_session_id: str | None
    is_current: bool
    sso_connector_id: str | None = None


@dataclass(frozen=True, slots=True)
class NewSession:
    """The result of a sign-in or a renewal.

    ``logto_session_id`` is the ID token's ``sid``, if it has one. ``authenticated_at`` is when Logto last
    authenticated the person, if the ID token says so. ``renewed_for`` is the reason for a renewal.
    ``sso_connector_id`` is the enterprise connector through which Logto authenticated them, if it did.
    """

    subject: str
    logto_session_id: str | None
    id_token: str
    refresh_token: str | None
    user_agent: str
    address: str
    authenticated_at: datetime | None = None
    renewed_for: str | None = None
    sso_connector_id: str | None = None


class SessionStore:
    """Stores sessions. Each method runs in its own short unit of work."""

    def __init__(self, work: UnitOfWork, vault: Vault, *, idle_timeout: int, absolute_timeout: int) -> None:
        self._work = work
        self._vault = vault
        self._idle = timedelta(seconds=idle_timeout)
        self._absolute = timedelta(seconds=absolute_timeout)

    async def create(self, new: NewSession) -> tuple[uuid.UUID, str]:
        """Store a session under a new id. Returns the id and the value for the cookie."""
        cookie, now = new_cookie_value(), utc_now()
        row = SessionRow(
            id=new_uuid(),
            cookie_hash=fingerprint(cookie),
            subject=new.subject,
            logto_session_id=new.logto_session_id,
            id_token=self._vault.seal(new.id_token),
            refresh_token=self._vault.seal(new.refresh_token) if new.refresh_token else None,
            created_at=now,
            last_seen_at=now,
            expires_at=now + self._absolute,
            granted_at=now,
            authenticated_at=new.authenticated_at,
            renewed_for=new.renewed_for,
            user_agent=new.user_agent[:256],
            address=new.address[:64],
            sso_connector_id=new.sso_connector_id,
        )
        async with self._work.writing(key=keys.of_session(row.id)) as db:
            await db.execute(sa.delete(SessionRow).where(SessionRow.expires_at < now))
            db.add(row)
        return row.id, cookie

    async def find_access(self, cookie: str, organization_id: str | None) -> SessionAccess | None:
        """Return the live session of a cookie, read in one statement, or None."""
        if not cookie:
            return None
        hashed = fingerprint(cookie)
        key = keys.of_cookie(hashed)
        return await self._read_access(ACCESS_BY_COOKIE, hashed, key, organization_id)

    async def find_access_by_id(
        self, session_id: uuid.UUID, organization_id: str | None
    ) -> SessionAccess | None:
        """Return the live session with this id, or None. Used to read it again while tokens are refreshed."""
        key = keys.of_session(session_id)
        return await self._read_access(ACCESS_BY_ID, session_id, key, organization_id)

    async def _read_access(
        self, statement: sa.Select[*tuple[Any, ...]], value: Any, key: Key, organization_id: str | None
    ) -> SessionAccess | None:
        now = utc_now()
        values = {
            "key": value,
            "organization_id": organization_id or NO_ORGANIZATION,
            "now": now,
            "seen_after": now - self._idle,
        }
        async with self._work.reading(organization_id or NO_ORGANIZATION, key=key) as db:
            rows = (await db.execute(statement, values)).all()
        return as_access(rows) if rows else None

    async def touch(self, access: SessionAccess, organization_id: str | None) -> None:
        """Record that the session was used, at most once a minute, and in which organization.

        If the database is busy, this is skipped.
        """
        now = utc_now()
        moved = organization_id is not None and organization_id != access.last_organization_id
        if now - access.last_seen_at < _TOUCH_INTERVAL and not moved:
            return
        values: dict[str, Any] = {"last_seen_at": now}
        if moved:
            values["last_organization_id"] = organization_id
        try:
            await self.update(access.principal.session_id, patience=_TOUCH_PATIENCE, **values)
            async with self._work.writing(patience=_TOUCH_PATIENCE) as db:  # expired rows need no key
                await db.execute(sa.delete(ShownSecretRow).where(ShownSecretRow.expires_at < now))
        except DatabaseBusy:
            log.info("the session's last use is not recorded, because the database is busy")

    async def update(self, session_id: uuid.UUID, *, patience: float = PATIENCE, **values: Any) -> None:
        """Set columns of one session. ``patience`` is how many seconds to wait for a turn to write."""
        async with self._work.writing(key=keys.of_session(session_id), patience=patience) as db:
            await db.execute(sa.update(SessionRow).where(SessionRow.id == session_id).values(**values))

    async def renew(self, session_id: uuid.UUID, tokens: NewSession) -> bool:
        """Give the session a new grant: replace its tokens and delete the cached tokens of the old grant.

        Returns False if the session no longer exists. ``authenticated_at`` does not change, because Logto did
        not authenticate the person again.
        """
        async with self._work.writing(key=keys.of_session(session_id)) as db:
            renewal = (
                sa.update(SessionRow)
                .where(SessionRow.id == session_id)
                .values(
                    id_token=self._vault.seal(tokens.id_token),
                    logto_session_id=tokens.logto_session_id,
                    refresh_token=self._vault.seal(tokens.refresh_token) if tokens.refresh_token else None,
                    granted_at=utc_now(),
                    renewed_for=tokens.renewed_for,
                    sso_connector_id=tokens.sso_connector_id,
                )
            )
            if not await changed(db, renewal, SessionRow.id):
                return False
            await db.execute(sa.delete(SessionToken).where(SessionToken.session_id == session_id))
        return True

    async def find_logto_session_id(self, session_id: uuid.UUID) -> str | None:
        """Return the ``sid`` of the browser's session at Logto, or None if no ID token named it."""
        async with self._work.reading(key=keys.of_session(session_id)) as db:
            statement = sa.select(SessionRow.logto_session_id).where(SessionRow.id == session_id)
            found: str | None = await db.scalar(statement)
        return found

    async def list_own(self, principal: SessionPrincipal) -> list[OwnSession]:
        """Return the person's live sessions, most recently used first, at most 100."""
        now = utc_now()
        statement = (
            sa.select(
                SessionRow.id,
                SessionRow.created_at,
                SessionRow.last_seen_at,
                SessionRow.user_agent,
                SessionRow.address,
                SessionRow.logto_session_id,
                SessionRow.sso_connector_id,
            )
            .where(
                SessionRow.subject == principal.subject,
                SessionRow.expires_at > now,
                SessionRow.last_seen_at > now - self._idle,
            )
            .order_by(SessionRow.last_seen_at.desc())
            .limit(100)
        )
        async with self._work.reading(key=keys.of_person(principal.subject)) as db:
            rows = (await db.execute(statement)).all()
        return [OwnSession(**row._asdict(), is_current=row.id == principal.session_id) for row in rows]

    async def end_all(self, subject: str, *, but: uuid.UUID | None = None) -> int:
        """End all sessions of a person except ``but``. Returns how many were live."""
        now = utc_now()
        all_of_them = [SessionRow.subject == subject]
        if but is not None:
            all_of_them.append(SessionRow.id != but)
        live = sa.and_(SessionRow.expires_at > now, SessionRow.last_seen_at > now - self._idle)
        async with self._work.writing(key=keys.of_person(subject)) as db:
            count = await db.scalar(sa.select(sa.func.count()).where(*all_of_them, live))
            await db.execute(sa.delete(SessionRow).where(*all_of_them))
        return count or 0

    async def list_session_ids(self, subject: str) -> list[uuid.UUID]:
        """Return the ids of all sessions of a person, including expired ones."""
        async with self._work.reading(key=keys.of_person(subject)) as db:
            return list(await db.scalars(sa.select(SessionRow.id).where(SessionRow.subject == subject)))

    async def forget(self, session_id: uuid.UUID) -> None:
        """Delete a session whose grant has ended."""
        async with self._work.writing(key=keys.of_session(session_id)) as db:
            await db.execute(sa.delete(SessionRow).where(SessionRow.id == session_id))

    @staticmethod
    def key_at_logto(*, subject: str | None, sid: str | None) -> Key:
        """Return the key of the sessions that ended at Logto, for :meth:`end_at_logto`."""
        if subject is not None:
            return keys.of_person(subject)
        if sid is not None:
            return keys.of_logto_session(sid)
        raise ValueError("subject or sid is required")

    async def end_at_logto(self, db: WritingSession, *, subject: str | None, sid: str | None) -> int:
        """End the sessions that ended at Logto, in a transaction with :meth:`key_at_logto`. Returns how many.

        Without ``sid``, all sessions of ``subject`` end; without ``subject``, those of ``sid``. With both,
        the person's sessions of ``sid`` end, and those whose ``sid`` is not known.
        """
        its_own = SessionRow.logto_session_id == sid if sid is not None else sa.true()
        if subject is None:
            which = its_own
        else:
            which = sa.and_(
                SessionRow.subject == subject, sa.or_(its_own, SessionRow.logto_session_id.is_(None))
            )
        ended = await db.execute(sa.delete(SessionRow).where(which))
        return int(getattr(ended, "rowcount", 0))

    async def end(self, session_id: uuid.UUID, *, subject: str) -> bool:
        """End one session of this person, with its tokens. Returns False if they have no such session."""
        async with self._work.writing(key=keys.of_person(subject)) as db:
            own = sa.delete(SessionRow).where(SessionRow.id == session_id, SessionRow.subject == subject)
            return await changed(db, own, SessionRow.id)
