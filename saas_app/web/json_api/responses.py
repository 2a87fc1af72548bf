"""The responses of an API route: its return type, and decorators that declare further responses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

from pydantic import BaseModel
from quart.typing import HeadersValue, ResponseReturnValue

ApiResponse: TypeAlias = (
    BaseModel | ResponseReturnValue | tuple[BaseModel, int] | tuple[BaseModel, int, HeadersValue]
)
"""A model, alone or with a status and headers, or any response that Quart accepts."""

View = Callable[..., Awaitable[Any]]

ANSWERS: Final = "_api_answers"
SENDS: Final = "_api_sends"


def answers(*statuses: int) -> Callable[[View], View]:
    """Declare further statuses of a view, besides those of its guard and body."""

    def decorate(view: View) -> View:
        setattr(view, ANSWERS, getattr(view, ANSWERS, frozenset()) | frozenset(statuses))
        return view

    return decorate


def sends(*headers: str) -> Callable[[View], View]:
    """Declare the headers of a view's successful responses."""

    def decorate(view: View) -> View:
        setattr(view, SENDS, (*headers, *getattr(view, SENDS, ())))
        return view

    return decorate
