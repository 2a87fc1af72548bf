"""A light HTTP client in a process of its own, so that its work is not counted as the server's.

It reads an order per line from its input and writes a report per line. Connections are opened, and each has
got one response, before it writes ``ready`` and waits for ``go``: what is measured begins there.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, cast
from urllib.parse import urlsplit

import uvloop

_PATIENCE: Final = 1200.0  # seconds for all requests of an order


@dataclass(frozen=True, slots=True)
class Request:
    """One request, and the status of the response to it. ``body`` is sent as JSON."""

    url: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: object = None

    def at(self, origin: str) -> Request:
        """Return the same request to another server."""
        parts = urlsplit(self.url)
        return replace(self, url=self.url.replace(f"{parts.scheme}://{parts.netloc}", origin, 1))

    def encode(self) -> bytes:
        """Return the request as it is sent."""
        parts, body = urlsplit(self.url), b"" if self.body is None else json.dumps(self.body).encode()
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        lines = [
            f"{'POST' if body else 'GET'} {target} HTTP/1.1",
            f"Host: {parts.netloc}",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        if body:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass(frozen=True, slots=True)
class Report:
    """The milliseconds that each response took, the bytes of a body, and what a clock counted meanwhile."""

    times: list[float]
    size: int
    used: float


class UnexpectedResponse(Exception):
    """A response had another status. The message has its beginning."""


class Client:
    """The client's process. Create it with :func:`running_client`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def send(self, request: Request, count: int, connections: int, clock: Callable[[], float]) -> Report:
        """Send ``count`` requests, over several connections at a time. Raises :class:`UnexpectedResponse`.

        ``clock`` is read right before and right after. The report has the difference.
        """
        self._say({"request": asdict(request), "count": count, "connections": connections})
        self._hear()
        began = clock()
        self._say("go")
        report = self._hear()
        return Report(**report, used=clock() - began)

    def _say(self, message: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    def _hear(self) -> Any:
        assert self._process.stdout is not None
        answer = json.loads(self._process.stdout.readline() or '{"failure": "the client ended"}')
        if "failure" in answer:
            raise UnexpectedResponse(answer["failure"])
        return answer


@contextmanager
def running_client() -> Iterator[Client]:
    """Run the client until the block ends."""
    command = [sys.executable, "-m", "bench.client"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Client(process)
        finally:
            process.terminate()


class _Connection(asyncio.Protocol):
    """A connection that sends a request again as soon as it has the response."""

    def __init__(self, request: bytes, status: int, claim: Callable[[], bool]) -> None:
        self._request, self._status_line = request, f"HTTP/1.1 {status} ".encode()
        self._claim = claim  # returns whether one more request is to be sent
        self._buffer, self._expected = b"", 0  # the length of a response whose head has arrived
        self._began = 0.0
        self.times: list[float] = []
        self.size = 0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's transports do not inherit it

    def start(self) -> None:
        """Send the next request, if there is one left."""
        if self._claim():
            self._began = time.perf_counter()
            self._transport.write(self._request)
        else:
            self.ended.set_result(None)

    def renew(self) -> None:
        """Forget what was measured, and wait for the end again."""
        self.times, self.ended = [], asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._is_complete():
            return
        if not self._buffer.startswith(self._status_line):
            self._fail(self._buffer[:1500].decode(errors="replace"))
            return
        self.times.append((time.perf_counter() - self._began) * 1000)
        self._buffer, self._expected = b"", 0
        self.start()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail("the server closed the connection")
        self.lost.set_result(None)

    def close(self) -> None:
        self._transport.abort()

    def _is_complete(self) -> bool:
        if not self._expected:
            end = self._buffer.find(b"\r\n\r\n") + 4
            if end < 4:
                return False
            head = self._buffer[:end].lower()
            if b"transfer-encoding: chunked" in head:
                self.size = len(self._buffer) - end
                return self._buffer.endswith(b"0\r\n\r\n")
            self.size = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            self._expected = end + self.size
        return len(self._buffer) >= self._expected

    def _fail(self, why: str) -> None:
        if not self.ended.done():
            self.ended.set_exception(UnexpectedResponse(why))


async def _carry_out(order: dict[str, Any]) -> None:
    request = Request(**order["request"])
    parts, left = urlsplit(request.url), order["connections"]

    def claim() -> bool:
        nonlocal left
        left -= 1
        return left >= 0

    loop = asyncio.get_running_loop()
    connections = []
    for _ in range(order["connections"]):
        _transport, connection = await loop.create_connection(
            lambda: _Connection(request.encode(), request.status, claim),
            parts.hostname or "",
            parts.port or 80,
        )
        connections.append(connection)
    try:
        await _run(connections)
        left = order["count"]
        for connection in connections:
            connection.renew()
        _tell("ready")
        sys.stdin.readline()
        await _run(connections)
    finally:
        for connection in connections:
            connection.close()
            await connection.lost
    times = [taken for connection in connections for taken in connection.times]
    _tell({"times": times, "size": connections[0].size})


async def _run(connections: list[_Connection]) -> None:
    for connection in connections:
        connection.start()
    async with asyncio.timeout(_PATIENCE):
        await asyncio.gather(*(connection.ended for connection in connections))


async def _main() -> None:
    for line in sys.stdin:  # between two orders nothing else has to run
        try:
            await _carry_out(json.loads(line))
        except (UnexpectedResponse, TimeoutError, OSError) as failure:
            _tell({"failure": f"{json.loads(line)['request']['url']}: {failure!r}"})


def _tell(message: object) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(_main())
