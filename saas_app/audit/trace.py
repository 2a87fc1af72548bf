"""The current request, for the audit log. It is set at the edge, and read where events are recorded."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trace:
    """The request's id and the caller's address. Both are empty outside a request."""

    request_id: str = ""
    address: str = ""


_OUTSIDE = Trace()

current_trace: ContextVar[Trace] = ContextVar("current_trace", default=_OUTSIDE)
