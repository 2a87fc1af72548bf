"""Why a company's identity provider signed nobody in, in words for the person and their admins. Pure."""

from __future__ import annotations

from typing import Final

from saas_app.models import SsoFailure
from saas_app.text.cleaning import clean_name
from saas_app.text.translation import Sentence, _
from saas_app.text.visible import isolated

_LONGEST_SHOWN: Final = 60  # characters of an error that OpenID Connect does not know

_DENIED: Final = _("Your identity provider did not sign you in. You cancelled, or it does not let you in.")
_NEEDS_PERSON: Final = _(
    "Your identity provider did not sign you in, because it wants to ask you something first. Start again."
)
_LATER: Final = _("Your identity provider has a problem and did not sign you in. Try again later.")
_WRONG_REQUEST: Final = _(
    "Your identity provider did not accept the request. An admin of your organization has to check the "
    "client, its redirect URI and the scopes there."
)
_WRONG_SECRET: Final = _(
    "Your identity provider did not accept Workroom’s client ID or client secret. An admin of your "
    "organization has to enter them again."
)
_WRONG_CODE: Final = _(
    "Your identity provider did not complete the sign-in. Start again. If that does not help, an admin of "
    "your organization has to check the redirect URI there."
)
_ASKED: Final = {
    "access_denied": _DENIED,
    **dict.fromkeys(
        ("login_required", "interaction_required", "consent_required", "account_selection_required"),
        _NEEDS_PERSON,
    ),
    **dict.fromkeys(("server_error", "temporarily_unavailable"), _LATER),
    **dict.fromkeys(
        ("invalid_request", "invalid_scope", "unauthorized_client", "unsupported_response_type"),
        _WRONG_REQUEST,
    ),
}
_REDEEMED: Final = {
    **dict.fromkeys(("invalid_client", "unauthorized_client"), _WRONG_SECRET),
    "invalid_grant": _WRONG_CODE,
    **dict.fromkeys(("server_error", "temporarily_unavailable"), _LATER),
    **dict.fromkeys(("invalid_request", "invalid_scope", "unsupported_grant_type"), _WRONG_REQUEST),
}
_FAILURES: Final = {
    **dict.fromkeys(("invalid_client", "unauthorized_client"), SsoFailure.CREDENTIALS),
    **dict.fromkeys(("invalid_scope", "unsupported_grant_type"), SsoFailure.REQUEST),
}
"""Errors of the token endpoint that no code causes. An odd code is an ``invalid_request`` for some."""


class ProviderRefused(Exception):
    """The provider signed nobody in, or what it sent cannot be trusted.

    ``reason`` is for the person, and ``kind`` for the log. Neither contains a secret. Nothing in ``kind`` is
    a text of the provider. ``failure`` is for the admins. It is None unless it is certain that no browser
    caused the refusal: whoever has one can send any code, and change what Workroom asks the provider for.
    """

    def __init__(self, kind: str, reason: Sentence, failure: SsoFailure | None = None) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason
        self.failure = failure


def client_error(error: str) -> ProviderRefused:
    """Return what to raise for the ``error`` in an answer to the authorization request."""
    if error in _ASKED:
        return ProviderRefused(error, _ASKED[error])
    return ProviderRefused("unknown error", _unknown(error))


def token_error(error: object, status: int) -> ProviderRefused:
    """Return what to raise for an answer of the token endpoint: its ``error``, if any, and its status."""
    if not isinstance(error, str) or not error:
        return ProviderRefused(f"token endpoint: status {status}", _LATER)
    if error in _REDEEMED:
        return ProviderRefused(f"token endpoint: {error}", _REDEEMED[error], _FAILURES.get(error))
    return ProviderRefused("token endpoint: unknown error", _unknown(error))


def other_provider() -> ProviderRefused:
    """Return what to raise for an answer that names another issuer, or none where one is promised."""
    return ProviderRefused(
        "answer of another issuer",
        _("The answer did not come from your organization’s identity provider. Start again."),
    )


def other_person() -> ProviderRefused:
    """Return what to raise for userinfo that is about somebody else than the ID token."""
    return ProviderRefused(
        "userinfo of another person",
        _(
            "Your identity provider named two different people. Start again. If that does not help, ask an "
            "admin of your organization."
        ),
        SsoFailure.TOKENS,
    )


def unreadable(what: str, failure: SsoFailure | None = SsoFailure.TOKENS) -> ProviderRefused:
    """Return what to raise for an answer that is not what OpenID Connect says. ``what`` is for the log."""
    return ProviderRefused(
        f"unreadable {what}",
        _(
            "Your identity provider’s answer could not be read. Try again later, or ask an admin of your "
            "organization."
        ),
        failure,
    )


def untrusted(what: str, failure: SsoFailure | None = SsoFailure.TOKENS) -> ProviderRefused:
    """Return what to raise for an ID token. ``what`` is wrong in it, for the log."""
    return ProviderRefused(
        f"ID token: {what}",
        _(
            "What your identity provider said about you could not be verified. Start again. If that does not "
            "help, an admin of your organization has to check the client there."
        ),
        failure,
    )


def untimely() -> ProviderRefused:
    """Return what to raise for an ID token that is too old, or from the future."""
    return ProviderRefused(
        "ID token: time",
        _(
            "What your identity provider said about you is too old, or from the future. Start again. If that "
            "does not help, the clock of the provider is wrong."
        ),
        SsoFailure.TOKENS,
    )


def _unknown(error: str) -> Sentence:
    shown = clean_name(error[:_LONGEST_SHOWN])
    return _("Your identity provider did not sign you in. Its error is “%(error)s”.", error=isolated(shown))
