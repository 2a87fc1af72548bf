"""Reads the forms of single sign-on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from werkzeug.datastructures import MultiDict
from wtforms import Form, PasswordField, StringField, ValidationError
from wtforms.validators import DataRequired

from saas_app.errors import BadRequest, Invalid
from saas_app.rbac.assignment import PERSON_ROLES
from saas_app.single_sign_on.issuers import NotAnIssuer, read_issuer
from saas_app.single_sign_on.values import (
    BASE_SCOPES,
    CLAIM_LENGTH,
    CLIENT_ID_LENGTH,
    MAX_GROUPS,
    NAME_LENGTH,
    SCOPES_LENGTH,
    Connection,
    GroupRole,
    Provider,
)
from saas_app.text.cleaning import clean_line
from saas_app.text.translation import Sentence, _
from saas_app.web.typed_text import at_most

SECRET_LENGTH: Final = 512
GROUP_LENGTH: Final = 256
_EMPTY_ROWS: Final = 3
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749 §3.3
_ROLES: Final = frozenset(role.value for role in PERSON_ROLES)


def _clean_secret(typed: str | None) -> str:
    return (typed or "").strip()


class ProviderForm(Form):
    """An identity provider. The secret is never shown, and may be left empty to keep the stored one.

    A form that waited while its sender signed in again comes without the secret, and must not keep the stored
    one unnoticed.
    """

    name = StringField(
        _("Name of the provider"),
        filters=[clean_line],
        validators=[DataRequired(_("Enter the name that people see.")), at_most(NAME_LENGTH)],
    )
    issuer = StringField(_("Issuer"), filters=[clean_line])
    client_id = StringField(
        _("Client ID"),
        filters=[clean_line],
        validators=[DataRequired(_("Enter the client ID.")), at_most(CLIENT_ID_LENGTH)],
    )
    client_secret = PasswordField(
        _("Client secret"),
        filters=[_clean_secret],
        validators=[at_most(SECRET_LENGTH)],
    )
    scopes = StringField(_("Further scopes"), filters=[clean_line], validators=[at_most(SCOPES_LENGTH - 24)])

    def __init__(self, formdata: Any = None, *, allows_private: bool, **values: Any) -> None:
        super().__init__(formdata, **values)
        self._allows_private = allows_private

    @classmethod
    def of(cls, connection: Connection, *, allows_private: bool) -> ProviderForm:
        """Return the form with what is stored."""
        further = " ".join(scope for scope in connection.scopes.split() if scope not in BASE_SCOPES)
        data = {
            "name": connection.name,
            "issuer": connection.issuer,
            "client_id": connection.client_id,
            "scopes": further,
        }
        return cls(allows_private=allows_private, data=data)

    def validate_issuer(self, field: StringField) -> None:
        """Check that it can be an issuer, and bring it into the form in which it is stored."""
        try:
            field.data = read_issuer(field.data or "", allows_private=self._allows_private)
        except NotAnIssuer as wrong:
            raise ValidationError(wrong.reason) from None

    def validate_client_secret(self, field: PasswordField) -> None:
        """Check that the field was sent, also if it is empty."""
        if not field.raw_data:
            raise ValidationError(_("The secret is not kept while you sign in again. Enter it once more."))

    def validate_scopes(self, field: StringField) -> None:
        """Check the characters of the scopes."""
        if not all(_SCOPE.fullmatch(scope) for scope in (field.data or "").split()):
            raise ValidationError(_("Enter scopes with spaces between them, like groups offline_access."))

    def as_provider(self) -> Provider:
        """Return the input. Call :meth:`validate` first."""
        scopes = dict.fromkeys((*BASE_SCOPES, *(self.scopes.data or "").split()))
        return Provider(
            name=self.name.data or "",
            issuer=self.issuer.data or "",
            client_id=self.client_id.data or "",
            client_secret=self.client_secret.data or "",
            scopes=" ".join(scopes),
        )


class GroupsForm(Form):
    """The claim with a person's groups. The rows of the mapping are ``rows``."""

    claim = StringField(_("Claim with the groups"), filters=[clean_line], validators=[at_most(CLAIM_LENGTH)])

    def __init__(self, formdata: MultiDict[str, str] | None = None, **values: Any) -> None:
        super().__init__(formdata, **values)
        fields: MultiDict[str, str] = formdata or MultiDict()
        pairs = zip(fields.getlist("group"), fields.getlist("role"), strict=False)
        self.rows: Sequence[GroupRole] = [GroupRole(clean_line(group), role) for group, role in pairs]
        self.problem: Sentence | None = None

    @classmethod
    def of(cls, connection: Connection) -> GroupsForm:
        """Return the form with what is stored."""
        form = cls(data={"claim": connection.group_claim})
        form.rows = connection.group_roles
        return form

    @property
    def empty_rows(self) -> range:
        """The rows without content at the end of the form."""
        return range(_EMPTY_ROWS)

    def validate(self, *args: Any, **named: Any) -> bool:
        """Check the claim and the rows. Rows without a group are dropped."""
        is_valid = super().validate(*args, **named)
        self.rows = list(dict.fromkeys(row for row in self.rows if row.group))
        self.problem = self._find_problem()
        return is_valid and self.problem is None

    def _find_problem(self) -> Sentence | None:
        if any(row.role not in _ROLES for row in self.rows):
            return _("Choose a role for each group.")
        if any(len(row.group) > GROUP_LENGTH for row in self.rows):
            return _("Use at most %(number)s characters for a group.", number=GROUP_LENGTH)
        if len(self.rows) > MAX_GROUPS:
            return _("Enter at most %(number)s groups.", number=MAX_GROUPS)
        if self.rows and not self.claim.data:
            return _("Enter the claim that holds the groups.")
        return None


def read_domains(fields: MultiDict[str, str]) -> list[str]:
    """Return the domains that were chosen."""
    return fields.getlist("domains")


def read_joins(fields: MultiDict[str, str]) -> bool:
    """Return whether people join by signing in. Raises :class:`BadRequest`."""
    chosen = fields.get("joins", "")
    if chosen not in ("yes", "no"):
        raise BadRequest(_("The form does not say who joins. Reload the page and try again."))
    return chosen == "yes"


def put_errors(form: Form, error: Invalid) -> bool:
    """Show an error at the fields of a form. Returns False if it names none of them."""
    found = False
    for name, message in error.fields.items():
        if name in form:
            form[name].errors = [*form[name].errors, message]
            found = True
    return found
