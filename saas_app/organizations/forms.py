"""Forms for a new organization, and for an organization's settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wtforms import Form, SelectField, StringField, TextAreaField, ValidationError
from wtforms.validators import DataRequired

from saas_app.email_domains.names import NotADomain, read_domain
from saas_app.errors import BadRequest
from saas_app.organizations.values import Details
from saas_app.rbac.assignment import PERSON_ROLES
from saas_app.rbac.permissions import Role
from saas_app.text.branding import Branding, NotAColor, read_color, read_logo
from saas_app.text.pictures import NotAPicture
from saas_app.text.translation import _
from saas_app.web.typed_text import at_most, clean_line, clean_text

NAME_LENGTH = 128  # Logto 1.42 accepts no more
DESCRIPTION_LENGTH = 256

_NO_ROLE = ""
_PERSON_ROLES = {role.value: role for role in PERSON_ROLES}


class OrganizationForm(Form):
    """The name and description of an organization, new or edited."""

    name = StringField(
        _("Name"),
        filters=[clean_line],
        validators=[DataRequired(_("Enter a name for the organization.")), at_most(NAME_LENGTH)],
    )
    description = TextAreaField(
        _("Description"), filters=[clean_text], validators=[at_most(DESCRIPTION_LENGTH)]
    )

    def as_details(self) -> Details:
        """Return the input. Call :meth:`validate` first."""
        return Details(name=self.name.data or "", description=self.description.data or "")


class BrandingForm(Form):
    """The logo and the color of an organization. An empty field removes what is set."""

    logo = StringField(_("Logo address"), filters=[clean_line])
    dark_logo = StringField(_("Logo address for dark pages"), filters=[clean_line])
    color = StringField(_("Color"), filters=[clean_line])

    def validate_logo(self, field: StringField) -> None:
        """Check that the address is public."""
        _check_logo(field)

    def validate_dark_logo(self, field: StringField) -> None:
        """Check that the address is public, and that there is a logo for light pages too."""
        _check_logo(field)
        if field.data and not self.logo.data:
            raise ValidationError(_("Enter a logo for light pages too."))

    def validate_color(self, field: StringField) -> None:
        """Check that it is a color, and bring it into the form used for comparison."""
        if field.data:
            try:
                field.data = read_color(field.data)
            except NotAColor as wrong:
                raise ValidationError(wrong.reason) from None

    def as_branding(self) -> Branding:
        """Return the input. Call :meth:`validate` first."""
        return Branding(self.logo.data or None, self.dark_logo.data or None, self.color.data or None)


def _check_logo(field: StringField) -> None:
    if field.data:
        try:
            field.data = read_logo(field.data)
        except NotAPicture as wrong:
            raise ValidationError(wrong.reason) from None


class DomainForm(Form):
    """An email domain whose people are to join automatically."""

    domain = StringField(_("Email domain"), filters=[clean_line])

    def validate_domain(self, field: StringField) -> None:
        """Check that an organization can claim the domain, and bring it into the form used for comparison."""
        try:
            field.data = read_domain(field.data or "")
        except NotADomain as reason:
            raise ValidationError(reason.reason) from None


class JoiningRoleForm(Form):
    """The default role of people who join automatically."""

    role = SelectField(_("Default role for people who auto-join"), validate_choice=False)

    def __init__(self, formdata: Any = None, *, offered: Iterable[Role], **values: Any) -> None:
        super().__init__(formdata, **values)
        named = [
            (role.value, _("%(role)s: %(description)s", role=role.value, description=role.description))
            for role in offered
        ]
        self.role.choices = [(_NO_ROLE, _("No role")), *named]

    def validate_role(self, field: SelectField) -> None:
        """Check that the role is one for people. Saving checks whether the caller may assign it."""
        if field.data and field.data not in _PERSON_ROLES:
            raise ValidationError(_("Choose one of the roles listed here."))

    def as_role(self) -> Role | None:
        """Return the role, or None for no role. Call :meth:`validate` first."""
        return _PERSON_ROLES.get(self.role.data)


class DeleteForm(Form):
    """The name of the organization to delete, typed to prevent an accident."""

    name = StringField(_("Organization name"), filters=[clean_line])


def read_mfa_choice(fields: Mapping[str, str]) -> bool:
    """Return whether to require a second factor. Raises :class:`BadRequest`."""
    chosen = fields.get("require", "")
    if chosen not in ("yes", "no"):
        raise BadRequest(
            _("The form does not say whether to require a second factor. Reload the page and try again.")
        )
    return chosen == "yes"
