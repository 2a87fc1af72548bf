"""What somebody types about an organization."""

from __future__ import annotations

from wtforms import Form, StringField, TextAreaField
from wtforms.validators import DataRequired

from saas_app.organizations.creation import OrganizationInput
from saas_app.web.typed_text import at_most, clean_line, clean_text

NAME_LENGTH = 128  # Logto 1.42 accepts no more
DESCRIPTION_LENGTH = 256


class OrganizationForm(Form):
    """A new organization."""

    name = StringField(
        "Name",
        filters=[clean_line],
        validators=[DataRequired("Enter a name for the organization."), at_most(NAME_LENGTH)],
    )
    description = TextAreaField("Description", filters=[clean_text], validators=[at_most(DESCRIPTION_LENGTH)])

    def as_input(self) -> OrganizationInput:
        """What was typed, once :meth:`validate` has said yes."""
        return OrganizationInput(name=self.name.data or "", description=self.description.data or "")
