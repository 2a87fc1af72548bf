"""Which request is being answered: for the audit trail. Set at the edge, read where events are written."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trace:
    """The request's id and the caller's address; empty outside a request."""

    request_id: str = ""
    address: str = ""


_OUTSIDE = Trace()

current_trace: ContextVar[Trace] = ContextVar("current_trace", default=_OUTSIDE)
