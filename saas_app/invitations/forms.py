"""What somebody types to invite people, cleaned and bounded."""

from __future__ import annotations

import re

from wtforms import Form, SelectField, SelectMultipleField, TextAreaField, ValidationError

from saas_app.errors import Invalid
from saas_app.invitations.changes import InvitationInput
from saas_app.invitations.service import InvitationState
from saas_app.members.roles import PERSON_ROLES, read_choice
from saas_app.rbac.permissions import Role
from saas_app.text.cleaning import is_clean
from saas_app.web.typed_text import at_most, clean_text

MOST_ADDRESSES = 20
_ADDRESS_LENGTH = 128  # an account in Logto 1.42 holds no longer one
_TEXT_LENGTH = 6000
_SEPARATORS = re.compile(r"[\s,;]+")
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_ADDRESS = re.compile(rf"[^\s@<>()\[\]\\:\"]+@{_LABEL}(?:\.{_LABEL})+")
_NAMED_WRONG = 3  # addresses an error message names
_DAYS = {"1": "in 1 day", "7": "in 7 days", "30": "in 30 days"}


def split_addresses(text: str) -> tuple[str, ...]:
    """The addresses of a text, one a line or separated by commas: in lower case, each once, in order."""
    return tuple(dict.fromkeys(part.lower() for part in _SEPARATORS.split(text) if part))


def is_address(text: str) -> bool:
    """Whether it looks like an e-mail address; Logto has the last word."""
    return len(text) <= _ADDRESS_LENGTH and is_clean(text) and _ADDRESS.fullmatch(text) is not None


def read_state(text: str | None) -> InvitationState:
    """Which invitations are asked for; those that wait, unless said otherwise."""
    return next((state for state in InvitationState if state.value == text), InvitationState.PENDING)


class InviteForm(Form):
    """Whom to invite, as what, for how long."""

    addresses = TextAreaField("E-mail addresses", filters=[clean_text], validators=[at_most(_TEXT_LENGTH)])
    roles = SelectMultipleField(
        "Roles",
        default=[Role.VIEWER.value],
        choices={role.value: role.value for role in PERSON_ROLES},
        validate_choice=False,
    )
    days = SelectField("Expires", default="7", choices=_DAYS, validate_choice=False)

    def validate_addresses(self, field: TextAreaField) -> None:
        """At least one, not too many, each an address."""
        found = split_addresses(field.data or "")
        wrong = [part for part in found if not is_address(part)]
        if not found:
            raise ValidationError("Enter at least one e-mail address.")
        if wrong:
            named = ", ".join(f"“{part[:64]}”" for part in wrong[:_NAMED_WRONG])
            rest = f" and {len(wrong) - _NAMED_WRONG} more" if len(wrong) > _NAMED_WRONG else ""
            does = "is not an e-mail address" if len(wrong) == 1 else "are not e-mail addresses"
            raise ValidationError(f"{named}{rest} {does}.")
        if len(found) > MOST_ADDRESSES:
            raise ValidationError(
                f"These are {len(found)} addresses. Invite at most {MOST_ADDRESSES} at once."
            )

    def validate_roles(self, field: SelectMultipleField) -> None:
        """At least one, and only roles for people."""
        if not field.data:
            raise ValidationError("Choose at least one role.")
        try:
            read_choice(field.data)
        except Invalid as error:
            raise ValidationError(error.fields["roles"]) from None

    def validate_days(self, field: SelectField) -> None:
        """One of those that are offered."""
        if field.data not in _DAYS:
            raise ValidationError("Choose when the invitation expires.")

    def as_input(self) -> InvitationInput:
        """What was typed, once :meth:`validate` has said yes."""
        return InvitationInput(
            addresses=split_addresses(self.addresses.data or ""),
            roles=read_choice(self.roles.data or []),
            days=int(self.days.data),
        )

    def refuse(self, error: Invalid) -> None:
        """Put the messages of a refusal at their fields."""
        for name, message in error.fields.items():
            self[name].errors = [*self[name].errors, message]
