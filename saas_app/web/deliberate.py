"""Requests that nobody made on purpose: what a browser fetches ahead, and HEAD, which asks for no content.

Some pages leave a trace or use something up when they are opened: an export is recorded, a callback counts
once. They do so only for a deliberate GET. Anything else gets no content, so that nobody has what was not
recorded; a browser that fetched ahead asks again when somebody really opens it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Final

from quart import Request, Response, request

View = Callable[..., Awaitable[Any]]

_PURPOSE_HEADERS: Final = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
_AHEAD: Final = ("prefetch", "prerender", "preview")


def is_fetched_ahead(incoming: Request) -> bool:
    """Return whether a browser fetches this in case somebody opens it (Fetch Standard, ``Sec-Purpose``)."""
    purposes = " ".join(incoming.headers.get(name, "") for name in _PURPOSE_HEADERS).lower()
    return any(word in purposes for word in _AHEAD)


def is_deliberate(incoming: Request) -> bool:
    """Return whether somebody opened this address: neither HEAD nor fetched ahead."""
    return incoming.method != "HEAD" and not is_fetched_ahead(incoming)


def only_deliberately(view: View) -> View:
    """Let a GET view that leaves a trace run only when somebody opens it. Innermost, behind the guard."""

    @wraps(view)
    async def opened(*arguments: Any, **named: Any) -> Any:
        if not is_deliberate(request):
            return nothing_yet()
        return await view(*arguments, **named)

    return opened


def nothing_yet() -> Response:
    """The answer to what was not asked for on purpose: no content, and nothing that may be kept."""
    headers = {"Cache-Control": "no-store", "Vary": ", ".join(_PURPOSE_HEADERS)}
    return Response("", 200 if request.method == "HEAD" else 204, headers)
