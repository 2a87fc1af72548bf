"""Uvicorn's HTTP protocol on httptools, with limits that Uvicorn does not have.

It subclasses Uvicorn's own protocol and is passed as the ``http`` setting. Nearly all requests arrive in one
piece. Such a request costs only a few more comparisons, because no timer is started for it.
"""

from __future__ import annotations

import asyncio
from functools import partial
from http import HTTPStatus
from typing import Any, Final, cast

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from saas_app.http_server.bounds import Bounds
from saas_app.http_server.draining import is_draining

_BODY_HEADERS = frozenset({b"content-length", b"transfer-encoding"})
_REFUSALS = {
    HTTPStatus.BAD_REQUEST: "The request is not valid HTTP/1.1.",
    HTTPStatus.REQUEST_TIMEOUT: "The request took too long to arrive.",
    HTTPStatus.REQUEST_URI_TOO_LONG: "The address of the request is too long.",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "The headers of the request are too large or too many.",
    HTTPStatus.NOT_IMPLEMENTED: "Only the transfer coding chunked is supported.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Too many connections are open. Try again in a moment.",
}
_NO_WEBSOCKETS = "WebSockets are not supported here."


def bounded(bounds: Bounds) -> type[asyncio.Protocol]:
    """Return the value for Uvicorn's ``http`` setting. Worker processes can unpickle it."""
    return cast("type[asyncio.Protocol]", partial(BoundedHttpProtocol, bounds=bounds))


# What a connection waits for. Looking up an enum's members would cost more than everything else here.
_HEAD: Final = 0
_BODY: Final = 1
_RESPONSE: Final = 2  # the request is complete; also between requests, under Uvicorn's keep-alive timeout


class _Refused(Exception):
    """Raised in a callback to stop the parser."""


