"""The limit on messages per recipient: ten for one purpose in ten minutes, as in Logto 1.42.

Messages that are deliberately not sent count too, so that the limit doesn't reveal who has an account. Logto
has no setting for this limit.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Literal

import sqlalchemy as sa

from local_logto.refusals import refusal
from local_logto.store import Store, metadata, now_ms

Purpose = Literal["code", "invitation"]

WINDOW_MS: Final = 600_000
SENDS_PER_WINDOW: Final = 10

sent_messages = sa.Table(
    "sent_messages",
    metadata,
    sa.Column("purpose", sa.String, nullable=False),
    sa.Column("recipient", sa.String, nullable=False),  # in lower case
    sa.Column("sent_at", sa.BigInteger, nullable=False),
    sa.Index("sent_messages_by_recipient", "recipient", "purpose"),
)
_c = sent_messages.c


@asynccontextmanager
async def counted_sending(store: Store, purpose: Purpose, recipient: str) -> AsyncIterator[None]:
    """Send within the block. It counts unless the block raises.

    Raises 429 ``request.message_rate_limited`` before the block if the recipient has reached the limit.
    """
    key = recipient.strip().lower()
    mine = (_c.purpose == purpose, _c.recipient == key)
    with store.begin() as connection:
        connection.execute(sent_messages.delete().where(_c.sent_at <= now_ms() - WINDOW_MS))
        count = connection.scalar(sa.select(sa.func.count()).select_from(sent_messages).where(*mine))
    if (count or 0) >= SENDS_PER_WINDOW:
        raise refusal("request.message_rate_limited")
    yield
    with store.begin() as connection:
        connection.execute(sent_messages.insert().values(purpose=purpose, recipient=key, sent_at=now_ms()))
