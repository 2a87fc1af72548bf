"""The filter form of the audit log."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from wtforms import DateField, Form, HiddenField, SelectField, StringField, ValidationError
from wtforms.validators import Optional

from saas_app.audit.recorder import Action
from saas_app.audit.values import EventFilter, Outcome
from saas_app.web.typed_text import DayField, at_most, clean_line

_NAME_LENGTH = 320  # as wide as the columns
_FIRST_YEAR, _LAST_YEAR = 2000, 2999


class EventFilterForm(Form):
    """The filter of the list. All fields are optional."""

    actor = StringField("Actor", filters=[clean_line], validators=[at_most(_NAME_LENGTH)])
    action = SelectField(
        "Action",
        default="",
        choices={"": "All actions", **{action.value: action.label for action in Action}},
    )
    outcome = SelectField(
        "Outcome",
        default="",
        choices={"": "All outcomes", Outcome.ALLOWED.value: "Allowed", Outcome.DENIED.value: "Denied"},
    )
    target = StringField("Target", filters=[clean_line], validators=[at_most(_NAME_LENGTH)])
    since = DayField("From (UTC)", validators=[Optional()])
    until = DayField("Until (UTC)", validators=[Optional()])
    actor_id = HiddenField("Actor", filters=[clean_line], validators=[at_most(_NAME_LENGTH)])
    target_id = HiddenField("Target", filters=[clean_line], validators=[at_most(_NAME_LENGTH)])

    def validate_since(self, field: DateField) -> None:
        """Check that the year is one that the calendar and the database support."""
        _check_year(field.data)

    def validate_until(self, field: DateField) -> None:
        """Check the year, and that the day is not before ``since``."""
        _check_year(field.data)
        if field.data is not None and self.since.data is not None and field.data < self.since.data:
            raise ValidationError("The end date is before the start date.")

    def as_filter(self) -> EventFilter:
        """Return the filter. Call :meth:`validate` first. Both days are included."""
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
        raise ValidationError(f"Enter a year from {_FIRST_YEAR} to {_LAST_YEAR}.")


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time.min, UTC) if day else None
