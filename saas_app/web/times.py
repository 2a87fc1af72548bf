"""Moments as pages show them: in UTC, or relative to now. Moments are aware datetimes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from markupsafe import Markup

_UNITS: Final = (("year", 31_557_600), ("month", 2_629_800), ("day", 86_400), ("hour", 3600), ("minute", 60))
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def exact_utc(moment: datetime) -> str:
    """Format the exact time, for a title: ``2026-11-21 12:35:07 UTC``."""
    return f"{_seconds(moment)} UTC"


def ago(moment: datetime, now: datetime | None = None) -> str:
    """Return how long ago a moment was, or how far ahead it is, in the largest unit that fits."""
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    for name, length in _UNITS:
        count = int(abs(seconds) // length)
        if count:
            span = f"{count} {name}{'' if count == 1 else 's'}"
            return f"{span} ago" if seconds > 0 else f"in {span}"
    return "just now" if seconds >= 0 else "in a moment"


def local_time(moment: datetime) -> Markup:
    """Return a moment as a ``time`` element: in the reader's zone with our script, else in UTC."""
    return _element(moment, _short(moment), " data-local")


def utc_time(moment: datetime) -> Markup:
    """Return a moment as a ``time`` element that stays in UTC.

    For pages whose filters and files use UTC, so that readers do not compare two zones.
    """
    return _element(moment, _short(moment))


def relative_time(moment: datetime) -> Markup:
    """Return a moment as a ``time`` element such as *3 minutes ago*."""
    return _element(moment, ago(moment))


def _element(moment: datetime, text: str, attributes: str = "") -> Markup:
    """Return a ``time`` element with the exact UTC time as its title. All parts are digits and our words."""
    exact = _seconds(moment)
    stamp = f"{exact[:10]}T{exact[11:]}Z"
    return Markup(f'<time datetime="{stamp}" title="{exact} UTC"{attributes}>{text}</time>')  # noqa: S704


def _seconds(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(" ", "seconds")[:19]


def _short(moment: datetime) -> str:
    utc = moment.astimezone(UTC)
    return f"{utc.day} {_MONTHS[utc.month - 1]} {utc.year}, {utc.hour:02}:{utc.minute:02} UTC"
