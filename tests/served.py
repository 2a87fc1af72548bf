"""The address at which the application of the tests answers over HTTP, for Logto and other servers.

Tests send their own requests with the test client, which is faster and reaches the same application.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

from quart import Quart
from uvicorn.config import Config
from uvicorn.server import ServerState

from saas_app.http_server import Bounds
from saas_app.http_server.protocol import bounded
from saas_app.webhooks.events import BACKCHANNEL_LOGOUT_PATH, WEBHOOK_PATH

_SOCKET = socket.socket()  # not shared: no other process gets the port before or after it is served
_SOCKET.bind(("127.0.0.1", 0))
atexit.register(_SOCKET.close)  # in case nothing is served

APP_URL = f"http://localhost:{_SOCKET.getsockname()[1]}"
"""The address of this test process's application. It differs in every process."""

_LOST = (WEBHOOK_PATH, BACKCHANNEL_LOGOUT_PATH)


@contextlib.asynccontextmanager
async def served(app: Quart) -> AsyncIterator[None]:
    """Serve a running application at :data:`APP_URL` as ``saas-app serve`` does, until the block ends.

    Once in a process. Logto's own notifications get lost: a test decides which of them arrive, and when.
    There is no :class:`uvicorn.Server`, because it would take Ctrl+C away from pytest and stop slowly.
    """

    async def without_notifications(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] not in _LOST:
            await app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 503, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    config = Config(
        without_notifications, http=bounded(Bounds()), ws="none", lifespan="off", log_config=None,
        access_log=False, proxy_headers=False,
    )  # fmt: skip
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: config.http_protocol_class(config=config, server_state=state, app_state={}),  # type: ignore[call-arg]
        sock=_SOCKET,
    )
    try:
        yield
    finally:
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()
        await asyncio.gather(*state.tasks, return_exceptions=True)
        await server.wait_closed()
