"""The benchmarks count what they claim: requests, responses, CPU time and memory."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bench.client import Request, UnexpectedResponse, running_client
from bench.cpu import cpu_seconds, cpu_seconds_with_ended_children, members_of, memory_of
from bench.rounds import Server, Target, percentile, ratio

pytestmark = [
    pytest.mark.one_database,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]


@asynccontextmanager
async def answering(response: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Run a server that answers each request with these bytes. Yield its URL, and the requests it gets."""
    received: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                received.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(response)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", received


async def send(url: str, count: int, connections: int) -> tuple[list[float], int, float]:
    """Send requests from the client's process. Return the times, the size, and the seconds in between."""

    def wait() -> tuple[list[float], int, float]:
        with running_client() as client:
            report = client.send(Request(f"{url}/x?y=1"), count, connections, time.perf_counter)
            return report.times, report.size, report.used

    return await asyncio.to_thread(wait)


@pytest.mark.parametrize(
    ("response", "size"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 5),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 0),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 15),
    ],
)
async def test_each_connection_is_warmed_up_and_each_counted_request_is_timed(
    response: bytes, size: int
) -> None:
    async with answering(response) as (url, received):
        times, found_size, seconds = await send(url, count=20, connections=4)

    assert len(times) == 20
    assert found_size == size
    assert len(received) == 20 + 4
    assert received[0].startswith(b"GET /x?y=1 HTTP/1.1\r\nHost: 127.0.0.1:")
    assert max(times) / 1000 <= seconds


async def test_a_response_with_another_status_ends_the_measurement() -> None:
    async with answering(b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n") as (url, _received):
        with pytest.raises(UnexpectedResponse, match="429 Too Many"):
            await send(url, count=3, connections=1)


async def test_a_body_is_posted_as_json() -> None:
    sent = Request("http://localhost:3000/tasks", 201, {"Authorization": "Bearer x"}, {"title": "é"}).encode()
    head, _, body = sent.partition(b"\r\n\r\n")

    assert head.startswith(b"POST /tasks HTTP/1.1\r\nHost: localhost:3000\r\nAuthorization: Bearer x\r\n")
    assert f"Content-Length: {len(body)}".encode() in head


def test_the_cpu_time_of_a_process_includes_its_children() -> None:
    burn = "import time\nwhile time.process_time() < 0.2: pass\ninput()"
    with subprocess.Popen([sys.executable, "-c", burn], stdin=subprocess.PIPE) as child:
        before, own = cpu_seconds(os.getpid()), time.process_time()
        while cpu_seconds(child.pid) < 0.2:
            pass
        members = members_of(os.getpid())
        used = cpu_seconds(os.getpid()) - before - (time.process_time() - own)
        child.communicate(b"\n")

    assert {os.getpid(), child.pid} <= set(members)
    assert used == pytest.approx(0.2, abs=0.15)
    assert cpu_seconds_with_ended_children(os.getpid()) >= 0.2


def test_memory_is_that_of_the_process() -> None:
    before = memory_of(os.getpid())
    held = b"x" * 50_000_000

    assert memory_of(os.getpid()).resident - before.resident == pytest.approx(len(held) / 2**20, abs=5)
    assert before.proportional <= before.resident


def test_a_ratio_compares_within_rounds() -> None:
    server = Server("workroom", 1, {}, 0.0)
    quiet, busy = [1.0, 2.0], [30.0, 80.0]  # the machine was slower in the second two rounds

    ours = Target(server, "list", cpu=[*quiet, *busy])
    twin = Target(server, "list", cpu=[0.5, 1.0, 15.0, 20.0])

    assert ratio(ours, twin) == 2


def test_percentiles_of_few_and_many_times() -> None:
    assert percentile([3.0], 99) == 3.0
    assert percentile([float(number) for number in range(200)], 99) == 198.0
    assert percentile([2.0, 1.0], 50) == 2.0
