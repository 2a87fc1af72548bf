"""Sign-ins in progress: one row per ``state``, bound to the browser by a cookie.

So two tabs can sign in at once, a callback in another browser is rejected, and each callback is processed
once. Its outcome is stored until the attempt expires: if the callback is opened again (reload, *Back*, double
click), it leads to the same page without exchanging the code again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError

from saas_app.db.base import utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import SignInFailed
from saas_app.identity.logto_messages import GrantedTokens
from saas_app.identity.vault import Vault, fingerprint
from saas_app.models import SignInAttemptRow
from saas_app.text.translation import _

LIFETIME: Final = timedelta(hours=1)  # of an interaction at Logto 1.42
_POLL_INTERVAL: Final = 0.1  # seconds between two reads of an outcome that another request will store

_UNKNOWN_ATTEMPT: Final = _(
    "This sign-in has already been used, has expired, or was started in another browser."
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in that has begun, with the values that its callback must match.

    ``sdk_session`` is what the SDK stores between the two requests: redirect URI, code verifier and state.
    ``renewed_for`` is the reason for a renewal, or None for a sign-in. ``asked_at`` is when the browser was
    sent to Logto, in Unix seconds of our clock. ``is_narrowed``: the request named an organization.
    ``granted`` are the tokens for the callback's code, which can be exchanged once, if Logto failed to
    respond after that.
    """

    nonce: str
    sdk_session: str = field(repr=False)
    next_path: str
    renewed_for: str | None
    asked_at: float
    is_narrowed: bool = False
    granted: GrantedTokens | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a callback: the next page, the person and their session.

    ``session_cookie`` is None if the session already existed. ``claims`` come from the ID token.
    """

    next_path: str
    subject: str
    session_id: UUID
    session_cookie: str | None = field(repr=False)
    at: datetime
    claims: Mapping[str, Any]


_STORED: Final[TypeAdapter[Attempt | Outcome]] = TypeAdapter(Attempt | Outcome)


class Attempts:
    """Stores sign-in attempts and their outcomes, encrypted."""

    def __init__(self, work: UnitOfWork, vault: Vault, *, patience: float) -> None:
        self._work = work
        self._vault = vault
        self._patience = patience  # seconds to wait for the request that processes the callback

    async def begin(self, state: str, browser_cookie: str, attempt: Attempt) -> None:
        """Store an attempt until its callback."""
        now = utc_now()
        row = SignInAttemptRow(
            state_hash=fingerprint(state),
            browser_hash=fingerprint(browser_cookie),
            payload=self._seal(attempt),
            expires_at=now + LIFETIME,
        )
        async with self._work.writing() as db:
            await db.execute(sa.delete(SignInAttemptRow).where(SignInAttemptRow.expires_at < now))
            db.add(row)

    async def take(self, state: str, browser_cookie: str) -> Attempt | Outcome:
        """Return the attempt to the first request, which completes it, and its outcome to later ones.

        Raises :class:`SignInFailed` if this browser started no such attempt.
        """
        its_own = self._its_own(state, browser_cookie)
        take = (
            sa.update(SignInAttemptRow)
            .where(its_own, SignInAttemptRow.taken_at.is_(None))
            .values(taken_at=utc_now())
            .returning(SignInAttemptRow.payload)
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
                raise SignInFailed(_UNKNOWN_ATTEMPT)
            await asyncio.sleep(_POLL_INTERVAL)

    async def finish(self, state: str, outcome: Outcome) -> None:
        """Replace the attempt's secrets with its outcome."""
        await self._update(state, payload=self._seal(outcome))

    async def give_back(self, state: str, attempt: Attempt) -> None:
        """Let the callback be opened again, because Logto did not respond the first time."""
        await self._update(state, taken_at=None, payload=self._seal(attempt))

    async def forget(self, state: str) -> None:
        """Delete an attempt that failed."""
        async with self._work.writing() as db:
            await db.execute(
                sa.delete(SignInAttemptRow).where(SignInAttemptRow.state_hash == fingerprint(state))
            )

    async def _find_outcome(self, its_own: sa.ColumnElement[bool]) -> Outcome | None:
        """Return the outcome of an attempt, or None while it is not known. Raises :class:`SignInFailed`."""
        async with self._work.reading() as db:
            sealed = await db.scalar(sa.select(SignInAttemptRow.payload).where(its_own))
        if sealed is None:
            raise SignInFailed(_UNKNOWN_ATTEMPT)
        found = self._open(sealed)
        return found if isinstance(found, Outcome) else None

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

    def _seal(self, stored: Attempt | Outcome) -> bytes:
        return self._vault.seal(_STORED.dump_json(stored).decode())

    def _open(self, sealed: bytes) -> Attempt | Outcome:
        """Decrypt a stored value. One of another release, or of a key that was removed, counts as expired."""
        content = self._vault.find(sealed)
        if content is None:
            raise SignInFailed(_UNKNOWN_ATTEMPT)
        try:
            return _STORED.validate_json(content)
        except ValidationError:
            raise SignInFailed(_UNKNOWN_ATTEMPT) from None
