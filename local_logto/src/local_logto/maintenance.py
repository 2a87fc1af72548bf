"""Deleting what has expired, so that the file doesn't grow forever."""

from __future__ import annotations

import asyncio
from typing import Final

import sqlalchemy as sa

from local_logto.oidc.tables import (
    device_codes,
    grants,
    interactions,
    op_sessions,
    pushed_requests,
    subject_tokens,
    tokens,
)
from local_logto.store import Store, now_ms

SWEEP_EVERY_SECONDS: Final = 900
# Expired tokens are kept for a while, so that reuse is still detected.
TOKENS_KEPT_MS: Final = 3600 * 1000


def purge(store: Store) -> None:
    """Delete what has expired. Tokens of grants and device codes follow an hour later."""
    moment = now_ms()
    with store.begin() as connection:
        for table in (interactions, op_sessions, pushed_requests, grants, subject_tokens):
            connection.execute(sa.delete(table).where(table.c.expires_at <= moment))
        for table in (tokens, device_codes):
            long_gone = table.c.expires_at <= moment - TOKENS_KEPT_MS
            connection.execute(sa.delete(table).where(long_gone))


async def purge_regularly(store: Store) -> None:
    """Purge every 15 minutes until the application stops."""
    while True:
        await asyncio.sleep(SWEEP_EVERY_SECONDS)
        purge(store)
