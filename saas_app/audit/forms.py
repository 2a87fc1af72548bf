"""The filter form of the audit log."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from wtforms import DateField, Form, HiddenField, SelectField, StringField, ValidationError
from wtforms.validators import Optional

from saas_app.audit.recorder import Action
from saas_app.audit.values import EventFilter, Outcome
from saas_app.text.translation import _
from saas_app.web.reader import current_reader
from saas_app.web.typed_text import DayField, at_most, clean_line

_NAME_LENGTH = 320  # as wide as the columns
_FIRST_YEAR, _LAST_YEAR = 2000, 2999


class EventFilterForm(Form):
    """The filter of the list. All fields are optional."""

    actor = StringField(_("Who"), filters=[clean_line], validators=[at_most(_NAME_LENGTH)])
    action = SelectField(
        _("Action"),
        default="",
        choices={"": _("Any"), **{action.value: action.label for action in Action}},
    )
    outcome = SelectField(
        _("Outcome"),
        default="",
        choices={
            "": _("Any"),
            Outcome.ALLOWED.value: _("Allowed"),
            Outcome.DENIED.value: _("Denied"),
        },
    )
    target = StringField(_("Target"), filters=[clean_line], validators=[at_most(_NAME_LENGTH)])
    since = DayField(_("From"), validators=[Optional()])
    until = DayField(_("Until"), validators=[Optional()])
    actor_id = HiddenField(_("Actor"), filters=[clean_line], validators=[at_most(_NAME_LENGTH)])
    target_id = HiddenField(_("Target"), filters=[clean_line], validators=[at_most(_NAME_LENGTH)])

    def validate_since(self, field: DateField) -> None:
        """Check that the year is one that the calendar and the database support."""
        _check_year(field.data)

    def validate_until(self, field: DateField) -> None:
        """Check the year, and that the day is not before ``since``."""
        _check_year(field.data)
        if field.data is not None and self.since.data is not None and field.data < self.since.data:
            raise ValidationError(_("The end date is before the start date."))

    def as_filter(self) -> EventFilter:
        """Return the filter. Call :meth:`validate` first. Both days are included, in the reader's zone."""
        return EventFilter(
            actor=self.actor.data or "",
            actor_id=self.actor_id.data or "",
            action=Action(self.action.data) if self.action.data else None,
            outcome=Outcome(self.outcome.data) if self.outcome.data else None,
            target=self.target.data or "",
            target_id=self.target_id.data or "",
            since=_midnight(self.since.data),
            until=_midnight(self.until.data + timedelta(days=1)) if self.until.data else None,
        )

    @property
    def kept(self) -> dict[str, str]:
        """Return the filter as query parameters, for links."""
        return {
            name: field.raw_data[0] for name, field in self._fields.items() if field.raw_data and field.data
        }


def _check_year(day: date | None) -> None:
    if day is not None and not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise ValidationError(
            _("Enter a year from %(first)s to %(last)s.", first=str(_FIRST_YEAR), last=str(_LAST_YEAR))
        )


def _midnight(day: date | None) -> datetime | None:
    """Return when a day begins for the reader, in UTC."""
    return datetime.combine(day, time.min, current_reader().zone).astimezone(UTC) if day else None
