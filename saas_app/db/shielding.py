"""Work that finishes before a cancellation takes effect.

A request is canceled when its client leaves. A driver that is canceled between a statement and its result
leaves the connection in an unknown state: it may never return to the pool, or close with a lock still held.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")

GRACE: Final = 1.0
"""How many seconds a piece of work may continue after its caller was canceled."""


async def shielded(work: Coroutine[Any, Any, T], *, grace: float = GRACE) -> T:
    """Await ``work`` until it ends, then raise a cancellation of the caller, if there was one."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await _settle(task, grace)
        raise


async def _settle(task: asyncio.Task[Any], grace: float) -> None:
    clock = asyncio.get_running_loop()
    deadline = clock.time() + grace
    while not task.done():
        remaining = deadline - clock.time()
        if remaining <= 0:
            task.cancel()
        try:
            await asyncio.wait({task}, timeout=max(remaining, GRACE))
        except asyncio.CancelledError:
            continue  # raised again by shielded() when the work has ended
    if not task.cancelled():
        task.exception()  # marks a failure as handled, because nobody awaits the task
