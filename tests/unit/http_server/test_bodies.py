"""Bodies of requests and responses: how slow they may be, and how large."""

from __future__ import annotations

import asyncio

import pytest

from tests.unit.http_server.server import Client, Site, until, with_bounds

POST = b"POST / HTTP/1.1\r\nHost: a\r\n"


@with_bounds(body_timeout=0.3)
async def test_a_slow_body_is_rejected_and_its_handler_canceled(site: Site, client: Client) -> None:
    await client.send(POST + b"Content-Length: 1000\r\n\r\nabc")
    assert (await client.everything()).startswith(b"HTTP/1.1 408 ")
    async with asyncio.timeout(10):
        await site.cancelled.wait()


@with_bounds(body_timeout=0.3, body_rate=20_000)
async def test_a_body_that_keeps_the_required_rate_is_received(client: Client) -> None:
    await client.send(POST + b"Content-Length: 60000\r\n\r\n" + b"a" * 59_999)  # 3 s of credit
    await asyncio.sleep(0.6)  # longer than the timeout without the credit
    await client.send(b"a")
    assert (await client.answer()).endswith(b"60000 bytes")


@with_bounds(body_timeout=0.4)
async def test_a_body_of_trickling_chunks_is_rejected(client: Client) -> None:
    await client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n")
    received = asyncio.create_task(client.everything())
    while not received.done():
        try:
            await client.send(b"1\r\na\r\n")
        except ConnectionError:
            break
        await asyncio.sleep(0.05)
    assert (await received).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 2000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n1e8480\r\n"]
)
@with_bounds(linger_timeout=0.5, linger_size=4_000_000)
async def test_a_body_over_the_limit_is_cut_off_after_the_response(
    site: Site, client: Client, framing: bytes
) -> None:
    await client.send(POST + framing + b"a" * 1_500_000)
    assert (await client.everything()).startswith(b"HTTP/1.1 413 ")
    assert not site.bodies
    await until(lambda: not site.server.server_state.connections)


@with_bounds(linger_timeout=0.3)
async def test_the_server_does_not_wait_for_a_body_that_the_view_did_not_read(
    site: Site, client: Client
) -> None:
    await client.send(b"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 90000\r\n\r\nabc")
    assert (await client.everything()).endswith(b"not read")
    await until(lambda: not site.server.server_state.connections)


@with_bounds(send_timeout=0.4)
async def test_a_client_that_never_reads_is_cut_off(site: Site, client: Client) -> None:
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
    await client.send(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
    await until(lambda: site.server.server_state.connections)
    await until(lambda: not site.server.server_state.connections)


@with_bounds(send_timeout=5)
async def test_a_client_that_reads_gets_all_of_a_large_answer(client: Client) -> None:
    await client.send(b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert len((await client.everything()).partition(b"\r\n\r\n")[2]) == 50_000_000
