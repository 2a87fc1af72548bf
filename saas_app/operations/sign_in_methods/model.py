"""The model of ``connectors.toml``: connectors with their texts, and the sign-in experience.

``connectors.toml.example`` explains the keys, :mod:`.checks` has the rules. A part that is None is not
declared: it stays as it is in Logto.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, SecretStr

Identifier: TypeAlias = Literal["username", "email", "phone"]
Proof: TypeAlias = Literal["password", "code"]
Factor: TypeAlias = Literal[
    "Totp", "WebAuthn", "BackupCode", "EmailVerificationCode", "PhoneVerificationCode"
]

SECRETS: Final = frozenset({"api_key", "api_token", "client_secret"})
"""The settings of connectors that must come from the environment."""


class Usage(StrEnum):
    """The purpose of a message: the template types of Logto 1.42."""

    SIGN_IN = "SignIn"
    REGISTER = "Register"
    FORGOT_PASSWORD = "ForgotPassword"  # noqa: S105 - a name
    ORGANIZATION_INVITATION = "OrganizationInvitation"
    GENERIC = "Generic"
    MFA_VERIFICATION = "MfaVerification"
    BIND_MFA = "BindMfa"
    USER_PERMISSION_VALIDATION = "UserPermissionValidation"
    BIND_NEW_IDENTIFIER = "BindNewIdentifier"

    @property
    def carries_code(self) -> bool:
        """Whether the message contains a code. An invitation contains a link instead."""
        return self is not Usage.ORGANIZATION_INVITATION


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class EmailText(_Section):
    """One message in one language, or the name of a template that is stored at the provider."""

    subject: str = ""
    html: str = ""
    text: str = ""
    reply_to: str = ""
    template: str = ""
    variables: Mapping[str, str] = {}


EmailTexts: TypeAlias = Mapping[Usage, Mapping[str, EmailText]]  # by usage, then by language
SmsTexts: TypeAlias = Mapping[Usage, str]  # one for all languages: Logto 1.42 stores no more


class Mailgun(_Section):
    """Email through Mailgun."""

    factory: ClassVar = "mailgun-email"

    endpoint: str = "https://api.mailgun.net"
    domain: str
    api_key: SecretStr
    sender: str = Field(alias="from")
    templates: EmailTexts


class MockEmail(_Section):
    """Logto's mock connector for email. It sends nothing."""

    factory: ClassVar = "mock-email-service"

    sender: str = Field(alias="from")
    templates: EmailTexts


class GatewayApi(_Section):
    """Text messages through GatewayAPI."""

    factory: ClassVar = "gatewayapi-sms"

    endpoint: str = "https://gatewayapi.com/rest/mtsms"
    api_token: SecretStr
    sender: str
    templates: SmsTexts


class MockSms(_Section):
    """Logto's mock connector for text messages. It sends nothing."""

    factory: ClassVar = "mock-short-message-service"

    templates: SmsTexts


class Naver(_Section):
    """Sign-in with Naver. ``id`` is part of the callback URL and fixed once it exists in Logto."""

    factory: ClassVar = "naver-universal"
    target: ClassVar = "naver"
    label: ClassVar = "Naver"

    id: str = ""
    client_id: str
    client_secret: SecretStr
    sync_profile: bool = False


class Connectors(_Section):
    """The connectors, by Logto's name for their kind."""

    mailgun: Mailgun | None = Field(None, alias="mailgun-email")
    mock_email: MockEmail | None = Field(None, alias="mock-email-service")
    gatewayapi: GatewayApi | None = Field(None, alias="gatewayapi-sms")
    mock_sms: MockSms | None = Field(None, alias="mock-short-message-service")
    naver: Naver | None = Field(None, alias="naver-universal")

    @property
    def email(self) -> Mailgun | MockEmail | None:
        """The connector that sends email."""
        return self.mailgun or self.mock_email

    @property
    def sms(self) -> GatewayApi | MockSms | None:
        """The connector that sends text messages."""
        return self.gatewayapi or self.mock_sms

    @property
    def social(self) -> tuple[Naver, ...]:
        """The connectors that can have a button on the sign-in page."""
        return (self.naver,) if self.naver else ()


class Language(_Section):
    """The language of the sign-in pages and messages."""

    fallback: str
    auto_detect: bool = True


class SignIn(_Section):
    """How people sign in. ``methods`` lists the proofs for each identifier; the first is the default."""

    mode: Literal["SignIn", "SignInAndRegister"] | None = None
    methods: Mapping[Identifier, tuple[Proof, ...]] | None = None
    forgot_password: tuple[Literal["email", "phone"], ...] | None = None


class SignUp(_Section):
    """What a new account needs. ``also`` lists what is requested besides the identifiers."""

    identifiers: tuple[Identifier, ...]
    also: tuple[Identifier | Literal["emailOrPhone"], ...] = ()
    password: bool
    verify: bool


class Social(_Section):
    """The social sign-in buttons, and how their accounts are linked."""

    buttons: tuple[str, ...] | None = None
    link_accounts: bool | None = None
    skip_required: bool | None = None


class Mfa(_Section):
    """The second factors, and who is prompted to set one up."""

    factors: tuple[Factor, ...] | None = None
    policy: (
        Literal["UserControlled", "NoPrompt", "PromptOnlyAtSignIn", "PromptAtSignInAndSignUp", "Mandatory"]
        | None
    ) = None
    organizations: Literal["NoPrompt", "Mandatory"] | None = None


class VerificationCode(_Section):
    """How many seconds a code is valid, and how many wrong attempts it allows."""

    expires_after: int | None = None
    max_attempts: int | None = None


class Lockout(_Section):
    """How many wrong attempts for an identifier within an hour cause a lockout, and how long it lasts."""

    max_attempts: int | None = None
    minutes: int | None = None


class Declaration(_Section):
    """The content of a ``connectors.toml``."""

    language: Language | None = None
    sign_in: SignIn | None = None
    sign_up: SignUp | None = None
    social: Social | None = None
    mfa: Mfa | None = None
    verification_code: VerificationCode | None = None
    lockout: Lockout | None = None
    connectors: Connectors = Field(default_factory=lambda: Connectors.model_validate({}))

    def proofs_of(self, identifier: Identifier) -> tuple[Proof, ...]:
        """Return how an identifier is proved at sign-in. Empty if that is not declared."""
        methods = (self.sign_in.methods if self.sign_in else None) or {}
        return methods.get(identifier, ())
