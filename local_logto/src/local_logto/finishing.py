"""Requests run to their end even if the client leaves, as in Node and therefore in Logto.

Quart cancels a request when its client disconnects. If SQLite's driver is canceled in the middle of a
statement, the lock stays until garbage collection and blocks everyone else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


class Finishing:
    """An ASGI application that ignores a disconnect once the whole request has arrived."""

    def __init__(self, application: Callable[..., Awaitable[None]]) -> None:
        self._application = application

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        has_arrived = False

        async def receive_request() -> Message:
            nonlocal has_arrived
            if has_arrived:
                await asyncio.Event().wait()  # until the response is sent and this is canceled
            message = await receive()
            has_arrived = message["type"] == "http.request" and not message.get("more_body", False)
            return message

        await self._application(scope, receive_request, send)
