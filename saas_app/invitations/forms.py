"""Forms to invite people, and to accept an invitation."""

from __future__ import annotations

from collections.abc import Sequence

from wtforms import Form, SelectField, SelectMultipleField, StringField, TextAreaField, ValidationError

from saas_app.errors import Invalid
from saas_app.invitations.values import InvitationInput, InvitationState
from saas_app.members.roles import read_choice
from saas_app.rbac.assignment import PERSON_ROLES
from saas_app.rbac.permissions import Role
from saas_app.text.addresses import NotAnAddress, address_key, read_address, split_addresses
from saas_app.text.translation import Sentence, _, ngettext
from saas_app.text.visible import isolated
from saas_app.web.typed_text import at_most, clean_line, clean_text

MAX_ADDRESSES = 20
_TEXT_LENGTH = 6000
_NAME_LENGTH = 128  # Logto 1.42 accepts no more
_MAX_NAMED = 3  # invalid addresses that an error message names
_DAYS = {str(days): ngettext("in %(num)s day", "in %(num)s days", days) for days in (1, 7, 30)}


def read_addresses(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the addresses in a text, in order, each once, and the parts that are not addresses."""
    found: dict[str, str] = {}
    wrong = []
    for part in split_addresses(text):
        try:
            address = read_address(part)
        except NotAnAddress:
            wrong.append(part)
        else:
            found.setdefault(address_key(address), address)
    return tuple(found.values()), tuple(wrong)


def read_state(text: str | None) -> InvitationState:
    """Return the state to list, by default pending."""
    return next((state for state in InvitationState if state.value == text), InvitationState.PENDING)


class InviteForm(Form):
    """The addresses and roles of new invitations, and when they expire."""

    addresses = TextAreaField(_("Email addresses"), filters=[clean_text], validators=[at_most(_TEXT_LENGTH)])
    roles = SelectMultipleField(
        _("Roles"),
        default=[Role.VIEWER.value],
        choices={role.value: role.value for role in PERSON_ROLES},
        validate_choice=False,
    )
    days = SelectField(_("Expires"), default="7", choices=_DAYS, validate_choice=False)

    def validate_addresses(self, field: TextAreaField) -> None:
        """Check that each part is an address, and that there are not too many."""
        found, wrong = read_addresses(field.data or "")
        if not found and not wrong:
            raise ValidationError(_("Enter at least one email address."))
        if wrong:
            raise ValidationError(_not_addresses(wrong))
        if len(found) > MAX_ADDRESSES:
            raise ValidationError(
                _(
                    "You entered %(count)s addresses. Invite up to %(most)s people at a time.",
                    count=len(found),
                    most=MAX_ADDRESSES,
                )
            )

    def validate_roles(self, field: SelectMultipleField) -> None:
        """Check that there is a role, and that all are roles for people."""
        if not field.data:
            raise ValidationError(_("Choose at least one role."))
        try:
            read_choice(field.data)
        except Invalid as error:
            raise ValidationError(error.fields["roles"]) from None

    def validate_days(self, field: SelectField) -> None:
        """Check that the number of days is one of the choices."""
        if field.data not in _DAYS:
            raise ValidationError(_("Choose when the invitation expires."))

    def as_input(self) -> InvitationInput:
        """Return the input. Call :meth:`validate` first."""
        return InvitationInput(
            addresses=read_addresses(self.addresses.data or "")[0],
            roles=read_choice(self.roles.data or []),
            days=int(self.days.data),
        )


class NameForm(Form):
    """The name of a person who accepts an invitation with an account that has none."""

    name = StringField(_("Your name"), filters=[clean_line], validators=[at_most(_NAME_LENGTH)])


def _not_addresses(wrong: Sequence[str]) -> Sentence:
    """Name the first parts that are not addresses."""
    named = ", ".join(f"“{isolated(part[:64])}”" for part in wrong[:_MAX_NAMED])
    if len(wrong) > _MAX_NAMED:
        return ngettext(
            "%(named)s and %(num)s more are not email addresses.",
            "%(named)s and %(num)s more are not email addresses.",
            len(wrong) - _MAX_NAMED,
            named=named,
        )
    if len(wrong) > 1:
        return _("%(named)s are not email addresses.", named=named)
    return _("%(named)s is not an email address.", named=named)
