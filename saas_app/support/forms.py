"""Reads the forms of support access: what an organization allows, and what an agent asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from wtforms import Form, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired

from saas_app.errors import BadRequest
from saas_app.support.values import REASON_LENGTH, TICKET_LENGTH, ConsentChoice
from saas_app.text.translation import _
from saas_app.web.durations import FIELD, Duration, read_end
from saas_app.web.typed_text import at_most, clean_line, clean_text

MEMBER_LENGTH: Final = 320
READ, WRITE = "read", "write"

DURATIONS: Final = (Duration.HOUR, Duration.DAY, Duration.WEEK, Duration.NO_END)
"""For how long an organization can allow support access."""

FIRST_DURATION: Final = Duration.DAY

_LEVELS: Final = ((READ, _("View only")), (WRITE, _("View, and change projects and tasks")))


class StartForm(Form):
    """Whom an agent acts for, and why."""

    member = StringField(
        _("Member"),
        filters=[clean_line],
        validators=[
            DataRequired(_("Enter the email address, username or user ID of the member.")),
            at_most(MEMBER_LENGTH),
        ],
    )
    ticket = StringField(
        _("Ticket"),
        filters=[clean_line],
        validators=[DataRequired(_("Enter the number of the ticket.")), at_most(TICKET_LENGTH)],
    )
    reason = TextAreaField(
        _("Reason"),
        filters=[clean_text],
        validators=[DataRequired(_("Enter why you need this access.")), at_most(REASON_LENGTH)],
    )
    level = SelectField(_("What you can do"), default=READ)

    def __init__(self, formdata: Any = None, *, offers_writing: bool, **values: Any) -> None:
        super().__init__(formdata, **values)
        self.level.choices = list(_LEVELS if offers_writing else _LEVELS[:1])

    @property
    def writes(self) -> bool:
        """Whether the agent wants to change projects and tasks. Call :meth:`validate` first."""
        return bool(self.level.data == WRITE)


def read_consent(fields: Mapping[str, str]) -> ConsentChoice | None:
    """Return what the organization allows, or None if it allows nothing. Raises :class:`BadRequest`."""
    allow = fields.get("allow", "")
    if allow == "no":
        return None
    if allow != "yes" or fields.get(FIELD) not in DURATIONS:
        raise BadRequest(
            _("The form does not say how long to allow support access. Reload the page and try again.")
        )
    return ConsentChoice(read_end(fields), writes=fields.get("writes") == "yes")
