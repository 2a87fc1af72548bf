"""Checks the content of a request after its caller is allowed, and before the view runs.

A module that accepts a format registers the check for it (``register_check``). Checks read the body, so they
run before the view's transaction begins, and no transaction is open while a slow body arrives.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from quart import Quart, current_app

View = Callable[..., Awaitable[Any]]
Check = Callable[[View], Awaitable[None]]
"""Checks the content that the request sends to this view, and raises the error if it is invalid."""

_CHECKS: Final = "workroom_checks_of_what_is_sent"


def register_check(app: Quart, check: Check) -> None:
    """Run ``check`` before every guarded view of ``app``."""
    app.extensions.setdefault(_CHECKS, []).append(check)


async def check_sent(view: View) -> None:
    """Run all registered checks for the view of this request."""
    checks: list[Check] = current_app.extensions.get(_CHECKS, [])
    for check in checks:
        await check(view)
