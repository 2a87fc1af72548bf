"""What was asked is done, whether or not the client waits for the answer: as in Node, and so in Logto.

Quart cancels a request whose client leaves. SQLite's driver, cancelled between a statement and its answer,
keeps the lock until the garbage collector comes by, and everybody else waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


class Finishing:
    """An ASGI application that does not hear of clients who leave once all they sent has arrived."""

    def __init__(self, application: Callable[..., Awaitable[None]]) -> None:
        self._application = application

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one connection's request (ASGI 3)."""
        has_arrived = False

        async def hear() -> Message:
            nonlocal has_arrived
            if has_arrived:
                await asyncio.Event().wait()  # until the answer is out, and this is cancelled
            message = await receive()
            has_arrived = message["type"] == "http.request" and not message.get("more_body", False)
            return message

        await self._application(scope, hear, send)
