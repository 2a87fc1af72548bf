"""Bodies of requests and of answers: how slow they may be, and that what is too large is cut."""

from __future__ import annotations

import asyncio

import pytest

from saas_app.http_server import Bounds
from tests.unit.http_server.server import running_site, until

POST = b"POST / HTTP/1.1\r\nHost: a\r\n"


async def test_a_slow_body_is_refused_and_its_handler_cancelled() -> None:
    async with running_site(Bounds(body_timeout=0.3)) as site:
        client = await site.connect()
        await client.send(POST + b"Content-Length: 1000\r\n\r\nabc")
        assert (await client.everything()).startswith(b"HTTP/1.1 408 ")
        async with asyncio.timeout(10):
            await site.cancelled.wait()


async def test_a_body_that_keeps_its_rate_arrives() -> None:
    async with running_site(Bounds(body_timeout=0.3, body_rate=20_000)) as site:
        client = await site.connect()
        await client.send(POST + b"Content-Length: 60000\r\n\r\n" + b"a" * 59_999)  # 3 s of credit
        await asyncio.sleep(0.6)  # longer than the bare timeout
        await client.send(b"a")
        assert (await client.answer()).endswith(b"60000 bytes")


async def test_a_body_of_trickling_chunks_is_refused() -> None:
    async with running_site(Bounds(body_timeout=0.4)) as site:
        client = await site.connect()
        await client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        said = asyncio.create_task(client.everything())
        while not said.done():
            with_chunk = b"1\r\na\r\n"
            try:
                await client.send(with_chunk)
            except ConnectionError:
                break
            await asyncio.sleep(0.05)
        assert (await said).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 2000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n1e8480\r\n"]
)
async def test_a_body_over_the_limit_is_cut_after_the_answer(framing: bytes) -> None:
    async with running_site(Bounds(linger_timeout=0.5, linger_size=4_000_000)) as site:
        client = await site.connect()
        await client.send(POST + framing + b"a" * 1_500_000)
        assert (await client.everything()).startswith(b"HTTP/1.1 413 ")
        assert not site.bodies
        await until(lambda: not site.server.server_state.connections)


async def test_a_body_nobody_reads_is_not_waited_for() -> None:
    async with running_site(Bounds(linger_timeout=0.3)) as site:
        client = await site.connect()
        await client.send(b"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 90000\r\n\r\nabc")
        assert (await client.everything()).endswith(b"not read")
        await until(lambda: not site.server.server_state.connections)


async def test_a_client_that_never_reads_is_cut_off() -> None:
    async with running_site(Bounds(send_timeout=0.4)) as site:
        client = await site.connect()
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await client.send(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        await until(lambda: site.server.server_state.connections)
        await until(lambda: not site.server.server_state.connections)


async def test_a_client_that_reads_gets_all_of_a_large_answer() -> None:
    async with running_site(Bounds(send_timeout=5)) as site:
        client = await site.connect()
        await client.send(b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert len((await client.everything()).partition(b"\r\n\r\n")[2]) == 50_000_000
