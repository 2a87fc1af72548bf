"""The reader's time zone, which our script stores in a cookie, and their current day.

Without the script, or if this machine does not know the zone, it is UTC. The cookie only affects display.
"""

from __future__ import annotations

from datetime import UTC, date, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from quart import request

from saas_app.db.base import utc_now

ZONE_COOKIE: Final = "workroom_zone"


def reader_zone() -> tzinfo:
    """Return the reader's time zone."""
    name = request.cookies.get(ZONE_COOKIE, "")
    return ZoneInfo(name) if name in _known_zones() else UTC


def reader_day() -> date:
    """Return the current day in the reader's time zone."""
    return utc_now().astimezone(reader_zone()).date()


@lru_cache(maxsize=1)
def _known_zones() -> frozenset[str]:
    """Return the zones of this machine. No file is opened for any other name."""
    return frozenset(available_timezones())
