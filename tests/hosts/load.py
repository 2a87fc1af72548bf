"""Requests that go on while something happens to the cluster, and what became of each."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from tests.hosts.visitor import Visitor

CREATE: Final = "create"
_KINDS: Final = ("page", CREATE, "api")
_RATE: Final = 15  # requests that begin in a second; a machine that is busy otherwise can still answer them
_MOST_OPEN: Final = 64  # requests at a time


@dataclass(frozen=True, slots=True)
class Sent:
    """A request and its result: a status, or 0 if the connection broke. Times are by time.monotonic()."""

    kind: str
    name: str
    status: int
    served_by: str
    can_retry: bool
    began: float
    ended: float

    @property
    def is_success(self) -> bool:
        return self.status == (303 if self.kind == CREATE else 200)

    @property
    def is_delayed(self) -> bool:
        """Whether the response asks to repeat the request later."""
        return self.status == 503 and self.can_retry


@dataclass
class Load:
    """The requests of a scenario. ``events`` are what happened, with the seconds it took."""

    sent: list[Sent] = field(default_factory=list)
    events: list[tuple[str, float]] = field(default_factory=list)

    @property
    def failed(self) -> list[Sent]:
        """All requests that did not succeed."""
        return [sent for sent in self.sent if not sent.is_success]

    def since(self, moment: float) -> list[Sent]:
        """Return the requests that began after a moment."""
        return [sent for sent in self.sent if sent.began > moment]

    @contextlib.contextmanager
    def event(self, name: str) -> Iterator[None]:
        """Note how long the block takes."""
        began = time.monotonic()
        yield
        self.events.append((name, time.monotonic() - began))

    async def until(self, condition: Callable[[Load], bool], what: str, *, seconds: float = 25) -> None:
        """Wait until the requests so far meet a condition."""
        deadline = time.monotonic() + seconds
        while not condition(self):
            assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}\n{self}"
            await asyncio.sleep(0.02)

    async def successes(self, number: int, *, served_by: str = "") -> None:
        """Wait for more requests to succeed, at one host if it is named."""
        start = time.monotonic()

        def enough(load: Load) -> bool:
            good = [
                sent for sent in load.since(start) if sent.is_success and served_by in ("", sent.served_by)
            ]
            return len(good) >= number

        await self.until(enough, f"{number} successful requests {served_by}")

    def __str__(self) -> str:
        """Return the figures in a line: requests by host, failures by kind, seconds of each event."""
        hosts = Counter(sent.served_by.partition(":")[0] or "the proxy alone" for sent in self.sent)
        kinds = Counter(f"{sent.status or 'broken'} to {sent.kind}" for sent in self.failed)
        slowest = max((sent.ended - sent.began for sent in self.sent), default=0.0)
        parts = [
            f"{len(self.sent)} requests ({_counted(hosts, 'by')})",
            f"failed: {_counted(kinds, '×') or 'none'}",
            f"slowest {slowest:.1f} s",
            *(f"{name} {took:.1f} s" for name, took in self.events),
        ]
        return "; ".join(parts)


def _counted(counter: Counter[str], between: str) -> str:
    return ", ".join(f"{number} {between} {what}" for what, number in sorted(counter.items()))


@contextlib.asynccontextmanager
async def requests_going_on(visitors: Sequence[Visitor], root: str, *, at: str = "") -> AsyncIterator[Load]:
    """List projects by page and by API, and create some, until the block ends.

    Requests begin at a steady rate, whether or not earlier ones were answered.
    """
    load, stopping = Load(), asyncio.Event()
    sending = asyncio.create_task(_send_on(load, visitors, root, at, stopping))
    try:
        await load.successes(2 * len(visitors))
        yield load
    finally:
        stopping.set()
        await sending


async def _send_on(
    load: Load, visitors: Sequence[Visitor], root: str, at: str, stopping: asyncio.Event
) -> None:
    run, free = secrets.token_hex(3), asyncio.Semaphore(_MOST_OPEN)
    async with asyncio.TaskGroup() as group:
        for number, visitor, kind in zip(
            itertools.count(), itertools.cycle(visitors), itertools.cycle(_KINDS)
        ):
            if stopping.is_set():
                return
            await free.acquire()
            name = f"{run}-{number}" if kind == CREATE else ""
            task = group.create_task(_send(load, visitor, kind, root, name, at))
            task.add_done_callback(lambda _: free.release())
            await asyncio.sleep(1 / _RATE)


async def _send(load: Load, visitor: Visitor, kind: str, root: str, name: str, at: str) -> None:
    began = time.monotonic()
    status, served_by, can_retry = 0, "", False
    with contextlib.suppress(aiohttp.ClientError):
        match kind:
            case "create":
                answer = await visitor.send("POST", f"{root}/projects/new", {"name": name}, at=at)
            case "api":
                answer = await visitor.send(
                    "GET", f"/api/v1{root.replace('/o/', '/organizations/')}/projects", at=at
                )
            case _:
                answer = await visitor.send("GET", f"{root}/projects", at=at)
        status, served_by, can_retry = answer.status, answer.served_by, bool(answer.retry_after)
    load.sent.append(Sent(kind, name, status, served_by, can_retry, began, time.monotonic()))
