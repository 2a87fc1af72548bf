"""Sign-ins that are under way: one row a ``state``, bound to the browser by a cookie.

So two tabs both succeed, another browser's callback is refused, and each callback is carried out once. What
it led to is remembered as long as the attempt would have lived: a callback that is opened again, by reload,
*Back* or a double click, leads where the first one did, and never exchanges anything twice.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from saas_app.db.base import utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import SignInFailed
from saas_app.identity.vault import Vault, fingerprint
from saas_app.models import SignInAttemptRow

LIFETIME: Final = timedelta(hours=1)  # as long as Logto keeps an interaction
_POLL_INTERVAL: Final = 0.1  # seconds between two looks at what another request is finishing

_NOT_OURS: Final = "This sign-in has already been used, has expired, or was started in another browser."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a callback led to: where, who, in which session, and under which cookie where it set one.

    ``claims`` are those of the ID token it brought.
    """

    next_path: str
    subject: str
    session_id: UUID
    session_cookie: str | None
    at: datetime
    claims: Mapping[str, Any]


class Attempts:
    """Attempts in SQL, sealed."""

    def __init__(self, work: UnitOfWork, vault: Vault, *, patience: float) -> None:
        self._work = work
        self._vault = vault
        self._patience = patience  # seconds a callback may take

    async def begin(self, state: str, browser_cookie: str, payload: dict[str, Any]) -> None:
        """Remember an attempt until its callback."""
        now = utc_now()
        row = SignInAttemptRow(
            state_hash=fingerprint(state),
            browser_hash=fingerprint(browser_cookie),
            payload=self._seal(payload),
            expires_at=now + LIFETIME,
        )
        async with self._work.writing() as db:
            await db.execute(sa.delete(SignInAttemptRow).where(SignInAttemptRow.expires_at < now))
            db.add(row)

    async def take(self, state: str, browser_cookie: str) -> dict[str, Any] | Outcome:
        """The attempt, for the one request that carries it out; or what another request made of it.

        Raises :class:`SignInFailed` where there is none of this browser.
        """
        its_own = self._its_own(state, browser_cookie)
        take = (
            sa.update(SignInAttemptRow)
            .where(its_own, SignInAttemptRow.taken_at.is_(None))
            .values(taken_at=utc_now())
            .returning(SignInAttemptRow.payload)
            .execution_options(synchronize_session=False)
        )
        deadline = utc_now() + timedelta(seconds=self._patience)
        while True:
            async with self._work.writing() as db:
                sealed = await db.scalar(take)
            if sealed is not None:
                return self._open(sealed)
            outcome = await self._find_outcome(its_own)
            if outcome is not None:
                return outcome
            if utc_now() > deadline:
                raise SignInFailed(_NOT_OURS)
            await asyncio.sleep(_POLL_INTERVAL)

    async def finish(self, state: str, outcome: Outcome) -> None:
        """Replace the attempt's secrets by what it led to."""
        values = {
            "next": outcome.next_path,
            "subject": outcome.subject,
            "session_id": str(outcome.session_id),
            "session_cookie": outcome.session_cookie,
            "at": outcome.at.isoformat(),
            "claims": dict(outcome.claims),
        }
        await self._update(state, payload=self._seal({"outcome": values}))

    async def give_back(self, state: str) -> None:
        """Let the callback be opened again, because Logto did not answer the first time."""
        await self._update(state, taken_at=None)

    async def forget(self, state: str) -> None:
        """Remove an attempt that came to nothing."""
        async with self._work.writing() as db:
            await db.execute(
                sa.delete(SignInAttemptRow).where(SignInAttemptRow.state_hash == fingerprint(state))
            )

    async def _find_outcome(self, its_own: sa.ColumnElement[bool]) -> Outcome | None:
        """What became of a taken attempt; None while that is not known. Raises :class:`SignInFailed`."""
        async with self._work.reading() as db:
            sealed = await db.scalar(sa.select(SignInAttemptRow.payload).where(its_own))
        if sealed is None:
            raise SignInFailed(_NOT_OURS)
        found = self._open(sealed).get("outcome")
        if found is None:
            return None
        return Outcome(
            found["next"],
            found["subject"],
            UUID(found["session_id"]),
            found["session_cookie"],
            datetime.fromisoformat(found["at"]),
            found["claims"],
        )

    async def _update(self, state: str, **values: Any) -> None:
        which = SignInAttemptRow.state_hash == fingerprint(state)
        async with self._work.writing() as db:
            await db.execute(sa.update(SignInAttemptRow).where(which).values(**values))

    @staticmethod
    def _its_own(state: str, browser_cookie: str) -> sa.ColumnElement[bool]:
        return sa.and_(
            SignInAttemptRow.state_hash == fingerprint(state),
            SignInAttemptRow.browser_hash == fingerprint(browser_cookie),
            SignInAttemptRow.expires_at > utc_now(),
        )

    def _seal(self, payload: dict[str, Any]) -> bytes:
        return self._vault.seal(json.dumps(payload))

    def _open(self, sealed: bytes) -> dict[str, Any]:
        payload: dict[str, Any] = json.loads(self._vault.open(sealed))
        return payload
