"""What a server that is about to stop does with its connections."""

from __future__ import annotations

from saas_app.http_server import begin_draining
from tests.unit.http_server.server import Client, Site, until, with_bounds

_REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
_HEAD, _REST = _REQUEST[:20], _REQUEST[20:]


async def test_a_draining_server_closes_each_connection_with_its_next_response(
    site: Site, client: Client
) -> None:
    begin_draining(site.server.lifespan.state)

    await client.send(_REQUEST)

    head, _, body = (await client.everything()).partition(b"\r\n\r\n")
    assert b"connection: close" in head.lower()
    assert body == b"0 bytes"


async def test_a_draining_server_keeps_idle_connections(site: Site, client: Client) -> None:
    await client.send(_REQUEST)
    await client.answer()
    begin_draining(site.server.lifespan.state)

    await client.send(_REQUEST)

    assert b"0 bytes" in await client.answer()


async def stop(site: Site) -> None:
    """Tell the server to stop, and wait until it accepts no connections."""
    await until(lambda: len(site.server.server_state.connections) == len(site.clients))
    site.server.should_exit = True
    await until(lambda: not site.server.servers[0].is_serving())


@with_bounds(last_timeout=60)
async def test_a_stopping_server_answers_a_client_that_has_just_connected(site: Site, client: Client) -> None:
    await stop(site)

    await client.send(_REQUEST)

    assert (await client.everything()).endswith(b"0 bytes")


@with_bounds(last_timeout=0.01)
async def test_a_stopping_server_answers_a_request_whose_head_has_begun(site: Site, client: Client) -> None:
    await client.send(_HEAD)
    await until(lambda: next(iter(site.server.server_state.connections))._head_size)
    await stop(site)

    await client.send(_REST)

    assert (await client.everything()).endswith(b"0 bytes")


@with_bounds(last_timeout=0.01, head_timeout=60)
async def test_a_stopping_server_does_not_wait_for_a_client_that_sends_nothing(
    site: Site, client: Client
) -> None:
    await stop(site)

    assert await client.everything() == b""


@with_bounds(last_timeout=60)
async def test_a_stopping_server_closes_idle_connections_at_once(site: Site, client: Client) -> None:
    await client.send(_REQUEST)
    await client.answer()

    await stop(site)

    assert await client.everything() == b""
