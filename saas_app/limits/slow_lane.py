"""The slow lane: an address over its limit gets a few signature checks a second, one after the other.

This bounds the cost of forged tokens, while a valid new token still gets through.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

_INTERVAL: Final = 0.05  # seconds between two signatures of one address
_MAX_WAITING: Final = 20  # turns given in advance, so that nobody waits longer than a second


class SlowLane:
    """Turns for each address, in this process. ``clock`` returns monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next_turns: dict[str, float] = {}

    async def wait(self, address: str) -> bool:
        """Wait for a turn. Returns False at once if too many requests of the address wait already."""
        now = self._clock()
        self._next_turns = {kept: moment for kept, moment in self._next_turns.items() if moment > now}
        turn = self._next_turns.get(address, now)
        if turn - now > _INTERVAL * (_MAX_WAITING - 1):
            return False
        self._next_turns[address] = turn + _INTERVAL
        await asyncio.sleep(turn - now)
        return True
