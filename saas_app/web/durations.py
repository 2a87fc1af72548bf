"""The choice of how long something lasts: an hour, some days, until a date, or without an end.

A template shows it with ``components/duration.html``. People type dates in their own time zone. A page that
previews a choice sends the end itself, so that what is confirmed is what was shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from saas_app.db.base import utc_now
from saas_app.errors import Invalid
from saas_app.text.translation import Sentence, _, ngettext
from saas_app.web.reader import current_reader
from saas_app.web.times import exact_text

FIELD: Final = "duration"
UNTIL_FIELD: Final = "until"

_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_MINUTE: Final = timedelta(minutes=1)
_UNCHOSEN: Final = _("Choose how long.")
_UNREADABLE: Final = _("Enter a date and a time, such as 2026-11-21 14:30.")


class Duration(StrEnum):
    """A choice of how long something lasts. The values are those of the form."""

    NO_END = "none"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    DATE = "date"

    @property
    def label(self) -> Sentence:
        """The choice in words."""
        return _LABELS[self]


_LABELS: Final[Mapping[Duration, Sentence]] = {
    Duration.NO_END: _("No end"),
    Duration.HOUR: ngettext("%(num)s hour", "%(num)s hours", 1),
    Duration.DAY: ngettext("%(num)s day", "%(num)s days", 1),
    Duration.WEEK: ngettext("%(num)s day", "%(num)s days", 7),
    Duration.DATE: _("Until a date"),
}
_LENGTHS: Final[Mapping[Duration, timedelta]] = {
    Duration.HOUR: timedelta(hours=1),
    Duration.DAY: timedelta(days=1),
    Duration.WEEK: timedelta(days=7),
}


@dataclass(frozen=True, slots=True)
class DurationField:
    """The choice as a template shows it. ``until``, ``earliest`` and ``latest`` are in the reader's zone."""

    durations: Sequence[Duration]
    chosen: Duration
    until: str
    earliest: str
    latest: str
    zone: str
    problem: str = ""


def duration_field(
    durations: Sequence[Duration],
    chosen: Duration,
    *,
    within: tuple[timedelta, timedelta],
    end: datetime | None = None,
    typed: Mapping[str, str] | None = None,
    problem: str = "",
) -> DurationField:
    """Return the choice for a template. ``within``: how soon and how late the end may be.

    ``typed`` is a form that is shown again, with its ``problem``. ``end`` fills in the date.
    """
    now, (shortest, longest) = utc_now(), within
    if typed is not None:
        chosen = next((duration for duration in durations if duration == typed.get(FIELD)), chosen)
        end = _moment_or_none(typed.get(UNTIL_FIELD, ""))
    return DurationField(
        durations,
        chosen,
        until=_typed(end or full_minute(now + _LENGTHS[Duration.DAY])),
        earliest=_typed(full_minute(now + shortest)),
        latest=_typed(now + longest),
        zone=str(current_reader().zone).replace("_", " "),
        problem=problem,
    )


def read_end(form: Mapping[str, str], default: Duration | None = None) -> datetime | None:
    """Return the end that a form chose, or None for no end.

    A form without the choice gets ``default``. Raises :class:`Invalid` for the field ``until``.
    """
    try:
        duration = Duration(form.get(FIELD, default or ""))
    except ValueError:
        raise _invalid(_UNCHOSEN) from None
    if duration is Duration.NO_END:
        return None
    if duration is not Duration.DATE:
        return full_minute(utc_now() + _LENGTHS[duration])
    try:
        return _read_moment(form.get(UNTIL_FIELD, ""))
    except (ValueError, OverflowError):
        raise _invalid(_UNREADABLE) from None


def end_fields(end: datetime | None) -> list[tuple[str, str]]:
    """Return hidden fields that choose exactly this end."""
    if end is None:
        return [(FIELD, Duration.NO_END)]
    return [(FIELD, Duration.DATE), (UNTIL_FIELD, end.astimezone(UTC).isoformat())]


def too_late(latest: datetime) -> Sentence:
    """Return the problem of an end that is later than the caller may choose."""
    return _(
        "You have the permissions of this role only until %(time)s. Choose an end that is not later.",
        time=exact_text(latest),
    )


def too_early(held_until: datetime) -> Sentence:
    """Return the problem of an end that would let a role end earlier, or not later, than it does."""
    return _("The role lasts until %(time)s. Choose a later end.", time=exact_text(held_until))


def _invalid(problem: Sentence) -> Invalid:
    return Invalid(problem, fields={UNTIL_FIELD: problem})


def _moment_or_none(text: str) -> datetime | None:
    try:
        return _read_moment(text)
    except (ValueError, OverflowError):
        return None


def _read_moment(text: str) -> datetime:
    """Read a moment in the reader's zone, or with an offset of its own.

    Of a time that occurs twice, as clocks are set back, the first is meant. Raises :class:`ValueError`, and
    :class:`OverflowError` also for a moment that the calendar of the reader's zone does not have.
    """
    if not _MOMENT.fullmatch(text):
        raise ValueError("not a moment")
    zone, moment = current_reader().zone, datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(zone).astimezone(UTC)


def full_minute(moment: datetime) -> datetime:
    """Return the next full minute, because people see and type no seconds."""
    floor = moment.replace(second=0, microsecond=0)
    return floor if floor == moment else floor + _MINUTE


def _typed(moment: datetime) -> str:
    """Return a moment as a field of the type ``datetime-local`` has it."""
    return moment.astimezone(current_reader().zone).replace(tzinfo=None).isoformat(timespec="minutes")
