"""A declaration as Logto 1.42 takes it: its connectors, email templates and sign-in experience. Pure.

In the fallback language the texts of emails are part of the connector; those in other languages are email
templates of the tenant (docs/decisions/0010-templates-in-several-languages.md).
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
    Mfa,
    MockEmail,
    MockSms,
    Naver,
    SignIn,
    SignUp,
    SmsTexts,
    Usage,
)

Json = Mapping[str, object]

_SECRETS: Final = ("apiKey", "apiToken", "clientSecret")
_FORGOT_PASSWORD: Final = {"email": "EmailVerificationCode", "phone": "PhoneVerificationCode"}


@dataclass(frozen=True, slots=True)
class DeclaredConnector:
    """One connector. ``id`` and ``sync_profile`` are of social ones; "" lets Logto choose an id."""

    factory: str
    config: Json = field(repr=False)
    id: str = ""
    sync_profile: bool | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values of its config that nobody may see."""
        return tuple(str(self.config[key]) for key in _SECRETS if key in self.config)


@dataclass(frozen=True, slots=True)
class DeclaredEmailTemplate:
    """One text of an email, kept by the tenant and not by the connector."""

    language: str
    usage: str
    details: Json

    @property
    def name(self) -> str:
        """What it is told by."""
        return f"{self.usage} ({self.language})"


def connectors_of(declaration: Declaration) -> tuple[DeclaredConnector, ...]:
    """Every connector that is declared, with its config."""
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
    """The language for who reads none of the others."""
    return declaration.language.fallback if declaration.language else ""


def email_templates_of(declaration: Declaration) -> tuple[DeclaredEmailTemplate, ...]:
    """Every text of an email in every language, as a template of the tenant.

    A text whose template the provider keeps is not among them: the tenant cannot keep it.
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


def sign_in_experience_of(declaration: Declaration, found: Json, theirs: frozenset[str]) -> dict[str, object]:
    """The objects that are declared, laid over what is there, because Logto replaces each whole.

    ``theirs`` are the social targets of connectors that are not declared: their buttons stay.
    """
    wanted: dict[str, object] = {}
    if language := declaration.language:
        info = {"autoDetect": language.auto_detect, "fallbackLanguage": language.fallback}
        wanted["languageInfo"] = _over(found, "languageInfo", info)
    if declaration.sign_in:
        wanted |= _sign_in(declaration.sign_in)
    if declaration.sign_up:
        wanted["signUp"] = _over(found, "signUp", _sign_up(declaration.sign_up))
    if declaration.mfa:
        wanted["mfa"] = _over(found, "mfa", _mfa(declaration.mfa))
    if social := declaration.social:
        linking = {
            "automaticAccountLinking": social.link_accounts,
            "skipRequiredIdentifiers": social.skip_required,
        }
        wanted["socialSignIn"] = _over(found, "socialSignIn", linking)
        if social.buttons is not None:
            kept = [name for name in _list(found.get("socialSignInConnectorTargets")) if name in theirs]
            wanted["socialSignInConnectorTargets"] = [*social.buttons, *kept]
    if codes := declaration.verification_code:
        policy = {"expirationDuration": codes.expires_after, "maxRetryAttempts": codes.max_attempts}
        wanted["verificationCodePolicy"] = _over(found, "verificationCodePolicy", policy)
    if lockout := declaration.lockout:
        policy = {"maxAttempts": lockout.max_attempts, "lockoutDuration": lockout.minutes}
        wanted["sentinelPolicy"] = _over(found, "sentinelPolicy", policy)
    return wanted


def _sign_in(sign_in: SignIn) -> dict[str, object]:
    wanted: dict[str, object] = {}
    if sign_in.mode is not None:
        wanted["signInMode"] = sign_in.mode
    if sign_in.forgot_password is not None:
        wanted["forgotPasswordMethods"] = [_FORGOT_PASSWORD[way] for way in sign_in.forgot_password]
    if sign_in.methods is not None:
        wanted["signIn"] = {
            "methods": [
                {
                    "identifier": identifier,
                    "password": "password" in proofs,
                    "verificationCode": "code" in proofs,
                    "isPasswordPrimary": proofs[0] == "password",
                }
                for identifier, proofs in sign_in.methods.items()
            ]
        }
    return wanted


def _sign_up(sign_up: SignUp) -> dict[str, object]:
    return {
        "identifiers": list(sign_up.identifiers),
        "password": sign_up.password,
        "verify": sign_up.verify,
        "secondaryIdentifiers": [
            {"identifier": identifier, "verify": identifier != "username"} for identifier in sign_up.also
        ],
    }


def _mfa(mfa: Mfa) -> dict[str, object]:
    return {
        "factors": None if mfa.factors is None else list(mfa.factors),
        "policy": mfa.policy,
        "organizationRequiredMfaPolicy": mfa.organizations,
    }


def _over(found: Json, name: str, declared: Json) -> dict[str, object]:
    there = found.get(name)
    kept = dict(there) if isinstance(there, Mapping) else {}
    return kept | {key: value for key, value in declared.items() if value is not None}


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []


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
        return _filled(named | {"subject": text.subject, "replyTo": text.reply_to})
    return _filled({"subject": text.subject, "html": text.html, "text": text.text, "replyTo": text.reply_to})


def _details(text: EmailText) -> Json:
    content_type = "text/html" if text.html else "text/plain"
    return _filled(
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


def _filled(values: Json) -> Json:
    """Without what is empty: Logto drops that, and would seem to differ ever after."""
    return {key: value for key, value in values.items() if value not in ("", {}, None)}
