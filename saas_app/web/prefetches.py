"""Tells deliberate requests from prefetches, and from HEAD requests, which request no content.

Opening some pages has an effect: an export is recorded, a callback can be used once. Only a deliberate GET
has that effect. Other requests get no content, so that nothing leaves without being recorded. A browser that
has prefetched such a page requests it again when the person opens it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Final

from quart import Request, Response, request

View = Callable[..., Awaitable[Any]]

_PURPOSE_HEADERS: Final = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
_AHEAD: Final = ("prefetch", "prerender", "preview")


def is_prefetch(incoming: Request) -> bool:
    """Return whether a browser is prefetching this (Fetch Standard, ``Sec-Purpose``)."""
    purposes = " ".join(incoming.headers.get(name, "") for name in _PURPOSE_HEADERS).lower()
    return any(word in purposes for word in _AHEAD)


def is_deliberate(incoming: Request) -> bool:
    """Return whether a person or program has opened this URL: it is neither HEAD nor a prefetch."""
    return incoming.method != "HEAD" and not is_prefetch(incoming)


def only_deliberately(view: View) -> View:
    """Run a GET view that has an effect for deliberate requests only. Place it below the guard."""

    @wraps(view)
    async def opened(*arguments: Any, **named: Any) -> Any:
        if not is_deliberate(request):
            return no_content()
        return await view(*arguments, **named)

    return opened


def no_content() -> Response:
    """Return the response to other requests: no content, not to be cached."""
    headers = {"Cache-Control": "no-store", "Vary": ", ".join(_PURPOSE_HEADERS)}
    return Response("", 200 if request.method == "HEAD" else 204, headers)
