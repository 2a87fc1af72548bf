"""Verification codes: created, sent, stored, used once.

Logto 1.42: six digits, 600 s, ten wrong attempts, single use. Callers decide who may request one and what the
proof of an address is good for.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from local_logto.connectors.send_limit import counted_sending
from local_logto.connectors.sending import Outgoing, send
from local_logto.refusals import refusal
from local_logto.settings import Settings
from local_logto.store import Store, metadata, now_ms

_KEPT_MS = 86_400_000

sent_codes = sa.Table(
    "sent_codes",
    metadata,
    sa.Column("verification_id", sa.String, primary_key=True),
    sa.Column("recipient_type", sa.String, nullable=False),
    sa.Column("recipient", sa.String, nullable=False),  # as typed: codes are for exactly this address
    sa.Column("code", sa.String, nullable=False),
    sa.Column("try_count", sa.Integer, nullable=False, server_default="0"),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("consumed_at", sa.BigInteger),
)
_c = sent_codes.c


@dataclass(frozen=True)
class CodePolicy:
    """How long a verification code lives, in seconds, and after how many wrong attempts it stops working."""

    expires_after: int = 600
    max_tries: int = 10

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> CodePolicy:
        """Read the stored ``verificationCodePolicy``, with Logto's defaults."""
        return cls(value.get("expirationDuration", 600), value.get("maxRetryAttempts", 10))


async def send_code(
    store: Store, settings: Settings, verification_id: str, message: Outgoing, *, is_delivered: bool = True
) -> None:
    """Send a new code as ``{{code}}`` of the message, and store it in place of an earlier one.

    With ``is_delivered=False`` the code is created and counted but not sent. Raises 429
    ``request.message_rate_limited`` and what ``sending.send`` raises; then no code is stored.
    """
    code = f"{secrets.randbelow(1_000_000):06}"
    async with counted_sending(store, "code", message.recipient):
        if is_delivered:
            await send(store, settings, replace(message, payload={"code": code, **message.payload}))
        store_code(store, verification_id, message.kind, message.recipient, code)


def store_code(store: Store, verification_id: str, kind: str, recipient: str, code: str) -> None:
    """Store a code that was sent. Delete the previous one, and codes older than a day."""
    now = now_ms()
    old = (_c.verification_id == verification_id) | (_c.created_at < now - _KEPT_MS)
    with store.begin() as connection:
        connection.execute(sent_codes.delete().where(old))
        connection.execute(
            sent_codes.insert().values(
                verification_id=verification_id,
                recipient_type=kind,
                recipient=recipient,
                code=code,
                created_at=now,
            )
        )


def find_age(store: Store, verification_id: str) -> int | None:
    """Return the age of the code in milliseconds, or None if there is none."""
    made = sa.select(_c.created_at).where(_c.verification_id == verification_id)
    with store.begin() as connection:
        created_at = connection.scalar(made)
    return None if created_at is None else now_ms() - int(created_at)


async def use_code(
    store: Store, verification_id: str, kind: str, recipient: str, code: str, policy: CodePolicy
) -> None:
    """Consume the code, or raise the 400 that says why it can't be used. A wrong code is an attempt."""
    with store.begin() as connection:
        mine = _c.verification_id == verification_id
        row = (
            connection.execute(sa.select(sent_codes).where(mine, _c.consumed_at.is_(None)).limit(1))
        ).one_or_none()
        problem = _find_problem(row, kind, recipient, policy)
        if problem is None:
            is_open = _c.consumed_at.is_(None) & (_c.try_count < policy.max_tries)  # checked again: races
            right = mine & (_c.code == code) & is_open
            used = connection.execute(sent_codes.update().where(right).values(consumed_at=now_ms()))
            if used.rowcount == 0:
                problem = "code_mismatch"
                connection.execute(sent_codes.update().where(mine).values(try_count=_c.try_count + 1))
    if problem is not None:
        raise refusal(f"verification_code.{problem}")


def _find_problem(
    row: sa.Row[tuple[object, ...]] | None, kind: str, recipient: str, policy: CodePolicy
) -> str | None:
    """Return the first rule that the stored code breaks before it is compared, in Logto's order."""
    if row is None:
        return "not_found"
    if (row.recipient_type, row.recipient) != (kind, recipient):
        return f"{kind}_mismatch"
    if row.created_at + policy.expires_after * 1000 < now_ms():
        return "expired"
    if row.try_count >= policy.max_tries:
        return "exceed_max_try"
    return None
