"""Lockout after too many failed attempts, counted per identifier and kind of proof.

Logto 1.42: after 100 failures within an hour, even the right answer is rejected for 60 minutes. Passwords,
verification codes and one-time tokens are counted together, each second factor separately, so that guessing
one factor doesn't lock another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import sqlalchemy as sa

from local_logto.errors import RequestError
from local_logto.experience.json_access import integer
from local_logto.store import Store, metadata, new_id, now_ms
from local_logto.translation import ngettext

T = TypeVar("T")

_WINDOW_MS = 3_600_000
_MINUTE_MS = 60_000


class Pool(StrEnum):
    """Proofs whose failures are counted together."""

    FIRST_FACTOR = "FirstFactor"
    TOTP = "MfaTotp"
    BACKUP_CODE = "MfaBackupCode"


@dataclass(frozen=True)
class LockoutPolicy:
    """``sentinelPolicy`` of the sign-in experience: allowed failures per hour, and minutes of lockout."""

    max_attempts: int = 100
    lockout_minutes: int = 60

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> LockoutPolicy:
        return cls(integer(value, "maxAttempts", 100), integer(value, "lockoutDuration", 60))

    def locks_out(self, failures: int) -> bool:
        """Return whether this number of failures within an hour, including the current one, is too many."""
        return failures >= self.max_attempts


sentinel_activities = sa.Table(
    "sentinel_activities",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("target_hash", sa.String, nullable=False),  # SHA-256 of the identifier
    sa.Column("pool", sa.String, nullable=False),
    sa.Column("failed_at", sa.BigInteger, nullable=False),
    sa.Column("locked_until", sa.BigInteger, nullable=False, server_default="0"),
    sa.Index("sentinel_activities_by_target", "target_hash", "pool", "failed_at"),
)
_c = sentinel_activities.c


async def watch(store: Store, policy: LockoutPolicy, pool: Pool, identifier: str, attempt: Awaitable[T]) -> T:
    """Return the attempt's result, unless its identifier is locked out.

    The attempt is always made, so that its duration reveals nothing. Raises the attempt's own error, or 400
    ``session.verification_blocked_too_many_attempts`` during a lockout.
    """
    try:
        result = await attempt
    except RequestError:
        _refuse_locked_out(store, policy, pool, identifier, has_failed=True)
        raise
    _refuse_locked_out(store, policy, pool, identifier, has_failed=False)
    return result


def _refuse_locked_out(
    store: Store, policy: LockoutPolicy, pool: Pool, identifier: str, *, has_failed: bool
) -> None:
    target = hashlib.sha256(identifier.strip().lower().encode()).hexdigest()
    mine = (_c.target_hash == target) & (_c.pool == pool.value)
    with store.begin() as connection:
        locked_until = _locked_until(connection, mine)
        if has_failed and locked_until is None:
            locked_until = _count_failure(connection, policy, mine, target, pool)
    if locked_until is not None:
        minutes = max(1, round((locked_until - now_ms()) / _MINUTE_MS))
        raise RequestError(
            400,
            "session.verification_blocked_too_many_attempts",
            ngettext(
                "Too many attempts in a short time. Please try again in %(num)s minute.",
                "Too many attempts in a short time. Please try again in %(num)s minutes.",
                minutes,
            ),
        )


def _locked_until(connection: sa.Connection, mine: sa.ColumnElement[bool]) -> int | None:
    found = sa.select(sa.func.max(_c.locked_until)).where(mine, _c.locked_until > now_ms())
    until: int | None = connection.execute(found).scalar_one_or_none()
    return until


def _count_failure(
    connection: sa.Connection,
    policy: LockoutPolicy,
    mine: sa.ColumnElement[bool],
    target: str,
    pool: Pool,
) -> int | None:
    """Record the failure. Returns the end of the lockout in epoch milliseconds if this was one too many.

    It is written before it is counted: SQLite has one writer, so two concurrent guesses count as two.
    """
    now, row_id = now_ms(), new_id()
    row = {"id": row_id, "target_hash": target, "pool": pool.value, "failed_at": now}
    connection.execute(sentinel_activities.insert().values(**row))
    over = (_c.failed_at <= now - _WINDOW_MS) & (_c.locked_until <= now)
    connection.execute(sentinel_activities.delete().where(over))
    recent = sa.select(sa.func.count()).where(mine, _c.locked_until == 0)
    if not policy.locks_out(connection.execute(recent).scalar_one()):
        return None
    until = now + policy.lockout_minutes * _MINUTE_MS
    lock = sentinel_activities.update().where(_c.id == row_id)
    connection.execute(lock.values(locked_until=until))
    return until
