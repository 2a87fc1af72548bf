"""Which day it is for the reader: their time zone, as a script of ours tells it in a cookie.

Without a script, or where this machine knows no such zone, it is UTC. The cookie decides what is shown, and
nothing else.
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
    """The zone of whoever asks."""
    name = request.cookies.get(ZONE_COOKIE, "")
    return ZoneInfo(name) if name in _known_zones() else UTC


def reader_day() -> date:
    """What day it is there."""
    return utc_now().astimezone(reader_zone()).date()


@lru_cache(maxsize=1)
def _known_zones() -> frozenset[str]:
    """A name from outside opens no file unless it is one of these."""
    return frozenset(available_timezones())
