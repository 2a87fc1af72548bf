"""Heads of requests: how large, how slow, and what else may stand in them. Real sockets throughout."""

from __future__ import annotations

import time

import pytest

from saas_app.http_server import Bounds
from tests.unit.http_server.server import running_site, until

GET = b"GET / HTTP/1.1\r\nHost: a\r\n"


@pytest.mark.parametrize("size", [40_000, 1_000_000, 150_000_000])
async def test_a_large_header_is_refused_without_being_read(size: int) -> None:
    async with running_site(Bounds()) as site:
        client, began = await site.connect(), time.process_time()
        try:
            await client.send(GET + b"X: " + b"a" * size + b"\r\n\r\n")
            assert (await client.everything()).startswith(b"HTTP/1.1 431 ")
        except ConnectionError:
            assert size > Bounds().linger_size  # it went on and on, so the server hung up
        assert time.process_time() - began < 5  # 150 MB took 42 s before they were bounded
        assert not site.paths


async def test_a_large_header_in_small_pieces_is_refused() -> None:
    async with running_site(Bounds(head_size=4096)) as site:
        client = await site.connect()
        await client.send(GET + b"X: ")
        for _ in range(10):
            await client.send(b"a" * 1000)
        assert (await client.everything()).startswith(b"HTTP/1.1 431 ")


async def test_blank_lines_without_end_are_refused() -> None:
    async with running_site(Bounds()) as site:
        client = await site.connect()
        await client.send(b"\r\n" * 20_000)
        assert (await client.everything()).startswith(b"HTTP/1.1 431 ")


async def test_headers_just_within_the_bound_arrive() -> None:
    async with running_site(Bounds()) as site:
        client = await site.connect()
        await client.send(GET + b"X: " + b"a" * 30_000 + b"\r\n\r\n")
        assert (await client.answer()).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(("count", "status"), [(90, b"200"), (150, b"431")])
async def test_headers_are_counted(count: int, status: bytes) -> None:
    async with running_site(Bounds()) as site:
        client = await site.connect()
        await client.send(GET + b"".join(b"X-%d: 1\r\n" % number for number in range(count)) + b"\r\n")
        assert (await client.answer()).startswith(b"HTTP/1.1 " + status)


async def test_a_long_address_is_refused() -> None:
    async with running_site(Bounds()) as site:
        client = await site.connect()
        await client.send(b"GET /?" + b"a" * 60_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await client.everything()).startswith(b"HTTP/1.1 414 ")


async def test_pipelined_requests_are_measured_one_by_one() -> None:
    async with running_site(Bounds(head_size=1000)) as site:
        client = await site.connect()
        await client.send((GET + b"X: " + b"a" * 500 + b"\r\n\r\n") * 20)
        for _ in range(20):
            assert (await client.answer()).startswith(b"HTTP/1.1 200 ")


async def test_a_slow_head_is_refused() -> None:
    async with running_site(Bounds(head_timeout=0.3)) as site:
        client = await site.connect()
        await client.send(GET)
        assert (await client.everything()).startswith(b"HTTP/1.1 408 ")


async def test_a_slow_second_head_is_refused() -> None:
    async with running_site(Bounds(head_timeout=0.3), timeout_keep_alive=60) as site:
        client = await site.connect()
        await client.send(GET + b"\r\n")
        assert (await client.answer()).startswith(b"HTTP/1.1 200 ")
        await client.send(GET)
        assert (await client.everything()).startswith(b"HTTP/1.1 408 ")


async def test_blank_lines_between_requests_keep_no_connection_open() -> None:
    async with running_site(Bounds(head_timeout=0.3), timeout_keep_alive=60) as site:
        client = await site.connect()
        await client.send(GET + b"\r\n")
        await client.answer()
        await client.send(b"\r\n")
        assert await client.everything() == b""


async def test_connections_that_say_nothing_are_closed() -> None:
    async with running_site(Bounds(head_timeout=0.3)) as site:
        clients = [await site.connect() for _ in range(100)]
        assert [await client.everything() for client in clients] == [b""] * 100
        await until(lambda: not site.server.server_state.connections)


async def test_a_newcomer_replaces_the_connection_that_waited_longest() -> None:
    async with running_site(Bounds(connections=10)) as site:
        idle = [await site.connect() for _ in range(10)]
        await until(lambda: len(site.server.server_state.connections) == 10)
        newcomer = await site.connect()
        await newcomer.send(GET + b"\r\n")
        assert (await newcomer.answer()).startswith(b"HTTP/1.1 200 ")
        assert await idle[0].everything() == b""
        await idle[9].send(GET + b"\r\n")
        assert (await idle[9].answer()).startswith(b"HTTP/1.1 200 ")


async def test_a_newcomer_is_refused_while_all_others_are_busy() -> None:
    async with running_site(Bounds(connections=2)) as site:
        busy = [await site.connect() for _ in range(2)]
        for client in busy:
            await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n")
        await until(lambda: len(site.paths) == 2)
        refusal = await (await site.connect()).everything()
        assert refusal.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 1\r\n" in refusal
        await busy[0].send(b"abc")
        assert (await busy[0].answer()).endswith(b"3 bytes")


WEBSOCKET = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n"


@pytest.mark.parametrize(
    "upgrade", [WEBSOCKET, WEBSOCKET.replace(b"Upgrade\r\n", b"keep-alive, Upgrade\r\n", 1)]
)
async def test_a_websocket_is_refused(upgrade: bytes) -> None:
    async with running_site(Bounds()) as site:
        client = await site.connect()
        await client.send(GET + upgrade + b"Sec-WebSocket-Version: 13\r\n\r\n")
        assert (await client.everything()).startswith(b"HTTP/1.1 400 ")
        assert not site.paths


async def test_an_offer_of_http2_is_declined_silently_and_nothing_after_it_counts() -> None:
    async with running_site(Bounds()) as site:
        client = await site.connect()
        offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"
        await client.send(GET + offer + b"GET /?smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
        answers = await client.everything()
        assert answers.startswith(b"HTTP/1.1 200 ")
        assert answers.count(b"HTTP/1.1 ") == 1
        assert site.paths == ["/?"]


@pytest.mark.parametrize(
    "head",
    [
        b"POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc",
        b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"hello\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
    ],
)
async def test_what_is_no_request_of_ours_is_refused(head: bytes) -> None:
    async with running_site(Bounds()) as site:
        client = await site.connect()
        await client.send(head)
        assert (await client.everything()).startswith(b"HTTP/1.1 400 ")
        assert not site.paths


@pytest.mark.parametrize("codings", [b"gzip, chunked", b"gzip\r\nTransfer-Encoding: chunked"])
async def test_a_transfer_coding_that_is_not_undone_here_is_refused(codings: bytes) -> None:
    async with running_site(Bounds()) as site:
        client = await site.connect()
        await client.send(
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: " + codings + b"\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        )
        assert (await client.everything()).startswith(b"HTTP/1.1 501 ")
        assert not site.paths
