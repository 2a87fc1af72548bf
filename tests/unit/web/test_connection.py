"""Requests without a body and complete responses in one task: the answers of Quart, and the same ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from quart import Quart, Response, redirect, request
from werkzeug.wrappers import Response as WerkzeugResponse

from saas_app.web.connection import Connection


@pytest.fixture
def started() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
def ended() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
def app(started: asyncio.Event, ended: asyncio.Event) -> Quart:
    app = Quart(__name__)
    app.asgi_http_class = Connection

    @app.get("/wait")
    async def wait() -> str:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return ""

    @app.get("/stream")
    async def stream() -> Response:
        async def body() -> AsyncIterator[bytes]:
            yield b"one,"
            yield b"two"

        return Response(body())

    @app.get("/stuck")
    async def stuck() -> Response:
        response = Response("never read")
        response.timeout = 0.01
        return response

    @app.get("/away")
    async def away() -> WerkzeugResponse:
        return redirect("/text")

    @app.route("/text", methods=["GET", "POST"])
    async def text() -> str:
        return f"{request.method} {await request.get_data(as_text=True)}"

    return app


class Exchange:
    """One request to an application in ASGI, and the messages that it sends."""

    def __init__(self, app: Quart, path: str, method: str = "GET", *headers: tuple[bytes, bytes]) -> None:
        self.received: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.sent: list[dict[str, Any]] = []
        self.blocks = False
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"",
            "headers": [(b"host", b"localhost"), *headers], "root_path": "",
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2),
        }  # fmt: skip
        self.task = asyncio.create_task(app(scope, self.received.get, self._send))  # type: ignore[arg-type]

    async def _send(self, message: Any) -> None:
        if self.blocks:
            await asyncio.Event().wait()
        self.sent.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.sent[1:])


async def test_a_complete_response_is_two_messages(app: Quart) -> None:
    exchange = Exchange(app, "/text")
    await exchange.task
    assert [message["type"] for message in exchange.sent] == ["http.response.start", "http.response.body"]
    assert exchange.sent[0]["status"] == 200
    assert (b"content-length", b"4") in exchange.sent[0]["headers"]
    assert exchange.sent[1] == {"type": "http.response.body", "body": b"GET ", "more_body": False}


@pytest.mark.parametrize(
    ("path", "status", "body"), [("/stream", 200, b"one,two"), ("/away", 302, None), ("/nowhere", 404, None)]
)
async def test_other_responses_are_sent_to_their_end(
    app: Quart, path: str, status: int, body: bytes | None
) -> None:
    exchange = Exchange(app, path)
    await exchange.task
    assert exchange.sent[0]["status"] == status
    assert exchange.sent[-1]["more_body"] is False
    assert body is None or exchange.body == body


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", [(b"content-length", b"4")]),
        ("GET", [(b"transfer-encoding", b"chunked")]),
        ("POST", [(b"content-length", b"4")]),
        ("POST", []),  # a body does not need a header in HTTP/2
    ],
)
async def test_a_body_is_read(app: Quart, method: str, headers: list[tuple[bytes, bytes]]) -> None:
    exchange = Exchange(app, "/text", method, *headers)
    await exchange.received.put({"type": "http.request", "body": b"bo", "more_body": True})
    await exchange.received.put({"type": "http.request", "body": b"dy", "more_body": False})
    await exchange.task
    assert exchange.body == f"{method} body".encode()


async def test_a_view_ends_when_its_client_disconnects(
    app: Quart, started: asyncio.Event, ended: asyncio.Event
) -> None:
    exchange = Exchange(app, "/wait")
    await started.wait()
    await exchange.received.put({"type": "http.request", "body": b"", "more_body": False})
    await exchange.received.put({"type": "http.disconnect"})
    await exchange.task
    assert ended.is_set()
    assert exchange.sent == []


async def test_a_server_that_cancels_a_request_learns_that_it_ended(
    app: Quart, started: asyncio.Event, ended: asyncio.Event
) -> None:
    exchange = Exchange(app, "/wait")
    await started.wait()
    exchange.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await exchange.task
    assert ended.is_set()


async def test_a_response_that_nobody_reads_ends_after_its_timeout(app: Quart) -> None:
    exchange = Exchange(app, "/stuck")
    exchange.blocks = True
    await asyncio.wait_for(exchange.task, 10)
    assert exchange.sent == []
