"""Forms of access requests: asking, and the answer to a declined request."""

from __future__ import annotations

from wtforms import Form, HiddenField, SelectField, TextAreaField, ValidationError

from saas_app.access_requests.values import MINUTES, TEXT_LENGTH, WantedAccess
from saas_app.errors import Invalid
from saas_app.members.roles import read_choice
from saas_app.rbac.assignment import PERSON_ROLES
from saas_app.rbac.permissions import Permission, Role
from saas_app.text.translation import _
from saas_app.web.durations import Duration
from saas_app.web.typed_text import at_most, clean_text


def read_permission(text: str | None) -> Permission | None:
    """Return the permission that a query or a form names, or None for one that does not exist."""
    return next((permission for permission in Permission if permission.value == text), None)


def read_role(text: str | None) -> Role | None:
    """Return the role for people that a query names, or None."""
    return next((role for role in PERSON_ROLES if role.value == text), None)


class AskForm(Form):
    """The role that a member needs, why, and for how long."""

    role = SelectField(
        _("Role"), choices={role.value: role.value for role in PERSON_ROLES}, validate_choice=False
    )
    reason = TextAreaField(_("Reason"), filters=[clean_text], validators=[at_most(TEXT_LENGTH)])
    duration = SelectField(
        _("For how long"),
        default=Duration.DAY.value,
        choices={duration.value: duration.label for duration in MINUTES},
        validate_choice=False,
    )
    permission = HiddenField()

    def validate_role(self, field: SelectField) -> None:
        """Check that a role for people was chosen."""
        if not field.data:
            raise ValidationError(_("Choose a role."))
        try:
            read_choice([field.data])
        except Invalid as error:
            raise ValidationError(error.fields["roles"]) from None

    def validate_reason(self, field: TextAreaField) -> None:
        """Check that there is a reason."""
        if not field.data:
            raise ValidationError(_("Enter why you need the role."))

    def validate_duration(self, field: SelectField) -> None:
        """Check that the time is one of the choices."""
        if field.data not in MINUTES:
            raise ValidationError(_("Choose for how long you need the role."))

    def as_wanted(self) -> WantedAccess:
        """Return the input. Call :meth:`validate` first."""
        (role,) = read_choice([self.role.data])
        return WantedAccess(
            role=role,
            reason=self.reason.data or "",
            minutes=MINUTES[Duration(self.duration.data)],
            permission=read_permission(self.permission.data),
        )


class DeclineForm(Form):
    """The answer to a member whose request is declined."""

    answer = TextAreaField(_("Answer"), filters=[clean_text], validators=[at_most(TEXT_LENGTH)])
