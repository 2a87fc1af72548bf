"""Turns a declaration into the connectors and email templates that Logto 1.42 accepts. Pure.

Email texts in the fallback language are part of the connector. Those in other languages are email templates
of the tenant (docs/decisions/0010-templates-in-several-languages.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import Final

from saas_app.operations.sign_in_methods.model import (
    Declaration,
    EmailText,
    GatewayApi,
    Mailgun,
    MockEmail,
    MockSms,
    Naver,
    SmsTexts,
    Usage,
)

Json = Mapping[str, object]

_SECRETS: Final = ("apiKey", "apiToken", "clientSecret")


@dataclass(frozen=True, slots=True)
class DeclaredConnector:
    """One connector. Only social ones have ``id`` and ``sync_profile``; with "", Logto chooses the ID."""

    factory: str
    config: Json = field(repr=False)
    id: str = ""
    sync_profile: bool | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secret values in its config."""
        return tuple(str(self.config[key]) for key in _SECRETS if key in self.config)


@dataclass(frozen=True, slots=True)
class DeclaredEmailTemplate:
    """One email text that is stored in the tenant, not in the connector."""

    language: str
    usage: str
    details: Json

    @property
    def name(self) -> str:
        """Its name in plans."""
        return f"{self.usage} ({self.language})"


def connectors_of(declaration: Declaration) -> tuple[DeclaredConnector, ...]:
    """Return every declared connector with its config."""
    declared = declaration.connectors
    found: list[DeclaredConnector] = []
    if email := declared.email:
        found.append(DeclaredConnector(email.factory, _email_config(email, fallback_of(declaration))))
    if sms := declared.sms:
        found.append(DeclaredConnector(sms.factory, _sms_config(sms)))
    found += (
        DeclaredConnector(naver.factory, _naver_config(naver), naver.id, naver.sync_profile)
        for naver in declared.social
    )
    return tuple(found)


def fallback_of(declaration: Declaration) -> str:
    """Return the language for people who read none of the others, or "" if it is not declared."""
    return declaration.language.fallback if declaration.language else ""


def email_templates_of(declaration: Declaration) -> tuple[DeclaredEmailTemplate, ...]:
    """Return every email text in every language, as templates of the tenant.

    Texts that name a template at the provider are left out, because a tenant cannot store them.
    """
    email = declaration.connectors.email
    if email is None:
        return ()
    return tuple(
        DeclaredEmailTemplate(language, usage.value, _details(text))
        for usage, texts in email.templates.items()
        for language, text in texts.items()
        if not text.template
    )


def _email_config(email: Mailgun | MockEmail, fallback: str) -> Json:
    texts = {usage: by_language[fallback] for usage, by_language in email.templates.items()}
    if isinstance(email, Mailgun):
        return {
            "endpoint": email.endpoint,
            "domain": email.domain,
            "apiKey": email.api_key.get_secret_value(),
            "from": email.sender,
            "deliveries": {usage.value: _delivery(text) for usage, text in texts.items()},
        }
    name, address = parseaddr(email.sender)
    return {
        "apiKey": "unused",
        "fromEmail": address,
        "fromName": name or address,
        "templates": [_mock_template(usage, text) for usage, text in texts.items()],
    }


def _delivery(text: EmailText) -> Json:
    if text.template:
        named: dict[str, object] = {"template": text.template, "variables": dict(text.variables)}
        return _without_empty(named | {"subject": text.subject, "replyTo": text.reply_to})
    return _without_empty(
        {"subject": text.subject, "html": text.html, "text": text.text, "replyTo": text.reply_to}
    )


def _details(text: EmailText) -> Json:
    content_type = "text/html" if text.html else "text/plain"
    return _without_empty(
        {
            "subject": text.subject,
            "content": text.html or text.text,
            "contentType": content_type,
            "replyTo": text.reply_to,
        }
    )


def _mock_template(usage: Usage, text: EmailText) -> Json:
    content_type = "text/html" if text.html else "text/plain"
    return {
        "usageType": usage.value,
        "type": content_type,
        "contentType": content_type,
        "subject": text.subject,
        "content": text.html or text.text,
    }


def _sms_config(sms: GatewayApi | MockSms) -> Json:
    if isinstance(sms, GatewayApi):
        return {
            "endpoint": sms.endpoint,
            "apiToken": sms.api_token.get_secret_value(),
            "sender": sms.sender,
            "templates": _sms_templates(sms.templates),
        }
    return {
        "accountSID": "unused",
        "authToken": "unused",
        "fromMessagingServiceSID": "unused",
        "templates": _sms_templates(sms.templates),
    }


def _sms_templates(texts: SmsTexts) -> list[Json]:
    return [{"usageType": usage.value, "content": text} for usage, text in texts.items()]


def _naver_config(naver: Naver) -> Json:
    return {"clientId": naver.client_id, "clientSecret": naver.client_secret.get_secret_value()}


def _without_empty(values: Json) -> Json:
    """Return the values that are not empty. Logto drops empty ones, so they would always seem to differ."""
    return {key: value for key, value in values.items() if value not in ("", {}, None)}
