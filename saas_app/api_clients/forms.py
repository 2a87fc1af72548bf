"""The forms for a new API client and for a new secret."""

from __future__ import annotations

from typing import Final

from wtforms import Form, RadioField, SelectField, StringField
from wtforms.validators import DataRequired

from saas_app.api_clients.values import DEFAULT_ROLE, ROLES, WantedClient
from saas_app.errors import Invalid
from saas_app.text.translation import _
from saas_app.web.typed_text import at_most, clean_line

NAME_LENGTH = 80
DESCRIPTION_LENGTH = 200
MAX_DAYS = 3650

OFFERED_LIFETIME: Final = "90"
"""The choice that is selected when a form opens."""

_NEVER: Final = "never"
_LIFETIMES: Final = {
    "30": _("After 30 days"),
    "90": _("After 90 days"),
    "365": _("After one year"),
    _NEVER: _("Never"),
}


class SecretForm(Form):
    """The lifetime of a new secret. Without a choice, the secret does not expire."""

    expires = SelectField(_("Secret expires"), choices=_LIFETIMES, default=_NEVER)

    @property
    def days(self) -> int | None:
        """The lifetime in days, or None for a secret that does not expire."""
        return None if self.expires.data == _NEVER else int(self.expires.data)


class ClientForm(SecretForm):
    """A new client: its name, what it is for, its role and the lifetime of its secret."""

    name = StringField(
        _("Name"),
        filters=[clean_line],
        validators=[DataRequired(_("Enter a name.")), at_most(NAME_LENGTH)],
    )
    description = StringField(
        _("Description"), filters=[clean_line], validators=[at_most(DESCRIPTION_LENGTH)]
    )
    role = RadioField(_("Role"), choices={name: name for name in ROLES}, default=DEFAULT_ROLE.value)

    def as_wanted(self) -> WantedClient:
        """Return the client to create. Call :meth:`validate` first."""
        return WantedClient(
            name=self.name.data or "",
            role=ROLES[self.role.data],
            description=self.description.data or "",
            days=self.days,
        )

    def refuse(self, error: Invalid) -> None:
        """Show the messages of an error at their fields."""
        for name, message in error.fields.items():
            self[name].errors = [*self[name].errors, message]
