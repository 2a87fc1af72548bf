"""The time on Logto's clock, derived from the tokens that it issues.

The clocks of two machines are never compared. A token that Logto has just issued carries Logto's time
(``iat``). Later times are that time plus the elapsed time, which a monotonic clock measures.
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
"""Seconds of clock skew that token checks accept."""

_LONGEST_AGE: Final = 3_600.0  # seconds; an older reading may have drifted too far
_TOLERANCE: Final = 1.0  # seconds; the servers of one Logto may differ by that much


@dataclass(frozen=True, slots=True)
class Moment:
    """A time on Logto's clock, in Unix seconds: not before ``earliest`` and not after ``latest``."""

    earliest: int
    latest: int

    @classmethod
    def from_own_clock(cls, time_: datetime) -> Moment:
        """Return bounds for a time on our own clock, with the skew that token checks accept."""
        moment = time_.timestamp()
        return cls(math.floor(moment - LEEWAY) - 1, math.floor(moment + LEEWAY) + 1)


@dataclass(frozen=True, slots=True)
class _Reading:
    issued_at: int
    asked: float
    answered: float


class ProviderClock:
    """Logto's clock, as far as this process knows it."""

    def __init__(self) -> None:
        self._latest: _Reading | None = None

    def learn(self, token: str, *, asked: float, answered: float) -> None:
        """Read the time from a token that Logto has just sent. A token without a time is ignored.

        ``asked`` and ``answered`` are when it was requested and received (``time.monotonic()``).
        """
        issued_at = _issued_at(token)
        if issued_at is not None:
            self._latest = _Reading(issued_at, asked, answered)

    def between(self, began: float, ended: float) -> Moment | None:
        """Return Logto's time between two values of ``time.monotonic()``, or None if it is not known."""
        reading = self._latest
        if reading is None or time.monotonic() - reading.answered > _LONGEST_AGE:
            return None
        earliest = reading.issued_at + (began - reading.answered)
        latest = reading.issued_at + 1 + (ended - reading.asked)  # iat is whole seconds, cut off
        return Moment(math.floor(earliest - _TOLERANCE), math.floor(latest))


def _issued_at(token: str) -> int | None:
    """Return the ``iat`` of a JWT. It is not verified, because it came from Logto directly."""
    try:
        _header, payload, _signature = token.split(".")
        issued_at = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["iat"]
    except (ValueError, KeyError, TypeError, binascii.Error):
        return None
    return issued_at if isinstance(issued_at, int) and not isinstance(issued_at, bool) else None
