"""The rules for the texts of messages: what they must include, and what they must not.

Logto 1.42 replaces ``{{name}}``, leaves names that it does not know unchanged, and escapes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from saas_app.operations.sign_in_methods.model import (
    EmailText,
    GatewayApi,
    Mailgun,
    MockEmail,
    MockSms,
    Usage,
)
from saas_app.operations.sign_in_methods.problem import Problem
from saas_app.text.translation import _

_VARIABLE = re.compile(r"{{\s*([\w.]+)\s*}}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z]{2,4})?")
_REQUIRED_BY_SMS: Final = (Usage.REGISTER, Usage.SIGN_IN, Usage.FORGOT_PASSWORD, Usage.GENERIC)
_REQUIRED_BY_EMAIL: Final = {
    Usage.GENERIC: _("is missing: Logto sends it for every usage without its own text"),
    Usage.ORGANIZATION_INVITATION: _("is missing: Logto would send Generic, without a value for {{code}}"),
}
_CHOSEN_BY_PEOPLE: Final = frozenset({"organization", "inviter", "user"})
_WITH_USER: Final = frozenset({Usage.USER_PERMISSION_VALIDATION, Usage.BIND_NEW_IDENTIFIER})
_GSM: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€"
)  # GSM 03.38, the only encoding that Logto uses with GatewayAPI


def check_email_texts(connector: Mailgun | MockEmail, fallback: str) -> Iterator[Problem]:
    """Check the texts of an email connector, for every usage in every language."""
    path = f"connectors.{connector.factory}.templates"
    for usage, rule in _REQUIRED_BY_EMAIL.items():
        if usage not in connector.templates:
            yield Problem(f"{path}.{usage}", rule)
    for usage, texts in connector.templates.items():
        if fallback not in texts:
            yield Problem(
                f"{path}.{usage}.{fallback}", _("is missing: the fallback language must have every text")
            )
        for language, text in texts.items():
            key = f"{path}.{usage}.{language}"
            if not _LANGUAGE.fullmatch(language):
                yield Problem(key, _("must be a language tag, such as en or pt-BR"))
            if text.template:
                yield from _check_named(text, key, connector, is_fallback=language == fallback)
            else:
                yield from _check_written(text, key, usage, needs_html=isinstance(connector, Mailgun))


def _check_named(
    text: EmailText, key: str, connector: Mailgun | MockEmail, *, is_fallback: bool
) -> Iterator[Problem]:
    if not isinstance(connector, Mailgun) or not is_fallback:
        yield Problem(f"{key}.template", _("is for Mailgun and the fallback language only"))
    if text.html or text.text:
        yield Problem(
            f"{key}.template", _("must be the only key: Mailgun stores the html and text of this template")
        )


def _check_written(text: EmailText, key: str, usage: Usage, *, needs_html: bool) -> Iterator[Problem]:
    if not text.subject:
        yield Problem(f"{key}.subject", _("is missing"))
    if needs_html and not text.html:
        yield Problem(f"{key}.html", _("is missing"))
    elif not text.html and not text.text:
        yield Problem(f"{key}.text", _("is missing"))
    filled = _filled_in_emails(usage)
    for part, value in {"html": text.html, "text": text.text}.items():
        if value:
            yield from _check_bodies(f"{key}.{part}", value, usage)
    for part, value in {"subject": text.subject, "html": text.html, "text": text.text}.items():
        yield from _check_variables(f"{key}.{part}", value, usage, filled)
    for name in _roots(text.html) & _CHOSEN_BY_PEOPLE:
        yield Problem(
            f"{key}.html",
            _(
                "must not include {{%(name)s.…}}: Logto does not escape values, so a name could "
                "contain markup. Subject and text may include it",
                name=name,
            ),
        )


def check_sms_texts(connector: GatewayApi | MockSms) -> Iterator[Problem]:
    """Check the texts of an SMS connector, for every usage."""
    path = f"connectors.{connector.factory}.templates"
    for usage in _REQUIRED_BY_SMS:
        if usage not in connector.templates:
            yield Problem(f"{path}.{usage}", _("is missing: Logto requires it"))
    for usage, text in connector.templates.items():
        key = f"{path}.{usage}"
        filled = {"code", "locale"} | ({"user"} if usage in _WITH_USER else set())
        yield from _check_bodies(key, text, usage)
        yield from _check_variables(key, text, usage, filled)
        if isinstance(connector, GatewayApi) and (strange := "".join(sorted(set(text) - _GSM))):
            yield Problem(
                key,
                _("must use only the GSM 03.38 alphabet, which does not have '%(strange)s'", strange=strange),
            )


def _check_bodies(key: str, text: str, usage: Usage) -> Iterator[Problem]:
    """Check that the text has the code or the link that the message is sent for."""
    if usage.carries_code and "code" not in _roots(text):
        yield Problem(key, _("must include {{code}}: this message sends a code"))
    if not usage.carries_code and "link" not in _roots(text):
        yield Problem(key, _("must include {{link}}: it opens the invitation"))


def _check_variables(
    key: str, text: str, usage: Usage, filled: frozenset[str] | set[str]
) -> Iterator[Problem]:
    if not usage.carries_code and "code" in _roots(text):
        yield Problem(key, _("must not include {{code}}: an invitation has no code"))
    for name in sorted(_roots(text) - filled - {"code"}):
        yield Problem(
            key,
            _(
                "must not include {{%(name)s}}: Logto fills in %(join)s here",
                name=name,
                join=", ".join(sorted(filled)),
            ),
        )


def _filled_in_emails(usage: Usage) -> frozenset[str]:
    """Return the names that have a value in every message of this usage (Logto 1.42)."""
    if not usage.carries_code:
        return frozenset({"link", "organization", "inviter"})
    always = frozenset({"code", "locale", "application"})
    return always | {"user"} if usage in _WITH_USER else always


def _roots(text: str) -> frozenset[str]:
    return frozenset(match[1].partition(".")[0] for match in _VARIABLE.finditer(text))
