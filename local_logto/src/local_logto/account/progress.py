"""What a person has started on the account page: a recent proof, a sent code, a new secret.

It is stored per browser session and valid for ten minutes, like Logto's verification records.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Final

import sqlalchemy as sa

from local_logto.store import Store, metadata, now_ms, reference

VALID_MS: Final = 600_000
_KEPT_MS: Final = 3_600_000

account_progress = sa.Table(
    "account_progress",
    metadata,
    sa.Column("session_uid", sa.String, primary_key=True),
    reference("user_id", "users.id"),
    sa.Column("content", sa.JSON, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
)
_c = account_progress.c


@dataclass(frozen=True)
class SentCode:
    """A code that was sent: ``purpose`` is ``verify`` for a known address, ``bind`` for a new one."""

    verification_id: str
    purpose: str
    address_type: str
    address: str


@dataclass(frozen=True)
class Progress:
    """The state of one browser session on the account page.

    Times are epoch milliseconds. ``return_to`` is the page that asked for the proof.
    """

    proved_at: int = 0
    return_to: str = "/account"
    code: SentCode | None = None
    totp_secret: str | None = None
    backup_codes: tuple[str, ...] = ()
    shown_at: int = 0

    @property
    def is_proved(self) -> bool:
        """Whether the person proved their identity within the last ten minutes."""
        return now_ms() - self.proved_at < VALID_MS

    def fresh(self) -> Progress:
        """Return the progress without a secret or codes that were shown too long ago."""
        is_old = now_ms() - self.shown_at >= VALID_MS
        return replace(self, totp_secret=None, backup_codes=()) if is_old else self


def read_progress(store: Store, session_uid: str, user_id: str) -> Progress:
    """Return what this person has started in this browser session."""
    query = sa.select(_c.content).where(_c.session_uid == session_uid, _c.user_id == user_id)
    with store.begin() as connection:
        content = connection.execute(query).scalar_one_or_none()
    if content is None:
        return Progress()
    code = SentCode(**content["code"]) if content["code"] else None
    known = {**content, "code": code, "backup_codes": tuple(content["backup_codes"])}
    return Progress(**known).fresh()


def save_progress(store: Store, session_uid: str, user_id: str, progress: Progress) -> None:
    """Replace the stored progress, and delete progress that is an hour old."""
    now = now_ms()
    over = (_c.session_uid == session_uid) | (_c.changed_at < now - _KEPT_MS)
    row = {"session_uid": session_uid, "user_id": user_id, "content": asdict(progress), "changed_at": now}
    with store.begin() as connection:
        connection.execute(account_progress.delete().where(over))
        connection.execute(account_progress.insert().values(**row))
