"""Where tokens of an address wait that has used up its limit: a few signatures a second, one after the other.

Forged tokens then cost no more than that, and a good token that merely is new gets through.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

_INTERVAL: Final = 0.05  # seconds between two signatures of one address
_MOST_WAITING: Final = 20  # turns that are given in advance: nobody waits longer than a second


class SlowLane:
    """Turns by address, in this process. ``clock`` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next_turns: dict[str, float] = {}

    async def wait(self, address: str) -> bool:
        """Wait for a turn. False, at once, where too many of the address wait already."""
        now = self._clock()
        self._next_turns = {kept: moment for kept, moment in self._next_turns.items() if moment > now}
        turn = self._next_turns.get(address, now)
        if turn - now > _INTERVAL * (_MOST_WAITING - 1):
            return False
        self._next_turns[address] = turn + _INTERVAL
        await asyncio.sleep(turn - now)
        return True
