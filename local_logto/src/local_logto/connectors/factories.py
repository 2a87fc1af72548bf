"""The kinds of connectors: what each is called, and the shape of its configuration.

These are the five of Logto 1.42 that this provider can run. IDs, targets, keys and rules are Logto's. Sending
is done elsewhere.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from local_logto.faults import Issue, Path, refusal_of_faults, report
from local_logto.values import AnyObject, AnyOf, Kind, ListOf, MapOf, Shape, Text

ConnectorType = Literal["Email", "Sms", "Social"]
Words = Mapping[str, str]
FormItem = Mapping[str, object]

# Signing in, signing up and resetting a password by phone need these (connector-gatewayapi-sms).
_REQUIRED_USAGES: Final = ("Register", "SignIn", "ForgotPassword", "Generic")


@dataclass(frozen=True)
class Factory:
    """One kind of connector.

    ``name`` and ``description`` are by language. ``form`` describes the configuration form in an admin
    console: items, or a JSON text to start from.
    """

    id: str
    type: ConnectorType
    target: str
    platform: str | None
    name: Words
    description: Words
    config: Kind
    form: tuple[FormItem, ...] | str

    @property
    def keeps_messages(self) -> bool:
        """Whether the connector shows messages on the messages page instead of sending them."""
        return self.id.startswith("mock-")

    def metadata(self) -> dict[str, Any]:
        """Return what Logto shows of a factory and of each of its connectors."""
        form = {"configTemplate": self.form} if isinstance(self.form, str) else {"formItems": [*self.form]}
        return {
            "id": self.id,
            "target": self.target,
            "platform": self.platform,
            "name": dict(self.name),
            "description": dict(self.description),
            "logo": _LOGO,
            "logoDark": None,
            "readme": f"# {self.name['en']}\n\n{self.description['en']}\n",
            **form,
        }

    def check(self, config: object) -> None:
        """Raise 400 ``connector.invalid_config`` with every fault. Unknown members are accepted."""
        issues: list[Issue] = []
        self.config.check(config, (), issues)
        if issues:
            raise refusal_of_faults("connector.invalid_config", "The connector's config is invalid.", issues)


@dataclass(frozen=True)
class _SmsTemplates:
    """A list of templates with one for each required usage."""

    def check(self, value: object, path: Path, issues: list[Issue]) -> Any:
        before = len(issues)
        item = Shape({"usageType": Text(), "content": Text()})
        templates = ListOf(item).check(value, path, issues)
        if len(issues) > before:
            return templates
        present = {template["usageType"] for template in templates}
        missing = ", ".join(usage for usage in _REQUIRED_USAGES if usage not in present)
        if missing:
            message = f"Template with UsageType ({missing}) should be provided!"
            report(issues, path, code="custom", message=message)
        return templates


def _item(key: str, label: str, *, type: str = "Text", required: bool = True, **more: object) -> FormItem:  # noqa: A002 - its name on the wire
    return {"key": key, "type": type, "required": required, "label": label, **more}


def _languages(en: str, zh: str, tr: str, ko: str) -> Words:
    return {"en": en, "zh-CN": zh, "tr-TR": tr, "ko": ko}


_LOGO: Final = (
    "data:image/svg+xml;base64,"
    + base64.b64encode(
        b'<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24"><circle r="24"/></svg>'
    ).decode()
)

_CODE_TEXTS: Final = dict.fromkeys(_REQUIRED_USAGES, "Your verification code is {{code}}.")
_MAIL_ADDRESSING: Final = {"subject": Text(), "replyTo": Text()}

MAILGUN: Final = Factory(
    id="mailgun-email",
    type="Email",
    target="mailgun-email",
    platform=None,
    name={"en": "Mailgun"},
    description=_languages(
        "Sends email through Mailgun.",
        "通过 Mailgun 发送电子邮件。",
        "Mailgun üzerinden e-posta gönderir.",
        "Mailgun으로 이메일을 보냅니다.",
    ),
    config=Shape(
        required={
            "domain": Text(),
            "apiKey": Text(),
            "from": Text(),
            "deliveries": MapOf(
                AnyOf(
                    (
                        Shape({"html": Text()}, {"text": Text(), **_MAIL_ADDRESSING}),
                        Shape({"template": Text()}, {"variables": AnyObject(), **_MAIL_ADDRESSING}),
                    )
                )
            ),
        },
        optional={"endpoint": Text(is_url=True, ends_with=".mailgun.net")},
    ),
    form=(
        _item("endpoint", "Mailgun endpoint", required=False, placeholder="https://api.mailgun.net"),
        _item("domain", "Domain", placeholder="mg.example.com"),
        _item("apiKey", "API Key", placeholder="<api-key>"),
        _item("from", "Email address to send from", placeholder="Name <name@example.com>"),
        _item(
            "deliveries",
            "Deliveries",
            type="Json",
            defaultValue={
                usage: {"subject": "Your code", "html": text} for usage, text in _CODE_TEXTS.items()
            },
        ),
    ),
)

GATEWAYAPI: Final = Factory(
    id="gatewayapi-sms",
    type="Sms",
    target="gatewayapi-sms",
    platform=None,
    name={"en": "GatewayAPI SMS Service"},
    description=_languages(
        "Sends text messages through GatewayAPI.",
        "通过 GatewayAPI 发送短信。",
        "GatewayAPI üzerinden SMS gönderir.",
        "GatewayAPI로 문자 메시지를 보냅니다.",
    ),
    config=Shape(
        {"endpoint": Text(), "apiToken": Text(), "sender": Text(), "templates": _SmsTemplates()},
    ),
    form=(
        _item(
            "endpoint",
            "Endpoint",
            placeholder="https://gatewayapi.com/rest/mtsms",
            defaultValue="https://gatewayapi.com/rest/mtsms",
        ),
        _item("apiToken", "API Token"),
        _item("sender", "Sender", placeholder="Example"),
        _item(
            "templates",
            "Templates",
            type="Json",
            defaultValue=[{"usageType": usage, "content": text} for usage, text in _CODE_TEXTS.items()],
        ),
    ),
)

NAVER: Final = Factory(
    id="naver-universal",
    type="Social",
    target="naver",
    platform="Universal",
    name=_languages("Naver", "Naver", "Naver", "네이버"),
    description=_languages(
        "Sign in with a Naver account.",
        "使用 Naver 账号登录。",
        "Naver hesabıyla oturum açın.",
        "네이버 계정으로 로그인합니다.",
    ),
    config=Shape({"clientId": Text(), "clientSecret": Text()}),
    form=(
        _item("clientId", "Client ID", placeholder="<client-id>"),
        _item("clientSecret", "Client Secret", placeholder="<client-secret>"),
    ),
)

MOCK_EMAIL: Final = Factory(
    id="mock-email-service",
    type="Email",
    target="mock-mail",
    platform=None,
    name=_languages("Mock Mail Service", "Mock 邮件服务", "Mock Mail Servis", "Mock Mail Service"),
    description=_languages(
        "Shows email on the messages page.",
        "在消息页面上显示电子邮件。",
        "E-postaları mesajlar sayfasında gösterir.",
        "이메일을 메시지 페이지에 표시합니다.",
    ),
    config=Shape(
        required={
            "apiKey": Text(),
            "fromEmail": Text(),
            "templates": ListOf(
                Shape({"usageType": Text(), "type": Text(), "subject": Text(), "content": Text()})
            ),
        },
        optional={"fromName": Text()},
    ),
    form='{"apiKey": "<any>", "fromEmail": "<noreply@example.com>", "templates": []}',
)

MOCK_SMS: Final = Factory(
    id="mock-short-message-service",
    type="Sms",
    target="mock-sms",
    platform=None,
    name=_languages("Mock SMS Service", "Mock 短信服务", "Mock SMS Servis", "Mock SMS Service"),
    description=_languages(
        "Shows text messages on the messages page.",
        "在消息页面上显示短信。",
        "SMS'leri mesajlar sayfasında gösterir.",
        "문자 메시지를 메시지 페이지에 표시합니다.",
    ),
    config=Shape(
        required={
            "accountSID": Text(),
            "authToken": Text(),
            "fromMessagingServiceSID": Text(),
            "templates": ListOf(Shape({"usageType": Text(), "content": Text()})),
        }
    ),
    form='{"accountSID": "<any>", "authToken": "<any>", "fromMessagingServiceSID": "<any>", "templates": []}',
)

FACTORIES: Final[Mapping[str, Factory]] = {
    factory.id: factory for factory in (MAILGUN, GATEWAYAPI, NAVER, MOCK_EMAIL, MOCK_SMS)
}
