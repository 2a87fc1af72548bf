"""A server that stands in for the Management API of Logto."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web

from saas_app.logto import ManagementClient

Reply = Callable[[web.Request], Any]
OpenClient = Callable[[float], ManagementClient]
ORGANIZATION: dict[str, Any] = {"id": "o1", "name": "Acme", "description": None, "customData": {}}


class StandIn:
    """A server that gives the responses a test chose, and records the calls."""

    def __init__(self) -> None:
        self.token_requests: list[dict[str, str]] = []
        self.calls: list[web.Request] = []
        self.bearers: list[str] = []
        self.replies: list[Reply] = []
        self.lifetime = 3600
        self.token_status = 200

    async def token(self, request: web.Request) -> web.Response:
        """Answer a request for a machine token."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.token_requests.append({**form, "authorization": request.headers["Authorization"]})
        await asyncio.sleep(0)  # every caller arrives before the first gets its answer
        if self.token_status != 200:
            body = {"code": "oidc.invalid_client", "error": "invalid_client", "error_description": "no"}
            return web.json_response(body, status=self.token_status)
        number = len(self.token_requests)
        return web.json_response({"access_token": f"token-{number}", "expires_in": self.lifetime})

    async def api(self, request: web.Request) -> web.StreamResponse:
        """Answer an API call with the next reply. The last reply is repeated."""
        self.calls.append(request)
        self.bearers.append(request.headers["Authorization"])
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        answer: web.StreamResponse = await reply(request)
        return answer


async def never(_request: web.Request) -> web.Response:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError


def replies(body: Any, status: int = 200, **headers: str) -> Reply:
    """Return a reply with this body, as JSON unless it is a text."""

    async def reply(_request: web.Request) -> web.Response:
        if isinstance(body, str):
            return web.Response(text=body, status=status)
        return web.json_response(body, status=status, headers=headers)

    return reply
