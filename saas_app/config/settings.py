"""Settings from the environment, read once, frozen, and checked before anything starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from cryptography.fernet import Fernet
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from saas_app.config.addresses import (
    host_names,
    optional_loopback_address,
    optional_web_address,
    origin_address,
    redis_address,
    resource_indicator,
    sender_address,
    smtp_address,
)
from saas_app.config.database_address import is_sqlite, read_database_address
from saas_app.config.values import Nameservers, Rate, RateText
from saas_app.errors import ConfigurationError
from saas_app.text.translation import Sentence, _
from saas_app.text.validation import describe

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
MEMORY: Final = "memory://"


def _database_url(value: str) -> str:
    read_database_address(value)
    return value.strip()


OriginAddress: TypeAlias = Annotated[str, AfterValidator(origin_address)]
OptionalWebAddress: TypeAlias = Annotated[str, AfterValidator(optional_web_address)]
OptionalLoopbackAddress: TypeAlias = Annotated[str, AfterValidator(optional_loopback_address)]
ResourceIndicator: TypeAlias = Annotated[str, AfterValidator(resource_indicator)]
DatabaseUrl: TypeAlias = Annotated[str, AfterValidator(_database_url)]
SenderAddress: TypeAlias = Annotated[str, AfterValidator(sender_address)]
HostNames: TypeAlias = Annotated[tuple[str, ...], NoDecode, BeforeValidator(host_names)]


class ManagementSettings(BaseSettings):
    """How to reach Logto's Management API. ``token_endpoint`` is "" if it is Logto's own."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", populate_by_name=True, env_ignore_empty=True
    )

    endpoint: OriginAddress = Field(validation_alias="LOGTO_ENDPOINT")
    app_id: str = Field(validation_alias="LOGTO_MANAGEMENT_APP_ID")
    app_secret: SecretStr = Field(validation_alias="LOGTO_MANAGEMENT_APP_SECRET")
    token_endpoint: OptionalWebAddress = Field("", validation_alias="LOGTO_MANAGEMENT_TOKEN_ENDPOINT")
    resource: ResourceIndicator = Field(
        "https://default.logto.app/api", validation_alias="LOGTO_MANAGEMENT_RESOURCE"
    )

    @property
    def token_url(self) -> str:
        """The token endpoint for the machine application."""
        return self.token_endpoint or f"{self.endpoint}/oidc/token"


@dataclass(frozen=True, slots=True)
class DatabaseLocation:
    """An address of the database, and the setting that it comes from, for messages."""

    url: str = field(repr=False)
    setting: str = "DATABASE_URL"


class DatabaseSettings(BaseSettings):
    """The addresses of the database: for requests, for the owner of its tables, and for jobs.

    On PostgreSQL each has a role of its own. ``database_allow_bypass``: ``serve`` starts even if its role can
    see the rows of all organizations.
    """

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", populate_by_name=True, env_ignore_empty=True
    )

    database_url: DatabaseUrl = Field("sqlite+aiosqlite:///var/workroom.db", validation_alias="DATABASE_URL")
    database_owner_url: DatabaseUrl | None = Field(default=None, validation_alias="DATABASE_OWNER_URL")
    database_jobs_url: DatabaseUrl | None = Field(default=None, validation_alias="DATABASE_JOBS_URL")
    database_allow_bypass: bool = Field(default=False, validation_alias="DATABASE_ALLOW_BYPASS")

    @field_validator("database_owner_url", "database_jobs_url")
    @classmethod
    def _require_same_database(cls, value: str | None, info: ValidationInfo) -> str | None:
        requests = info.data.get("database_url")
        if value and requests and is_sqlite(value) != is_sqlite(requests):
            raise ValueError(_("must name the same database as DATABASE_URL"))
        return value

    @property
    def for_requests(self) -> DatabaseLocation:
        """The database for requests."""
        return DatabaseLocation(self.database_url)

    @property
    def for_owner(self) -> DatabaseLocation:
        """The database for migrations."""
        if self.database_owner_url is None:
            return self.for_requests
        return DatabaseLocation(self.database_owner_url, "DATABASE_OWNER_URL")

    @property
    def for_jobs(self) -> DatabaseLocation:
        """The database for jobs that span people and organizations."""
        if self.database_jobs_url is None:
            return self.for_requests
        return DatabaseLocation(self.database_jobs_url, "DATABASE_JOBS_URL")

    @property
    def owner_url(self) -> str:
        """The address of the database for migrations."""
        return self.for_owner.url

    @property
    def jobs_url(self) -> str:
        """The address of the database for jobs that span people and organizations."""
        return self.for_jobs.url


