"""Signals what the ladder decided about a request, for metrics. It decides nothing."""

from __future__ import annotations

from types import TracebackType
from typing import Final

from saas_app import signals
from saas_app.errors import FreshSignInRequired, MfaRequired, NotFound, PermissionDenied, SsoRequired
from saas_app.identity.renewal import RenewalRequired, StepUpRequired
from saas_app.identity.support_endings import SupportDenied
from saas_app.rbac.permissions import Permission

_OUTCOMES: Final[dict[type[BaseException], str]] = {
    NotFound: "not a member",
    PermissionDenied: "denied",
    SupportDenied: "denied",
    MfaRequired: "second factor",
    SsoRequired: "single sign-on",
    RenewalRequired: "renewal",
    StepUpRequired: "step-up",
    FreshSignInRequired: "step-up",
}
"""What an error of the ladder means. Other errors, such as an outage of Logto, are no decisions."""


class Deciding:
    """A context around the steps of the ladder that decide. It belongs to a route, not to a request."""

    def __init__(self, permission: Permission | None) -> None:
        self._permission = "member" if permission is None else permission.value

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        outcome = "allowed" if error is None else _OUTCOMES.get(type(error))
        if outcome is not None:
            signals.access_decided.send(permission=self._permission, outcome=outcome)
