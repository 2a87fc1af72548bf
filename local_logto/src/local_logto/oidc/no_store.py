"""Responses that no cache may store: tokens, codes, and errors about them."""

from __future__ import annotations

from quart import Response


async def no_store(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