class Settings(DatabaseSettings):
    """The settings of the application. Times are in seconds."""

    app_url: OriginAddress = Field("http://localhost:3000", validation_alias="APP_URL")
    allowed_hosts: HostNames = Field((), validation_alias="ALLOWED_HOSTS")
    host: str = Field("127.0.0.1", validation_alias="APP_HOST")
    port: int = Field(3000, validation_alias="APP_PORT", ge=1, le=65535)
    header_timeout: float = Field(10, validation_alias="APP_HEADER_TIMEOUT", gt=0)
    body_timeout: float = Field(20, validation_alias="APP_BODY_TIMEOUT", gt=0)
    keep_alive_timeout: int = Field(5, validation_alias="APP_KEEP_ALIVE_TIMEOUT", gt=0)
    max_connections: int = Field(1000, validation_alias="APP_MAX_CONNECTIONS", gt=0)
    drain_seconds: float = Field(0, validation_alias="APP_DRAIN_SECONDS", ge=0)
    encryption_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        validation_alias="APP_ENCRYPTION_KEYS"
    )
    logto_endpoint: OriginAddress = Field(validation_alias="LOGTO_ENDPOINT")
    logto_app_id: str = Field(validation_alias="LOGTO_APP_ID")
    logto_app_secret: SecretStr = Field(validation_alias="LOGTO_APP_SECRET")
    webhook_signing_key: SecretStr = Field(SecretStr(""), validation_alias="LOGTO_WEBHOOK_SIGNING_KEY")
    api_resource: ResourceIndicator = Field(
        "https://api.workroom.example", validation_alias="LOGTO_API_RESOURCE"
    )
    organization_token_max_age: float = Field(300, validation_alias="ORGANIZATION_TOKEN_MAX_AGE", gt=0)
    session_idle_timeout: int = Field(12 * 3600, validation_alias="SESSION_IDLE_TIMEOUT", gt=0)
    session_absolute_timeout: int = Field(14 * 86400, validation_alias="SESSION_ABSOLUTE_TIMEOUT", gt=0)
    invitation_link_lifetime: int = Field(
        3600, validation_alias="INVITATION_LINK_LIFETIME", ge=600, le=86_400
    )
    logto_timeout: float = Field(8, validation_alias="LOGTO_TIMEOUT", gt=0)
    fresh_sign_in_max_age: int = Field(600, validation_alias="FRESH_SIGN_IN_MAX_AGE", gt=0)
    rate_limit_client: RateText = Field(Rate(300, 60), validation_alias="RATE_LIMIT_CLIENT")
    rate_limit_user: RateText = Field(Rate(600, 60), validation_alias="RATE_LIMIT_USER")
    rate_limit_organization: RateText = Field(Rate(3000, 60), validation_alias="RATE_LIMIT_ORGANIZATION")
    rate_limit_address: RateText = Field(Rate(120, 60), validation_alias="RATE_LIMIT_ADDRESS")
    rate_limit_new_organizations: RateText = Field(
        Rate(20, 86_400), validation_alias="RATE_LIMIT_NEW_ORGANIZATIONS"
    )
    rate_limit_invitations_user: RateText = Field(
        Rate(100, 86_400), validation_alias="RATE_LIMIT_INVITATIONS_USER"
    )
    rate_limit_invitations_organization: RateText = Field(
        Rate(300, 86_400), validation_alias="RATE_LIMIT_INVITATIONS_ORGANIZATION"
    )
    rate_limit_invitations_address: RateText = Field(
        Rate(5, 86_400), validation_alias="RATE_LIMIT_INVITATIONS_ADDRESS"
    )
    rate_limit_changes: RateText = Field(Rate(60, 60), validation_alias="RATE_LIMIT_CHANGES")
    rate_limit_storage: str = Field(MEMORY, validation_alias="RATE_LIMIT_STORAGE")
    domain_nameservers: Nameservers = Field((), validation_alias="DOMAIN_NAMESERVERS")
    domain_grace: int = Field(3 * 86400, validation_alias="DOMAIN_GRACE", ge=0)
    mail_from: SenderAddress = Field("", validation_alias="MAIL_FROM")
    smtp_url: SecretStr = Field(SecretStr(""), validation_alias="SMTP_URL")
    lab: bool = Field(default=False, validation_alias="LAB")
    lab_practice_url: OptionalLoopbackAddress = Field("", validation_alias="LAB_PRACTICE_URL")
    lab_practice_key: SecretStr = Field(SecretStr(""), validation_alias="LAB_PRACTICE_KEY")
    lab_people_file: Path | None = Field(None, validation_alias="LAB_PEOPLE_FILE")
    single_sign_on: bool = Field(default=False, validation_alias="SINGLE_SIGN_ON")
    single_sign_on_self_service: bool = Field(default=True, validation_alias="SINGLE_SIGN_ON_SELF_SERVICE")
    single_sign_on_private_issuers: bool = Field(
        default=False, validation_alias="SINGLE_SIGN_ON_PRIVATE_ISSUERS"
    )
    support_organization_id: str = Field("", validation_alias="SUPPORT_ORGANIZATION_ID")
    support_app_id: str = Field("", validation_alias="SUPPORT_APP_ID")
    support_app_secret: SecretStr = Field(
        SecretStr(""), validation_alias="SUPPORT_APP_SECRET", validate_default=True
    )
    log_format: str = Field("console", validation_alias="LOG_FORMAT", pattern="^(console|json)$")
    metrics_host: str = Field("127.0.0.1", validation_alias="METRICS_HOST")
    metrics_port: int | None = Field(None, validation_alias="METRICS_PORT", ge=1, le=65535)
    otlp_endpoint: OptionalWebAddress = Field("", validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    management: ManagementSettings | None = None

    @field_validator("encryption_keys", mode="before")
    @classmethod
    def _split_keys(cls, value: object) -> object:
        return tuple(key.strip() for key in value.split(",")) if isinstance(value, str) else value

    @field_validator("encryption_keys")
    @classmethod
    def _fernet_keys(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for key in value:
            try:
                Fernet(key.get_secret_value())
            except ValueError:
                raise ValueError(_("must be keys of 32 bytes in URL-safe base64")) from None
        return value

    @field_validator("rate_limit_storage")
    @classmethod
    def _known_storage(cls, value: str) -> str:
        if value == MEMORY:
            return value
        _require("redis", extra="redis")
        return redis_address(value)

    @field_validator("smtp_url")
    @classmethod
    def _mail_server(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        address = smtp_address(value.get_secret_value())
        if address and info.data.get("mail_from") == "":
            raise ValueError(_("needs MAIL_FROM, the sender of the emails"))
        return SecretStr(address)

    @field_validator("support_app_secret")
    @classmethod
    def _support_is_complete(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        others = [bool(info.data.get(name)) for name in ("support_organization_id", "support_app_id")]
        if {*others, bool(value.get_secret_value())} == {True, False}:
            raise ValueError(
                _("must be set together with SUPPORT_ORGANIZATION_ID and SUPPORT_APP_ID, or not at all")
            )
        return value

    @field_validator("metrics_port")
    @classmethod
    def _metrics_are_installed(cls, value: int | None) -> int | None:
        if value is not None:
            _require("prometheus_client", extra="metrics")
        return value

    @field_validator("otlp_endpoint")
    @classmethod
    def _traces_are_installed(cls, value: str) -> str:
        if value:
            _require("opentelemetry", extra="otel")
        return value

    @property
    def can_email(self) -> bool:
        """Whether people can choose emails: there is a mail server, and Logto tells their addresses."""
        return bool(self.smtp_url.get_secret_value()) and self.management is not None

    @property
    def offers_support(self) -> bool:
        """Whether the operator has a support team, and Logto can be asked for tokens with two names."""
        return self.support_app_id != "" and self.management is not None

    @property
    def offers_single_sign_on(self) -> bool:
        """Whether admins can connect the identity provider of their company."""
        return self.single_sign_on and self.management is not None

    @property
    def is_tls(self) -> bool:
        """Whether people reach the application over HTTPS. Decides cookie flags and HSTS."""
        return self.app_url.startswith("https://")

    @property
    def redirect_uri(self) -> str:
        """The address Logto returns people to after signing in. ``saas-app provision`` registers it."""
        return f"{self.app_url}/callback"

    @property
    def account_center(self) -> str:
        """Logto's page where people set up their second factors."""
        return f"{self.logto_endpoint}/account"

    @property
    def post_sign_out_uri(self) -> str:
        """The address Logto returns people to after signing out. ``saas-app provision`` registers it."""
        return f"{self.app_url}/"


def _require(package: str, *, extra: str) -> None:
    if find_spec(package) is None:
        raise ValueError(_("needs an extra package: pip install 'workroom[%(extra)s]'", extra=extra))


def load_settings() -> Settings:
    """Read the environment. Raises :class:`ConfigurationError` with the name of each invalid variable."""
    try:
        settings = Settings()  # type: ignore[call-arg]  # the fields come from the environment
    except ValidationError as error:
        raise ConfigurationError(explain_settings(error)) from None
    try:
        management = ManagementSettings()  # type: ignore[call-arg]
    except ValidationError as error:
        if any(problem["type"] != "missing" for problem in error.errors()):
            raise ConfigurationError(explain_settings(error)) from None
        return settings  # creating an organization then reports what is missing
    return settings.model_copy(update={"management": management})


def load_management_settings() -> ManagementSettings:
    """Read what provisioning needs. Raises :class:`ConfigurationError` with the missing variables."""
    try:
        return ManagementSettings()  # type: ignore[call-arg]
    except ValidationError as error:
        raise ConfigurationError(explain_settings(error)) from None


def explain_settings(error: ValidationError) -> Sentence:
    """Describe what is missing or invalid, one clause per variable. Values are left out: some are secret."""
    lines, is_incomplete = [], False
    for problem in error.errors(include_input=False, include_url=False):
        name = ".".join(str(part) for part in problem["loc"])
        if name in Settings.model_fields:  # a default that another setting makes invalid
            name = str(Settings.model_fields[name].validation_alias)
        missing = problem["type"] == "missing"
        is_incomplete = is_incomplete or missing
        lines.append(_("%(name)s is not set", name=name) if missing else _described(name, problem))
    problems = Sentence.joined(lines, "; ")
    if not is_incomplete:
        return _("%(problems)s. See .env.example.", problems=problems)
    return _(
        "%(problems)s. Run 'saas-app provision --write-env .env' and then 'saas-app serve "
        "--env-file .env', or see .env.example.",
        problems=problems,
    )


def _described(name: str, problem: ErrorDetails) -> Sentence:
    """Return what is wrong with a setting. Our own sentences continue with its name."""
    if problem["type"] == "value_error":
        return Sentence.joined((name, describe(problem)), " ")
    return Sentence.joined((name, describe(problem)), ": ")
