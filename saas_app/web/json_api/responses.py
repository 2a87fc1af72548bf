"""What a route of the JSON API returns, and what else it may answer, declared where the route is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

from pydantic import BaseModel
from quart.typing import HeadersValue, ResponseReturnValue

ApiResponse: TypeAlias = (
    BaseModel | ResponseReturnValue | tuple[BaseModel, int] | tuple[BaseModel, int, HeadersValue]
)
"""A model, alone or with its status and headers, or any response of Quart's."""

View = Callable[..., Awaitable[Any]]

ANSWERS: Final = "_api_answers"
SENDS: Final = "_api_sends"


def answers(*statuses: int) -> Callable[[View], View]:
    """Say that a view may also answer with these statuses, beside what its guard and body bring along."""

    def decorate(view: View) -> View:
        setattr(view, ANSWERS, getattr(view, ANSWERS, frozenset()) | frozenset(statuses))
        return view

    return decorate


def sends(*headers: str) -> Callable[[View], View]:
    """Say which headers every success of a view carries."""

    def decorate(view: View) -> View:
        setattr(view, SENDS, (*headers, *getattr(view, SENDS, ())))
        return view

    return decorate
