"""Claims that end soon after their holder dies: a living holder renews its claim every second.

Each waiting worker measures by its own clock: a claim that it has not seen renewed for :data:`LOST_AFTER`
seconds is lost. So the clocks of two hosts need not agree.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, Generic, TypeVar

import structlog

from saas_app.errors import Busy, DatabaseUnavailable
from saas_app.text.translation import _

log = structlog.get_logger(__name__)

LOST_AFTER: Final = 5.0  # seconds without a renewal
_INTERVAL: Final = 1.0  # seconds between two renewals

State = TypeVar("State")


@asynccontextmanager
async def renewed(renew: Callable[[], Awaitable[bool]]) -> AsyncIterator[None]:
    """Renew a claim while the block runs. ``renew`` returns whether the claim is still ours.

    Ends the block and raises :class:`Busy` if another worker has taken the claim over.
    """
    try:
        async with asyncio.timeout(None) as block:
            renewing = asyncio.create_task(_renew_until_lost(renew, block))
            try:
                yield
            finally:
                renewing.cancel()
                await asyncio.wait({renewing})
                if not renewing.cancelled():
                    renewing.result()  # raises an unexpected error of ``renew``
    except TimeoutError:
        if not block.expired():
            raise
        log.warning("a claim was taken over while its holder was still working")
        raise Busy(
            _(
                "The change took too long, and another change has started. Check the current "
                "state, then try again."
            )
        ) from None


async def _renew_until_lost(renew: Callable[[], Awaitable[bool]], block: asyncio.Timeout) -> None:
    """Renew the claim once a second. When it is lost, end the block."""
    is_held = True
    while is_held:
        await asyncio.sleep(_INTERVAL)
        try:
            is_held = await renew()
        except DatabaseUnavailable:
            continue  # no other worker can take the claim over either
    block.reschedule(asyncio.get_running_loop().time())


class Watch(Generic[State]):
    """Watches a claim that another worker holds."""

    def __init__(self) -> None:
        self._state: State | None = None
        self._since = 0.0

    def is_lost(self, state: State) -> bool:
        """Note the claim's current state. Return whether the state has not changed for too long."""
        now = asyncio.get_running_loop().time()
        if self._state != state:
            self._state, self._since = state, now
        return now - self._since > LOST_AFTER
