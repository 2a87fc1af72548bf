"""The form for a new API client."""

from __future__ import annotations

from wtforms import Form, StringField
from wtforms.validators import DataRequired

from saas_app.errors import Invalid
from saas_app.text.translation import _
from saas_app.web.typed_text import at_most, clean_line

NAME_LENGTH = 80


class ClientForm(Form):
    """The name of a new client."""

    name = StringField(
        _("Name"),
        filters=[clean_line],
        validators=[DataRequired(_("Enter a name.")), at_most(NAME_LENGTH)],
    )

    def refuse(self, error: Invalid) -> None:
        """Show the messages of an error at their fields."""
        for name, message in error.fields.items():
            self[name].errors = [*self[name].errors, message]
