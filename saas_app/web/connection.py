"""One HTTP request in ASGI, for requests without a body and responses that are complete.

Quart runs three tasks for each request: for its body, for its view and for sending. Nearly all requests have
no body, and nearly all responses are complete when they are sent, so one task is enough for them.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, cast

from quart import Request, Response
from quart.asgi import ASGIHTTPConnection
from quart.utils import encode_headers
from quart.wrappers.response import DataBody

if TYPE_CHECKING:
    from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable, HTTPResponseBodyEvent
    from quart.typing import ResponseTypes

_BODILESS: Final = frozenset({"GET", "HEAD"})
_BODY_HEADERS: Final = frozenset({b"content-length", b"transfer-encoding"})  # RFC 9112 §6
_PATIENCE: Final = 0.05  # seconds after which a request ends if its client disconnects; most are faster


class Connection(ASGIHTTPConnection):
    """A request and its response."""

    async def __call__(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Answer the request. If its client disconnects, the view is canceled."""
        if self.scope["method"] not in _BODILESS or any(
            name in _BODY_HEADERS for name, _ in self.scope["headers"]
        ):
            await super().__call__(receive, send)
            return
        request = self._create_request_from_scope(send)
        request.body.set_complete()
        watch = _Watch(receive)
        try:
            await self.handle_request(request, send)
        except asyncio.CancelledError:
            if not watch.has_ended_request:
                raise
        finally:
            watch.stop()

    async def handle_request(self, request: Request, send: ASGISendCallable) -> None:
        """Answer the request within the timeout of its response, which begins when it is sent."""
        response = await self.app.handle_request(request)
        timeout = getattr(response, "timeout", Ellipsis)
        try:
            async with asyncio.timeout(
                self.app.config["RESPONSE_TIMEOUT"] if timeout is Ellipsis else timeout
            ):
                await self._send_response(send, response)
        except TimeoutError:
            pass  # as in Quart: the client did not read the response

    async def _send_response(self, send: ASGISendCallable, response: ResponseTypes) -> None:
        if not isinstance(response, Response) or not isinstance(response.response, DataBody):
            await super()._send_response(send, response)
            return
        await send(
            {
                "type": "http.response.start",
                "status": response.status_code,
                "headers": encode_headers(response.headers),
            }
        )
        data = response.response
        body = {"type": "http.response.body", "body": data.data[data.begin : data.end], "more_body": False}
        await send(cast("HTTPResponseBodyEvent", body))


class _Watch:
    """Cancels the current task if the client disconnects while the task takes longer than a moment."""

    def __init__(self, receive: ASGIReceiveCallable) -> None:
        self.has_ended_request = False
        self._receive = receive
        self._request: asyncio.Task[Any] | None = asyncio.current_task()
        self._waiting: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(_PATIENCE, self._start)

    def stop(self) -> None:
        """Stop watching."""
        self._timer.cancel()
        if self._waiting is not None:
            self._waiting.cancel()

    def _start(self) -> None:
        self._waiting = asyncio.create_task(self._wait())

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if self._request is not None:
            self.has_ended_request = self._request.cancel()
