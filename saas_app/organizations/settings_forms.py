"""What somebody types or chooses in an organization's settings. Its name and description: ``forms``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wtforms import Form, SelectField, StringField, ValidationError

from saas_app.email_domains.names import NotADomain, read_domain
from saas_app.errors import BadRequest
from saas_app.rbac.assignment import PERSON_ROLES
from saas_app.rbac.permissions import Role
from saas_app.web.typed_text import clean_line

_NO_ROLE = ""
_PERSON_ROLES = {role.value: role for role in PERSON_ROLES}


class DomainForm(Form):
    """An email domain whose people are to join automatically."""

    domain = StringField("Email domain", filters=[clean_line])

    def validate_domain(self, field: StringField) -> None:
        """Only a domain whose addresses one organization gives out."""
        try:
            field.data = read_domain(field.data or "")
        except NotADomain as reason:
            raise ValidationError(str(reason)) from None


class JoiningRoleForm(Form):
    """The role of people who join automatically."""

    role = SelectField("Default role for people who auto-join", validate_choice=False)

    def __init__(self, formdata: Any = None, *, offered: Iterable[Role], **values: Any) -> None:
        super().__init__(formdata, **values)
        named = [(role.value, f"{role.value}: {role.description}") for role in offered]
        self.role.choices = [(_NO_ROLE, "No role"), *named]

    def validate_role(self, field: SelectField) -> None:
        """A role for people. Whether the caller may assign it is decided when it is saved."""
        if field.data and field.data not in _PERSON_ROLES:
            raise ValidationError("Choose one of the roles listed here.")

    def as_role(self) -> Role | None:
        """What was chosen, once :meth:`validate` has said yes."""
        return _PERSON_ROLES.get(self.role.data)


class DeleteForm(Form):
    """The name, typed so that nobody deletes an organization by a slip."""

    name = StringField("Organization name", filters=[clean_line])


def read_mfa_choice(fields: Mapping[str, str]) -> bool:
    """Whether a second factor is to be required. Raises :class:`BadRequest`."""
    chosen = fields.get("require", "")
    if chosen not in ("yes", "no"):
        raise BadRequest(
            "The form does not say whether to require a second factor. Reload the page and try again."
        )
    return chosen == "yes"
