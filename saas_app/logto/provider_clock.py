"""What time it is at Logto, as far as its own tokens tell.

Two machines' clocks are never compared. A token that Logto has just issued carries Logto's time (``iat``),
and from then on only elapsed time is added, measured by a clock that never goes back.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Final

LEEWAY: Final = 30
"""Seconds of clock skew that token checks forgive."""

_LONGEST_AGE: Final = 3_600.0  # seconds after which a reading has drifted too far
_TOLERANCE: Final = 1.0  # seconds by which several servers of one Logto may differ


@dataclass(frozen=True, slots=True)
class Moment:
    """When something happened, on Logto's clock: not before the second ``earliest`` nor after ``latest``."""

    earliest: int
    latest: int

    @classmethod
    def of_ours(cls, ours: datetime) -> Moment:
        """Bounds from our own clock alone: Logto's may differ by the skew that token checks accept."""
        moment = ours.timestamp()
        return cls(math.floor(moment - LEEWAY) - 1, math.floor(moment + LEEWAY) + 1)


@dataclass(frozen=True, slots=True)
class _Reading:
    issued_at: int
    asked: float
    answered: float


class ProviderClock:
    """Logto's clock within bounds, for the whole process."""

    def __init__(self) -> None:
        self._latest: _Reading | None = None

    def learn(self, token: str, *, asked: float, answered: float) -> None:
        """Take in a token that Logto has just sent us, and when it was asked for and came
        (``time.monotonic()``). One that tells no time teaches nothing.
        """
        issued_at = _issued_at(token)
        if issued_at is not None:
            self._latest = _Reading(issued_at, asked, answered)

    def between(self, began: float, ended: float) -> Moment | None:
        """Return Logto's time between two moments of ``time.monotonic()``. None if no token has told it."""
        reading = self._latest
        if reading is None or time.monotonic() - reading.answered > _LONGEST_AGE:
            return None
        earliest = reading.issued_at + (began - reading.answered)
        latest = reading.issued_at + 1 + (ended - reading.asked)  # iat is whole seconds, cut off
        return Moment(math.floor(earliest - _TOLERANCE), math.floor(latest))


def _issued_at(token: str) -> int | None:
    """The ``iat`` of a JWT that came from Logto itself, so that there is nothing to verify."""
    try:
        _header, payload, _signature = token.split(".")
        issued_at = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["iat"]
    except (ValueError, KeyError, TypeError, binascii.Error):
        return None
    return issued_at if isinstance(issued_at, int) and not isinstance(issued_at, bool) else None
