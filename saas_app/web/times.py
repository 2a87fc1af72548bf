"""Moments and days as pages show them: by the reader's language, region and time zone (CLDR).

Moments are aware datetimes. Each is a ``time`` element whose title is the exact time in UTC. Formatting by
CLDR is slow, so its parts are remembered: the days, the times of day and the distances that occur repeat.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Final, Literal, TypeAlias

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time, format_timedelta, get_datetime_format
from markupsafe import Markup, escape

from saas_app.text.translation import _, ngettext
from saas_app.web.reader import current_reader

Unit: TypeAlias = Literal["year", "month", "day", "hour", "minute"]

_UNITS: Final[tuple[tuple[Unit, int], ...]] = (
    ("year", 31_557_600),
    ("month", 2_629_800),
    ("day", 86_400),
    ("hour", 3600),
    ("minute", 60),
)
_ALWAYS: Final = 1e9  # the threshold of a larger unit: never reached
_JUST_NOW: Final = _("just now")
_IN_A_MOMENT: Final = _("in a moment")


def exact_utc(moment: datetime) -> str:
    """Format the exact time, for a title: ``2026-11-21 12:35:07 UTC``."""
    return f"{_seconds(moment)} UTC"


def ago(moment: datetime, now: datetime | None = None) -> str:
    """Return how long ago a moment was, or how far ahead it is, in the largest unit that fits."""
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    for unit, length in _UNITS:
        count = int(abs(seconds) // length)
        if count:
            return _distance(
                current_reader().locale, unit, -count * length if seconds > 0 else count * length
            )
    return (_JUST_NOW if seconds >= 0 else _IN_A_MOMENT).said


def local_time(moment: datetime) -> Markup:
    """Return a moment as a ``time`` element in the reader's zone, or for our script to convert."""
    reader = current_reader()
    text = local_text(moment)
    return _element(moment, text) if reader.has_zone else _element(moment, f"{text} UTC", " data-local")


def local_text(moment: datetime) -> str:
    """Return a moment in the reader's zone as text, such as *21 Nov 2026, 13:35*."""
    reader = current_reader()
    there = moment.astimezone(reader.zone)
    return _joined(reader.locale).format(
        _clock(reader.locale, there.hour, there.minute), day_text(there.date())
    )


def exact_text(moment: datetime) -> str:
    """Return a moment for a sentence, in the reader's zone, or in UTC and saying so if it is not known."""
    text = local_text(moment)
    return text if current_reader().has_zone else f"{text} UTC"


def time_left(moment: datetime) -> Markup:
    """Return how long it is until a moment, as a ``time`` element such as *58 minutes left*."""
    seconds = max(60, (moment - datetime.now(UTC)).total_seconds())
    unit, length = next((unit, length) for unit, length in _UNITS if seconds >= length)
    count = int(seconds // length)
    distance = _distance(current_reader().locale, unit, count * length, has_direction=False)
    left = ngettext("%(distance)s left", "%(distance)s left", count, distance=distance)
    return _element(moment, left.shown, tooltip=exact_text(moment))


def relative_time(moment: datetime) -> Markup:
    """Return a moment as a ``time`` element such as *3 minutes ago*."""
    return _element(moment, ago(moment))


def day(value: date) -> Markup:
    """Return a day as a ``time`` element."""
    return Markup('<time datetime="{}" class="nowrap">{}</time>').format(value.isoformat(), day_text(value))


def day_text(value: date) -> str:
    """Return a day as text, such as *21 Nov 2026*."""
    return _day(current_reader().locale, value)


def short_day(value: date) -> str:
    """Return a day without its year, such as *21 Nov*, for charts."""
    return _short_day(current_reader().locale, value)


@lru_cache(maxsize=4096)
def _day(locale: Locale, value: date) -> str:
    return format_date(value, "medium", locale)


@lru_cache(maxsize=1024)
def _short_day(locale: Locale, value: date) -> str:
    return format_skeleton("MMMd", value, locale=locale)


@lru_cache(maxsize=4096)
def _clock(locale: Locale, hour: int, minute: int) -> str:
    return format_time(time(hour, minute), "short", locale=locale)


@lru_cache(maxsize=64)
def _joined(locale: Locale) -> str:
    """Return how a time {0} and a day {1} stand together."""
    return str(get_datetime_format("medium", locale)).replace("'", "")


@lru_cache(maxsize=4096)
def _distance(locale: Locale, unit: Unit, seconds: int, *, has_direction: bool = True) -> str:
    return format_timedelta(
        seconds,
        granularity=unit,
        threshold=_ALWAYS,
        add_direction=has_direction,
        locale=locale,
    )


def _element(moment: datetime, text: str, attributes: str = "", tooltip: str = "") -> Markup:
    """Return a ``time`` element whose title is the exact time, in UTC. All parts are digits and our words."""
    exact = _seconds(moment)
    stamp, tooltip = f"{exact[:10]}T{exact[11:]}Z", escape(tooltip or f"{exact} UTC")
    return Markup(f'<time datetime="{stamp}" title="{tooltip}"{attributes}>{escape(text)}</time>')  # noqa: S704


def _seconds(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(" ", "seconds")[:19]
