"""The rules for a declaration that Logto and the providers accept. Pure.

Most are rules of Logto 1.42. Here they are checked before anything is sent, and a problem names the key in
the file. The others concern values that Logto accepts but then sends incorrectly. The rules for texts are in
:mod:`.text_checks`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from saas_app.operations.sign_in_methods.model import (
    Connectors,
    Declaration,
    GatewayApi,
    Identifier,
    Language,
    Mailgun,
    Mfa,
    MockEmail,
    MockSms,
    Naver,
    SignIn,
    SignUp,
)
from saas_app.operations.sign_in_methods.problem import Problem
from saas_app.operations.sign_in_methods.text_checks import check_email_texts, check_sms_texts
from saas_app.text.ids import is_id
from saas_app.text.translation import _

_ADDRESS = re.compile(r"[^\s<>@]+@[^\s<>@]+\.[^\s<>@]+")
_MAILBOX = re.compile(rf'(?:[^<>\r\n"]+|"[^"\r\n]+") <{_ADDRESS.pattern}>|{_ADDRESS.pattern}')
_HOST = re.compile(r"(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z]{2,4})?")
_SENDER = re.compile(r"[0-9]{1,15}|[A-Za-z0-9 ]{1,11}")
_RANGES: Final = (
    ("verification_code", "expires_after", (60, 3600)),  # seconds
    ("verification_code", "max_attempts", (1, 100)),
    ("lockout", "max_attempts", (1, 1000)),  # Logto accepts any number; 0 locks out everybody
    ("lockout", "minutes", (1, 1440)),
)
_CODE_FACTORS: Final[dict[str, Identifier]] = {
    "EmailVerificationCode": "email",
    "PhoneVerificationCode": "phone",
}
_COUNTS_FOR_ORGANIZATIONS: Final = frozenset({"Totp", "WebAuthn"})


def check(declaration: Declaration) -> Iterator[Problem]:
    """Yield every broken rule."""
    yield from _check_connectors(declaration)
    if declaration.language and not _LANGUAGE.fullmatch(declaration.language.fallback):
        yield Problem("language.fallback", _("must be a language tag, such as en or pt-BR"))
    if declaration.sign_in:
        yield from _check_sign_in(declaration.sign_in, declaration.connectors)
    if declaration.sign_up:
        yield from _check_sign_up(declaration.sign_up, declaration)
    yield from _check_social(declaration)
    if declaration.mfa:
        yield from _check_mfa(declaration.mfa, declaration)
    yield from _check_numbers(declaration)


# Connectors


def _check_connectors(declaration: Declaration) -> Iterator[Problem]:
    connectors = declaration.connectors
    yield from _check_one_of_a_type(connectors.mailgun, connectors.mock_email)
    yield from _check_one_of_a_type(connectors.gatewayapi, connectors.mock_sms)
    if connectors.mailgun:
        yield from _check_mailgun(connectors.mailgun)
    if connectors.gatewayapi:
        yield from _check_gatewayapi(connectors.gatewayapi)
    if connectors.naver:
        yield from _check_naver(connectors.naver)
    if connectors.email:
        yield from _check_email(connectors.email, declaration.language)
    if connectors.sms:
        yield from check_sms_texts(connectors.sms)


def _check_one_of_a_type(
    first: Mailgun | GatewayApi | None, second: MockEmail | MockSms | None
) -> Iterator[Problem]:
    if first and second:
        yield Problem(
            f"connectors.{second.factory}",
            _("conflicts with %(factory)s: Logto has only one connector of this type", factory=first.factory),
        )


def _check_email(email: Mailgun | MockEmail, language: Language | None) -> Iterator[Problem]:
    if not _MAILBOX.fullmatch(email.sender):
        yield Problem(f"connectors.{email.factory}.from", _("must look like 'Name <address@example.com>'"))
    if language is None:
        yield Problem("language.fallback", _("is missing: it names the default language of the emails"))
    else:
        yield from check_email_texts(email, language.fallback)


def _check_mailgun(mailgun: Mailgun) -> Iterator[Problem]:
    parts = urlsplit(mailgun.endpoint)
    if parts.scheme != "https" or not mailgun.endpoint.endswith(".mailgun.net"):
        yield Problem(
            "connectors.mailgun-email.endpoint",
            _("must be an https URL that ends in .mailgun.net, without a trailing slash or path"),
        )
    if not _HOST.fullmatch(mailgun.domain):
        yield Problem(
            "connectors.mailgun-email.domain", _("must be only a domain name, such as mg.example.com")
        )


def _check_gatewayapi(gatewayapi: GatewayApi) -> Iterator[Problem]:
    parts = urlsplit(gatewayapi.endpoint)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        yield Problem("connectors.gatewayapi-sms.endpoint", _("must be an absolute http or https URL"))
    if not _SENDER.fullmatch(gatewayapi.sender):
        yield Problem(
            "connectors.gatewayapi-sms.sender",
            _("must be up to 11 letters, digits and spaces, or up to 15 digits"),
        )


def _check_naver(naver: Naver) -> Iterator[Problem]:
    if naver.id and not is_id(naver.id):
        yield Problem("connectors.naver-universal.id", _("must be up to 64 letters, digits, '-' and '_'"))


def _sends_to(identifier: Identifier, connectors: Connectors) -> bool:
    """Return whether a connector can send a code to such an identifier."""
    return bool({"email": connectors.email, "phone": connectors.sms}.get(identifier))


def _no_connector(key: str, identifier: str) -> Problem:
    rule = {
        "email": _("needs an email connector under [connectors] to send the codes"),
        "phone": _("needs an SMS connector under [connectors] to send the codes"),
    }[identifier]
    return Problem(key, rule)


# The sign-in experience


def _check_sign_in(sign_in: SignIn, connectors: Connectors) -> Iterator[Problem]:
    for identifier, proofs in (sign_in.methods or {}).items():
        key = f"sign_in.methods.{identifier}"
        if not proofs or len(set(proofs)) < len(proofs):
            yield Problem(key, _("must be 'password', 'code' or both, each once"))
        if "code" in proofs and identifier == "username":
            yield Problem(
                key, _("must not include 'code': codes are sent only to email addresses and phone numbers")
            )
        elif "code" in proofs and not _sends_to(identifier, connectors):
            yield _no_connector(key, identifier)
    if sign_in.methods == {}:
        yield Problem("sign_in.methods", _("must include at least one of username, email and phone"))
    for way in sign_in.forgot_password or ():
        if not _sends_to(way, connectors):
            yield _no_connector("sign_in.forgot_password", way)


def _check_sign_up(sign_up: SignUp, declaration: Declaration) -> Iterator[Problem]:
    requested = (*sign_up.identifiers, *sign_up.also)
    if sign_up.also and not sign_up.identifiers:
        yield Problem("sign_up.also", _("needs an identifier in sign_up.identifiers"))
    if len(set(requested)) < len(requested) or (
        "emailOrPhone" in requested and {"email", "phone"} & set(requested)
    ):
        yield Problem("sign_up.also", _("must not ask for the same identifier twice"))
    if set(requested) - {"username"} and not sign_up.verify:
        yield Problem(
            "sign_up.verify", _("must be true: Logto requires a code for email addresses and phone numbers")
        )
    if "username" in sign_up.identifiers and not sign_up.password:
        yield Problem("sign_up.password", _("must be true: a username needs a password"))
    contacts: tuple[Identifier, ...] = ("email", "phone")
    for identifier in contacts:
        yield from _check_contact(identifier, sign_up, declaration)


def _check_contact(identifier: Identifier, sign_up: SignUp, declaration: Declaration) -> Iterator[Problem]:
    is_requested = {identifier, "emailOrPhone"} & {*sign_up.identifiers, *sign_up.also}
    if is_requested and not _sends_to(identifier, declaration.connectors):
        key = "identifiers" if identifier in sign_up.identifiers else "also"
        yield _no_connector(f"sign_up.{key}", identifier)
    proofs = declaration.proofs_of(identifier)
    if sign_up.verify and not sign_up.password and proofs and "code" not in proofs:
        yield Problem(
            f"sign_in.methods.{identifier}",
            _("must include 'code': sign_up.password is false, so accounts have no password"),
        )


def _check_social(declaration: Declaration) -> Iterator[Problem]:
    known = {connector.target for connector in declaration.connectors.social}
    buttons = (declaration.social.buttons if declaration.social else None) or ()
    if len(set(buttons)) < len(buttons):
        yield Problem("social.buttons", _("must name each item only once"))
    for target in buttons:
        if target not in known:
            yield Problem(
                "social.buttons", _("'%(target)s' has no connector under [connectors]", target=target)
            )


def _check_mfa(mfa: Mfa, declaration: Declaration) -> Iterator[Problem]:
    factors = mfa.factors
    if factors is None:
        return
    if len(set(factors)) < len(factors):
        yield Problem("mfa.factors", _("must name each item only once"))
    if set(factors) == {"BackupCode"}:
        yield Problem("mfa.factors", _("must include another factor besides BackupCode"))
    for factor in factors:
        identifier = _CODE_FACTORS.get(factor)
        if identifier is None:
            continue
        if "code" in declaration.proofs_of(identifier):
            yield Problem(
                "mfa.factors",
                _(
                    "must not include %(factor)s if sign_in.methods.%(identifier)s includes 'code'",
                    factor=factor,
                    identifier=identifier,
                ),
            )
        if not _sends_to(identifier, declaration.connectors):
            yield _no_connector("mfa.factors", identifier)
    if not factors and mfa.policy not in (None, "NoPrompt", "UserControlled"):
        yield Problem("mfa.policy", _("needs a factor in mfa.factors"))
    if mfa.organizations == "Mandatory" and not _COUNTS_FOR_ORGANIZATIONS & set(factors):
        yield Problem(
            "mfa.organizations",
            _("needs Totp or WebAuthn in mfa.factors: Logto accepts no other factors for organizations"),
        )


def _check_numbers(declaration: Declaration) -> Iterator[Problem]:
    for section, key, (lowest, highest) in _RANGES:
        value = getattr(getattr(declaration, section), key, None)
        if value is not None and not lowest <= value <= highest:
            yield Problem(
                f"{section}.{key}",
                _("must be from %(lowest)s to %(highest)s", lowest=str(lowest), highest=str(highest)),
            )
