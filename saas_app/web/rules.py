"""The rules for every request, in one pass: checks before its view, and what is added to its response.

None of them waits for anything, so they are plain functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from quart import Quart, Request, Response, request

Check: TypeAlias = Callable[[Request], None]
"""Raises the error of a request that is rejected."""

Finish: TypeAlias = Callable[[Request, Response], None]
"""Completes a response, including those of errors."""


def init(app: Quart, *, checks: Sequence[Check] = (), finishes: Sequence[Finish] = ()) -> None:
    """Apply the checks to every request, in this order, and then the finishes to its response."""

    @app.before_request
    async def check_request() -> None:
        incoming = request._get_current_object()  # type: ignore[attr-defined]  # without its proxy
        for check in checks:
            check(incoming)

    @app.after_request
    async def finish_response(response: Response) -> Response:
        incoming = request._get_current_object()  # type: ignore[attr-defined]
        for finish in finishes:
            finish(incoming, response)
        return response
