"""Request heads over real sockets: their size, their speed, and what else they may contain."""

from __future__ import annotations

import time

import pytest

from saas_app.http_server import Bounds
from tests.unit.http_server.server import Client, Site, until, with_bounds

GET = b"GET / HTTP/1.1\r\nHost: a\r\n"


@pytest.mark.parametrize("size", [40_000, 1_000_000, 150_000_000])
async def test_a_large_header_is_rejected_without_being_read(site: Site, client: Client, size: int) -> None:
    began = time.process_time()
    try:
        await client.send(GET + b"X: " + b"a" * size + b"\r\n\r\n")
        assert (await client.everything()).startswith(b"HTTP/1.1 431 ")
    except ConnectionError:
        assert size > Bounds().linger_size  # the client did not stop, so the server closed the connection
    assert time.process_time() - began < 5  # 150 MB took 42 s before heads were bounded
    assert not site.paths


@with_bounds(head_size=4096)
async def test_a_large_header_in_small_pieces_is_rejected(client: Client) -> None:
    await client.send(GET + b"X: ")
    for _ in range(10):
        await client.send(b"a" * 1000)
    assert (await client.everything()).startswith(b"HTTP/1.1 431 ")


async def test_endless_blank_lines_are_rejected(client: Client) -> None:
    await client.send(b"\r\n" * 20_000)
    assert (await client.everything()).startswith(b"HTTP/1.1 431 ")


async def test_headers_just_below_the_limit_are_accepted(client: Client) -> None:
    await client.send(GET + b"X: " + b"a" * 30_000 + b"\r\n\r\n")
    assert (await client.answer()).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(("count", "status"), [(90, b"200"), (150, b"431")])
async def test_the_number_of_headers_is_limited(client: Client, count: int, status: bytes) -> None:
    await client.send(GET + b"".join(b"X-%d: 1\r\n" % number for number in range(count)) + b"\r\n")
    assert (await client.answer()).startswith(b"HTTP/1.1 " + status)


async def test_a_long_url_is_rejected(client: Client) -> None:
    await client.send(b"GET /?" + b"a" * 60_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (await client.everything()).startswith(b"HTTP/1.1 414 ")


@with_bounds(head_size=1000)
async def test_pipelined_requests_are_measured_one_by_one(client: Client) -> None:
    await client.send((GET + b"X: " + b"a" * 500 + b"\r\n\r\n") * 20)
    for _ in range(20):
        assert (await client.answer()).startswith(b"HTTP/1.1 200 ")


@with_bounds(head_timeout=0.3)
async def test_a_slow_head_is_rejected(client: Client) -> None:
    await client.send(GET)
    assert (await client.everything()).startswith(b"HTTP/1.1 408 ")


@with_bounds(head_timeout=0.3)
async def test_a_slow_second_head_is_rejected(client: Client) -> None:
    await client.send(GET + b"\r\n")
    assert (await client.answer()).startswith(b"HTTP/1.1 200 ")
    await client.send(GET)
    assert (await client.everything()).startswith(b"HTTP/1.1 408 ")


@with_bounds(head_timeout=0.3)
async def test_blank_lines_between_requests_keep_no_connection_open(client: Client) -> None:
    await client.send(GET + b"\r\n")
    await client.answer()
    await client.send(b"\r\n")
    assert await client.everything() == b""


@with_bounds(head_timeout=0.3)
async def test_silent_connections_are_closed(site: Site) -> None:
    clients = [await site.connect() for _ in range(100)]
    assert [await client.everything() for client in clients] == [b""] * 100
    await until(lambda: not site.server.server_state.connections)


@with_bounds(connections=10)
async def test_a_new_connection_replaces_the_one_that_has_been_idle_longest(site: Site) -> None:
    idle = [await site.connect() for _ in range(10)]
    await until(lambda: len(site.server.server_state.connections) == 10)
    newcomer = await site.connect()
    for still_open in (newcomer, idle[9]):
        await still_open.send(GET + b"\r\n")
    assert (await newcomer.answer()).startswith(b"HTTP/1.1 200 ")
    assert (await idle[9].answer()).startswith(b"HTTP/1.1 200 ")
    assert await idle[0].everything() == b""


@with_bounds(connections=2)
async def test_a_new_connection_is_rejected_while_all_others_are_busy(site: Site) -> None:
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
async def test_a_websocket_is_rejected(site: Site, client: Client, upgrade: bytes) -> None:
    await client.send(GET + upgrade + b"Sec-WebSocket-Version: 13\r\n\r\n")
    assert (await client.everything()).startswith(b"HTTP/1.1 400 ")
    assert not site.paths


async def test_an_http2_upgrade_is_ignored_and_so_are_the_bytes_after_it(site: Site, client: Client) -> None:
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
async def test_an_unsupported_or_malformed_request_is_rejected(
    site: Site, client: Client, head: bytes
) -> None:
    await client.send(head)
    assert (await client.everything()).startswith(b"HTTP/1.1 400 ")
    assert not site.paths


@pytest.mark.parametrize("codings", [b"gzip, chunked", b"gzip\r\nTransfer-Encoding: chunked"])
async def test_an_unsupported_transfer_coding_is_rejected(site: Site, client: Client, codings: bytes) -> None:
    await client.send(
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: " + codings + b"\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    )
    assert (await client.everything()).startswith(b"HTTP/1.1 501 ")
    assert not site.paths
