"""The settings of commands that run before the application can start, and the environment they store for it.

:mod:`saas_app.config` has the settings of a running application. Provisioning works without most of them,
because it creates them.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from pydantic import Field, SecretStr, ValidationError

from saas_app.config import (
    DatabaseSettings,
    ManagementSettings,
    Nameservers,
    OriginAddress,
    ResourceIndicator,
    Settings,
    explain_settings,
)
from saas_app.config.addresses import is_loopback
from saas_app.errors import ConfigurationError
from saas_app.identity.vault import Vault
from saas_app.operations.provisioning import Deployment, ProvisionedApplication, SupportTeam
from saas_app.operations.sign_in_methods.declaration import FILE_VARIABLE
from saas_app.single_sign_on.broker.registration import Registration
from saas_app.text.translation import _

_DEFAULTS = {name: field.default for name, field in Settings.model_fields.items()}


class DeploymentSettings(DatabaseSettings):
    """Where Workroom runs, and what an earlier run of ``provision`` stored about its application."""

    app_url: OriginAddress = Field(_DEFAULTS["app_url"], validation_alias="APP_URL")
    api_resource: ResourceIndicator = Field(_DEFAULTS["api_resource"], validation_alias="LOGTO_API_RESOURCE")
    app_id: str = Field("", validation_alias="LOGTO_APP_ID")
    app_secret: SecretStr = Field(SecretStr(""), validation_alias="LOGTO_APP_SECRET")
    webhook_signing_key: SecretStr = Field(SecretStr(""), validation_alias="LOGTO_WEBHOOK_SIGNING_KEY")
    support_organization_id: str = Field(default="", validation_alias="SUPPORT_ORGANIZATION_ID")
    support_app_id: str = Field(default="", validation_alias="SUPPORT_APP_ID")
    support_app_secret: SecretStr = Field(default=SecretStr(""), validation_alias="SUPPORT_APP_SECRET")
    single_sign_on: bool = Field(default=False, validation_alias="SINGLE_SIGN_ON")
    single_sign_on_self_service: bool = Field(default=True, validation_alias="SINGLE_SIGN_ON_SELF_SERVICE")
    encryption_keys: SecretStr = Field(SecretStr(""), validation_alias="APP_ENCRYPTION_KEYS")
    domain_nameservers: Nameservers = Field(default=(), validation_alias="DOMAIN_NAMESERVERS")
    domain_grace: int = Field(default=_DEFAULTS["domain_grace"], validation_alias="DOMAIN_GRACE", ge=0)

    @property
    def support_team(self) -> SupportTeam:
        """What an earlier run stored about the support team."""
        secret = self.support_app_secret.get_secret_value()
        return SupportTeam(self.support_organization_id, self.support_app_id, secret)

    @property
    def deployment(self) -> Deployment:
        """The settings that provisioning needs."""
        return Deployment(
            app_url=self.app_url,
            api_resource=self.api_resource,
            app_id=self.app_id,
            app_secret=self.app_secret.get_secret_value(),
            webhook_signing_key=self.webhook_signing_key.get_secret_value(),
            single_sign_on=self.single_sign_on,
        )


def load_deployment_settings() -> DeploymentSettings:
    """Read the environment. Raises :class:`ConfigurationError` with the name of each invalid variable."""
    try:
        return DeploymentSettings()  # type: ignore[call-arg]  # the fields come from the environment
    except ValidationError as error:
        raise ConfigurationError(explain_settings(error)) from None


def stored_environment(
    management: ManagementSettings,
    settings: DeploymentSettings,
    application: ProvisionedApplication,
    connectors_file: Path | None = None,
) -> dict[str, str]:
    """Return everything ``saas-app serve`` needs, by variable name. Encryption keys are created only once.

    ``connectors_file`` is None if no file was named. The application shows the sign-in methods it declares.
    """
    values = {
        "APP_URL": settings.app_url,
        "APP_ENCRYPTION_KEYS": settings.encryption_keys.get_secret_value() or Fernet.generate_key().decode(),
        "LOGTO_ENDPOINT": management.endpoint,
        "LOGTO_APP_ID": application.app_id,
        "LOGTO_APP_SECRET": application.app_secret,
        "LOGTO_WEBHOOK_SIGNING_KEY": application.webhook_signing_key,
        "LOGTO_API_RESOURCE": settings.api_resource,
        "LOGTO_MANAGEMENT_APP_ID": management.app_id,
        "LOGTO_MANAGEMENT_APP_SECRET": management.app_secret.get_secret_value(),
        "LOGTO_MANAGEMENT_TOKEN_ENDPOINT": management.token_endpoint,
        "LOGTO_MANAGEMENT_RESOURCE": management.resource,
    }
    return values | _stored_if_chosen(settings, connectors_file)


def registration_with(encryption_keys: str, app_url: str, logto_endpoint: str) -> Registration:
    """Return how Logto knows Workroom as the identity provider of organizations.

    ``encryption_keys`` is the value of ``APP_ENCRYPTION_KEYS``. Raises :class:`ConfigurationError`.
    """
    try:
        vault = Vault([SecretStr(key.strip()) for key in encryption_keys.split(",")])
    except ValueError:
        raise ConfigurationError(
            _("APP_ENCRYPTION_KEYS is missing or invalid. It must be the one of 'saas-app serve'.")
        ) from None
    return Registration(app_url, logto_endpoint, vault)


def support_environment(team: SupportTeam) -> dict[str, str]:
    """Return what turns on support access, by variable name."""
    return {
        "SUPPORT_ORGANIZATION_ID": team.organization_id,
        "SUPPORT_APP_ID": team.app_id,
        "SUPPORT_APP_SECRET": team.app_secret,
    }


def _stored_if_chosen(settings: DeploymentSettings, connectors_file: Path | None) -> dict[str, str]:
    values = {}
    for name in ("database_url", "database_owner_url", "database_jobs_url"):
        if name in settings.model_fields_set and (address := getattr(settings, name)) is not None:
            values[name.upper()] = address
    if connectors_file is not None:
        values[FILE_VARIABLE] = str(connectors_file.resolve())
    parts = urlsplit(settings.app_url)
    if parts.port and is_loopback(parts.hostname or ""):
        values["APP_PORT"] = str(parts.port)  # without a proxy in front, it listens on this port itself
    return values


def is_private(host: str) -> bool:
    """Return whether a host is this machine or a private IP address. Names are not resolved."""
    if is_loopback(host):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False
