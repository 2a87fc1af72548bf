"""The forms for a new API client and for a new secret."""

from __future__ import annotations

from typing import Final

from wtforms import Field, Form, SelectField, SelectMultipleField, StringField
from wtforms.validators import DataRequired, ValidationError

from saas_app.api_clients.values import DEFAULT_DAYS, WantedClient
from saas_app.errors import Invalid
from saas_app.rbac.assignment import MACHINE_PERMISSIONS, machine_roles_for
from saas_app.text.translation import _
from saas_app.web.typed_text import at_most, clean_line

NAME_LENGTH = 80
DESCRIPTION_LENGTH = 200
MAX_DAYS = 3650

_NEVER: Final = "never"
_LIFETIMES: Final = {
    "30": _("After 30 days"),
    "90": _("After 90 days"),
    "365": _("After one year"),
    _NEVER: _("Never"),
}


class SecretForm(Form):
    """The lifetime of a new secret."""

    expires = SelectField(_("Secret expires"), choices=_LIFETIMES, default=str(DEFAULT_DAYS))

    @property
    def days(self) -> int | None:
        """The lifetime in days, or None for a secret that does not expire."""
        return None if self.expires.data == _NEVER else int(self.expires.data)


class ClientForm(SecretForm):
    """A new client: its name, what it is for, its permissions and the lifetime of its secret."""

    name = StringField(
        _("Name"),
        filters=[clean_line],
        validators=[DataRequired(_("Enter a name.")), at_most(NAME_LENGTH)],
    )
    description = StringField(
        _("Description"), filters=[clean_line], validators=[at_most(DESCRIPTION_LENGTH)]
    )
    permissions = SelectMultipleField(_("Permissions"), validate_choice=False)

    def validate_permissions(self, field: Field) -> None:
        """Accept one or more permissions that a client can have."""
        if not field.data or not set(field.data) <= {item.value for item in MACHINE_PERMISSIONS}:
            raise ValidationError(_("Choose at least one of these permissions."))

    def as_wanted(self) -> WantedClient:
        """Return the client to create. Call :meth:`validate` first."""
        return WantedClient(
            name=self.name.data or "",
            roles=machine_roles_for(
                [item for item in MACHINE_PERMISSIONS if item.value in (self.permissions.data or ())]
            ),
            description=self.description.data or "",
            days=self.days,
        )

    def refuse(self, error: Invalid) -> None:
        """Show the messages of an error at their fields."""
        for name, message in error.fields.items():
            self[name].errors = [*self[name].errors, message]
