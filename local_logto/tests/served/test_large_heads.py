"""Requests on a raw socket: an endless head, and a WebSocket."""

from __future__ import annotations

import contextlib
import socket
from urllib.parse import urlsplit

from local_logto.testing import Provider


def say(local_logto: Provider, head: str) -> str:
    """Send a head, and read until the server hangs up."""
    parts = urlsplit(local_logto.endpoint)
    address = (parts.hostname or "", parts.port or 0)
    answer = b""
    with socket.create_connection(address, timeout=30) as connection, contextlib.suppress(ConnectionError):
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {parts.netloc}\r\n{head}\r\n\r\n".encode())
        while piece := connection.recv(65536):
            answer += piece
    return answer.decode()


def test_endless_head_is_refused_and_the_server_keeps_working(local_logto: Provider) -> None:
    answer = say(local_logto, "X: " + "a" * 1_000_000)

    assert answer == "" or answer.startswith("HTTP/1.1 400")  # the client may be reset before it reads
    assert say(local_logto, "Connection: close").startswith("HTTP/1.1 200")


def test_websocket_request_is_answered_like_any_request(local_logto: Provider) -> None:
    answer = say(
        local_logto,
        "Connection: Upgrade, close\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13",
    )

    assert answer.startswith("HTTP/1.1 200")
    assert "Traceback" not in (local_logto.data_dir / "provider.log").read_text()
