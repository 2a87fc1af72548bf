"""Claims that end soon after their holder: short, and renewed while it lives.

Whether a holder lives is judged by the clock of who waits, and by nothing else: a claim that was not renewed
while somebody watched it for :data:`LOST_AFTER` seconds is lost. No two clocks have to agree.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, Generic, TypeVar

import structlog

from saas_app.errors import Busy, DatabaseUnavailable

log = structlog.get_logger(__name__)

LOST_AFTER: Final = 5.0  # seconds without a sign of life
_INTERVAL: Final = 1.0  # seconds between two signs

Sign = TypeVar("Sign")


@asynccontextmanager
async def renewed(renew: Callable[[], Awaitable[bool]]) -> AsyncIterator[None]:
    """Give signs of life in the block. ``renew`` says whether the claim is still ours.

    Raises :class:`Busy` within the block once it is not: another took it for lost.
    """
    is_lost = False

    async def beat(block: asyncio.Timeout) -> None:
        nonlocal is_lost
        while True:
            await asyncio.sleep(_INTERVAL)
            try:
                if await renew():
                    continue
            except DatabaseUnavailable:
                continue  # nobody else can take it either
            is_lost = True
            block.reschedule(asyncio.get_running_loop().time())
            return

    try:
        async with asyncio.timeout(None) as block:
            beating = asyncio.create_task(beat(block))
            try:
                yield
            finally:
                beating.cancel()
                await asyncio.wait({beating})
                if not beating.cancelled():
                    beating.result()  # a mistake of ours is not to be passed over
    except TimeoutError:
        if not is_lost:
            raise
        log.warning("a claim was taken over while its holder was still at work")
        raise Busy(
            "The change took too long, and another change has started. Check the current "
            "state, then try again."
        ) from None


class Watch(Generic[Sign]):
    """What somebody who waits has seen of a claim."""

    def __init__(self) -> None:
        self._sign: Sign | None = None
        self._since = 0.0

    def is_lost(self, sign: Sign) -> bool:
        """Note what the claim says now; return whether it has said so for too long."""
        now = asyncio.get_running_loop().time()
        if self._sign != sign:
            self._sign, self._since = sign, now
        return now - self._since > LOST_AFTER
