"""Limits on what a client can do to the served application with one socket."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.databases import Database
from tests.processes import Provider, running_application

pytestmark = pytest.mark.one_database


def _say(url: str, data: bytes) -> bytes:
    """Send bytes, and read until the server closes the connection."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30) as connection:
        connection.sendall(data)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return answer


_LARGE_HEADER = b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n"
_MANY_HEADERS = b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: 1\r\n" * 150 + b"\r\n"
_WEBSOCKET = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


async def test_the_served_application_limits_size_and_time(
    provider: Provider, database: Database, tmp_path: Path
) -> None:
    bounds = {"APP_HEADER_TIMEOUT": "1", "APP_BODY_TIMEOUT": "1", "APP_KEEP_ALIVE_TIMEOUT": "1"}
    with running_application(provider, database, tmp_path, workers=2, **bounds) as application:
        url, began = application.url, time.monotonic()
        host = urlsplit(url).netloc.encode()
        assert _say(url, _LARGE_HEADER).startswith(b"HTTP/1.1 431")
        assert _say(url, _MANY_HEADERS).startswith(b"HTTP/1.1 431")
        assert _say(url, _WEBSOCKET).startswith(b"HTTP/1.1 400")
        assert _say(url, b"") == b""
        assert _say(url, b"GET /healthz HTTP/1.1\r\n").startswith(b"HTTP/1.1 408")
        post = b"POST /webhooks/logto HTTP/1.1\r\nHost: " + host + b"\r\nContent-Length: %d\r\n\r\nabc"
        assert _say(url, post % 1000).startswith(b"HTTP/1.1 408")
        assert _say(url, post % 2_000_000).startswith(b"HTTP/1.1 413")
        assert _say(url, b"GET /healthz HTTP/1.1\r\nHost: " + host + b"\r\n\r\n").startswith(b"HTTP/1.1 200")
        assert time.monotonic() - began < 60
    assert "Traceback" not in (tmp_path / "application.log").read_text()
