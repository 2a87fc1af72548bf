"""Verification codes: made, counted, checked once. Sending them is the messages page's part.

Logto 1.42: six digits, 600 s, ten wrong tries, single use; ten codes per recipient in ten minutes, those
that are not delivered included, so that the limit does not tell who has an account.
"""

from __future__ import annotations

import secrets

import sqlalchemy as sa

from local_logto.experience.sign_in_experience import CodePolicy
from local_logto.experience.state import Identifier
from local_logto.refusals import refusal
from local_logto.store import Store, metadata, now_ms

_SEND_WINDOW_MS = 600_000
_SENDS_PER_WINDOW = 10
_KEPT_MS = 86_400_000

verification_codes = sa.Table(
    "verification_codes",
    metadata,
    sa.Column("verification_id", sa.String, primary_key=True),
    sa.Column("recipient_type", sa.String, nullable=False),
    sa.Column("recipient", sa.String, nullable=False),  # as typed: a code fits only the very same address
    sa.Column("recipient_key", sa.String, nullable=False),  # in lower case, what the send limit counts by
    sa.Column("code", sa.String, nullable=False),
    sa.Column("try_count", sa.Integer, nullable=False, server_default="0"),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("consumed_at", sa.BigInteger),
    sa.Index("verification_codes_by_recipient", "recipient_key", "created_at"),
)
_c = verification_codes.c


async def create_code(store: Store, verification_id: str, recipient: Identifier) -> str:
    """A new code for the recipient; raises 429 ``request.message_rate_limited`` after the tenth."""
    now, key, code = now_ms(), recipient.value.strip().lower(), f"{secrets.randbelow(1_000_000):06}"
    recent = sa.select(sa.func.count()).where(_c.recipient_key == key, _c.created_at > now - _SEND_WINDOW_MS)
    async with store.begin() as connection:
        await connection.execute(verification_codes.delete().where(_c.created_at < now - _KEPT_MS))
        if (await connection.execute(recent)).scalar_one() >= _SENDS_PER_WINDOW:
            raise refusal("request.message_rate_limited")
        await connection.execute(
            verification_codes.insert().values(
                verification_id=verification_id,
                recipient_type=recipient.type,
                recipient=recipient.value,
                recipient_key=key,
                code=code,
                created_at=now,
            )
        )
    return code


async def use_code(
    store: Store, verification_id: str, recipient: Identifier, code: str, policy: CodePolicy
) -> None:
    """Consume the code, or raise the 400 that says why it cannot be used; a wrong one counts as a try."""
    async with store.begin() as connection:
        mine = _c.verification_id == verification_id
        row = (
            await connection.execute(
                sa.select(verification_codes).where(mine, _c.consumed_at.is_(None)).limit(1)
            )
        ).one_or_none()
        problem = _find_problem(row, recipient, policy)
        if problem is None:
            right = mine & (_c.code == code) & _c.consumed_at.is_(None)
            used = await connection.execute(
                verification_codes.update().where(right).values(consumed_at=now_ms())
            )
            if used.rowcount == 0:
                problem = "code_mismatch"
                await connection.execute(
                    verification_codes.update().where(mine).values(try_count=_c.try_count + 1)
                )
    if problem is not None:
        raise refusal(f"verification_code.{problem}")


def _find_problem(
    row: sa.Row[tuple[object, ...]] | None, recipient: Identifier, policy: CodePolicy
) -> str | None:
    """The rule that the stored code breaks before it is even compared, in Logto's order."""
    if row is None:
        return "not_found"
    if (row.recipient_type, row.recipient) != (recipient.type, recipient.value):
        return f"{recipient.type}_mismatch"
    if row.created_at + policy.expires_after * 1000 < now_ms():
        return "expired"
    if row.try_count >= policy.max_tries:
        return "exceed_max_try"
    return None
