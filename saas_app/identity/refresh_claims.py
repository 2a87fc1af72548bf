"""The claim in a session's row: which worker may refresh its tokens now, and until when."""

from __future__ import annotations

import uuid
from datetime import timedelta
from enum import Enum, auto

import sqlalchemy as sa

from saas_app.db.clock import database_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.models import SessionRow


class Claim(Enum):
    """Who may refresh a session's tokens now. ``PAUSED``: nobody, because an attempt has just failed."""

    OURS = auto()
    ANOTHERS = auto()
    PAUSED = auto()


class RefreshClaims:
    """Claims in SQL, by the clock of the database."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work

    async def claim(self, session_id: uuid.UUID, owner: uuid.UUID, seconds: float) -> Claim:
        """Claim the right to refresh this session's tokens, or extend an own claim, for ``seconds``.

        Only one worker holds it. It ends by itself when the worker that holds it dies.
        """
        async with self._work.writing() as db:
            now = database_now(db)
            claimed = await db.execute(
                sa.update(SessionRow)
                .where(
                    SessionRow.id == session_id,
                    sa.or_(
                        SessionRow.refresh_until.is_(None),
                        SessionRow.refresh_until < now,
                        SessionRow.refresh_owner == owner,
                    ),
                )
                .values(refresh_owner=owner, refresh_until=now + timedelta(seconds=seconds))
                .execution_options(synchronize_session=False)
            )
            if getattr(claimed, "rowcount", 0):
                return Claim.OURS
            holder = await db.scalar(sa.select(SessionRow.refresh_owner).where(SessionRow.id == session_id))
        return Claim.ANOTHERS if holder is not None else Claim.PAUSED

    async def release(self, session_id: uuid.UUID, owner: uuid.UUID, *, pause: float = 0) -> None:
        """Release the claim if ``owner`` still holds it. Nobody can claim it for ``pause`` seconds."""
        async with self._work.writing() as db:
            until = database_now(db) + timedelta(seconds=pause) if pause else None
            await db.execute(
                sa.update(SessionRow)
                .where(SessionRow.id == session_id, SessionRow.refresh_owner == owner)
                .values(refresh_owner=None, refresh_until=until)
                .execution_options(synchronize_session=False)
            )