class BoundedHttpProtocol(HttpToolsProtocol):
    """A client's connection. Malformed requests and those beyond its :class:`Bounds` are rejected."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        bounds: Bounds,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.bounds = bounds
        self.url = b""  # set early, because any number of blank lines may come before a request
        self._waiting = _HEAD
        self._since = 0.0  # when this wait began; 0 while everything has arrived in one piece
        self._timer: asyncio.TimerHandle | None = None
        self._send_timer: asyncio.TimerHandle | None = None
        self._chunk_size = 0
        self._chunk_is_shared = False  # the chunk began with bytes of another request
        self._head_size = 0
        self._body_size = 0
        self._refusal = (HTTPStatus.BAD_REQUEST, _REFUSALS[HTTPStatus.BAD_REQUEST])
        self._ignores_input = False  # whatever arrives is discarded
        self._is_last = False  # the server stops, and closes the connection with the next response
        self._dropped = 0

    # The connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the timer for the first request. If there are too many connections, close an idle one."""
        super().connection_made(transport)
        self._arm()
        if len(self.connections) > self.bounds.connections and not self._close_an_idle_one():
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timers."""
        super().connection_lost(exc)
        for timer in (self._timer, self._send_timer):
            if timer is not None:
                timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Feed the parser. Reject what is not HTTP and what is too large."""
        if self._ignores_input:
            self._dropped += len(data)
            if self._dropped > self.bounds.linger_size:
                self.transport.abort()
            return
        self._unset_keepalive_if_required()
        self._chunk_size = len(data)
        self._chunk_is_shared = self._waiting == _BODY
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self._refuse(*self._refusal)
            return
        except httptools.HttpParserUpgrade:
            self._ignores_input = True  # answered as HTTP; the bytes that follow are of another protocol
        if self._waiting != _RESPONSE or self.cycle.response_complete:
            self._after_part()

    def _after_part(self) -> None:
        """Apply the limits to a request that is not complete yet."""
        if self._waiting == _RESPONSE:
            if self._ignores_input or self.transport.is_closing():
                return
            self._waiting, self._since = _HEAD, 0.0  # blank lines between requests
        elif self._waiting == _HEAD:
            self._head_size += 0 if self._chunk_is_shared else self._chunk_size
            if self._head_size > self.bounds.head_size:
                self._refuse(self._status_of_large_head())
                return
        self._arm()

    def _arm(self) -> None:
        """Check the deadline when it is due. A timer that fires earlier is left running."""
        self._since = self._since or self.loop.time()
        deadline = self._deadline()
        if self._timer is not None and self._timer.when() > deadline:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self.loop.call_at(deadline, self._check_deadline)

    # Callbacks of the parser

    def on_message_begin(self) -> None:
        """Reset the state for a new request."""
        super().on_message_begin()
        self._waiting = _HEAD
        self._since = 0.0
        self._head_size = 0

    def on_headers_complete(self) -> None:
        """Check the head, then let Uvicorn start the application."""
        if len(self.headers) > self.bounds.header_count or (
            self._head_size + self._chunk_size > self.bounds.head_size
            and self._parsed_head_size() > self.bounds.head_size
        ):
            self._stop(self._status_of_large_head())
        is_upgrade = self.parser.should_upgrade()
        if is_upgrade:
            self._require_harmless_upgrade()
        if not self.url.startswith(b"/"):
            self._require_own_target()
        self._require_known_coding()
        self._waiting = _BODY
        self._since = 0.0
        self._body_size = 0
        super().on_headers_complete()
        if is_upgrade or self._is_last or is_draining(self.app_state):
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Count the bytes of the body, which extend its deadline."""
        self._body_size += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Stop the deadline, because the whole request has arrived."""
        self._waiting = _RESPONSE
        self._chunk_is_shared = True
        super().on_message_complete()

    def _should_upgrade(self) -> bool:
        return False

    def _require_harmless_upgrade(self) -> None:
        """Ignore an upgrade to another protocol (RFC 9110 §7.8). Reject WebSockets, bodies and CONNECT."""
        names = {name for name, _ in self.headers}
        if self._get_upgrade() == b"websocket":
            self._stop(HTTPStatus.BAD_REQUEST, _NO_WEBSOCKETS)
        if names & _BODY_HEADERS or self.parser.get_method() == b"CONNECT":
            self._stop(HTTPStatus.BAD_REQUEST)

    def _require_own_target(self) -> None:
        """Require that an absolute target names the host of the Host header (RFC 9112 §3.2.2)."""
        if self.url == b"*":
            return
        hosts = [value.lower() for name, value in self.headers if name == b"host"]
        authority = self.url.lower().partition(b"://")[2].partition(b"/")[0].partition(b"?")[0]
        if hosts != [authority]:
            self._stop(HTTPStatus.BAD_REQUEST)

    def _require_known_coding(self) -> None:
        """Reject transfer codings except chunked (RFC 9112 §6.1), because bodies are not decompressed."""
        codings = [value.strip().lower() for name, value in self.headers if name == b"transfer-encoding"]
        if codings and codings != [b"chunked"]:
            self._stop(HTTPStatus.NOT_IMPLEMENTED)

    def _parsed_head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _status_of_large_head(self) -> HTTPStatus:
        if len(self.url) > self.bounds.head_size // 2:
            return HTTPStatus.REQUEST_URI_TOO_LONG
        return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE

    def _stop(self, status: HTTPStatus, sentence: str = "") -> None:
        self._refusal = (status, sentence or _REFUSALS[status])
        raise _Refused

    # Responses of the application

    def on_response_complete(self) -> None:
        """Close the connection if the application responded before the whole body arrived."""
        if self.transport.is_closing():
            self._bound_sending()
        elif self._waiting == _BODY and self.cycle.response_complete:
            self.server_state.total_requests += 1
            self._linger()
            return
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Start the send timer: a client that does not read for ``send_timeout`` seconds is disconnected."""
        super().pause_writing()
        self._bound_sending()

    def resume_writing(self) -> None:
        """Stop the send timer, because the client reads again."""
        super().resume_writing()
        if self._send_timer is not None:
            self._send_timer.cancel()
            self._send_timer = None

    def shutdown(self) -> None:
        """Close the connection, but answer a request first that the client has sent or begun to send.

        The request of a client that has just connected is on its way. Closing now would reset the connection.
        """
        if self._waiting != _HEAD:
            super().shutdown()
            return
        self._is_last = True
        if not self._head_size:
            self._since = 0.0
        self._arm()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, even if its client never read the last response."""
        super().timeout_keep_alive_handler()
        self._bound_sending()

    def _bound_sending(self) -> None:
        if self._send_timer is None and self.transport.get_write_buffer_size():
            self._send_timer = self.loop.call_later(self.bounds.send_timeout, self.transport.abort)

    # Deadlines and rejections

    def _check_deadline(self) -> None:
        """Reject an overdue request. The timer may outlive its request and then checks the next one."""
        self._timer = None
        if self._waiting == _RESPONSE or self._ignores_input or self.transport.is_closing():
            return
        now = self.loop.time()
        if self.flow.read_paused:  # we are not reading, so the client is not late
            self._since = now
        if self._deadline() > now:
            self._arm()
        elif self._waiting == _HEAD and not self._head_size:
            self.transport.close()  # nothing was sent, so there is nothing to respond to
        else:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)

    def _deadline(self) -> float:
        if self._waiting == _HEAD:
            is_silent = self._is_last and not self._head_size
            return self._since + (self.bounds.last_timeout if is_silent else self.bounds.head_timeout)
        return self._since + self.bounds.body_timeout + self._body_size / self.bounds.body_rate

    def _close_an_idle_one(self) -> bool:
        """Close the connection that has been idle longest. Returns False if none is idle."""
        others = (other for other in self.connections if isinstance(other, BoundedHttpProtocol))
        idle = [other for other in others if other is not self and other.is_idle]
        if not idle:
            return False
        min(idle, key=lambda other: other._since).transport.abort()
        return True

    @property
    def is_idle(self) -> bool:
        """Whether no request is in progress: none has begun, or its head is not complete."""
        return self._waiting != _BODY and (self.cycle is None or self.cycle.response_complete)

    def _refuse(self, status: HTTPStatus, sentence: str = "") -> None:
        """Send an error response and close. If another response is in progress, only close."""
        if not self._withdraw_request():
            self._ignores_input = True
            self.transport.close()
            return
        text = (sentence or _REFUSALS[status]).encode()
        lines = [STATUS_LINE[status]]
        for name, value in self.server_state.default_headers:
            lines += [name, b": ", value, b"\r\n"]
        lines += [
            b"content-type: text/plain; charset=utf-8\r\ncache-control: no-store\r\nconnection: close\r\n",
            b"retry-after: 1\r\n" if status == HTTPStatus.SERVICE_UNAVAILABLE else b"",
            b"content-length: %d\r\n\r\n" % len(text),
            text,
        ]
        self.transport.write(b"".join(lines))
        self._linger()

    def _withdraw_request(self) -> bool:
        """Take an incomplete request from the application. Returns False if it is responding already."""
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            return True
        if self.pipeline or self._waiting != _BODY or cycle.response_started:
            return False
        cycle.disconnected = True
        cycle.message_event.set()
        return True

    def _linger(self) -> None:
        """Close for writing, and discard what still arrives, so that the client can read the response."""
        self._ignores_input = True
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(self.bounds.linger_timeout, self.transport.abort)
