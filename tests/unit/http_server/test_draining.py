"""What a server that is about to stop does with its connections."""

from __future__ import annotations

from saas_app.http_server import begin_draining
from tests.unit.http_server.server import Client, Site


async def test_a_draining_server_closes_each_connection_with_its_next_response(
    site: Site, client: Client
) -> None:
    begin_draining(site.server.lifespan.state)

    await client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")

    head, _, body = (await client.everything()).partition(b"\r\n\r\n")
    assert b"connection: close" in head.lower()
    assert body == b"0 bytes"


async def test_a_draining_server_keeps_idle_connections(site: Site, client: Client) -> None:
    await client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await client.answer()
    begin_draining(site.server.lifespan.state)

    await client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")

    assert b"0 bytes" in await client.answer()
