"""Settings for tests: the minimum that the application needs, and those of a provider's Management API."""

from __future__ import annotations

from typing import Any

from cryptography.fernet import Fernet
from local_logto.testing import Provider
from pydantic import SecretStr

from saas_app.config import ManagementSettings, Settings


def bare_settings(**changes: Any) -> Settings:
    """Return settings with the required values only, and ``changes``. No Logto answers at their endpoint."""
    required: dict[str, Any] = {
        "encryption_keys": (SecretStr(Fernet.generate_key().decode()),),
        "logto_endpoint": "https://logto.example",
        "logto_app_id": "app",
        "logto_app_secret": SecretStr("secret"),
    }
    return Settings(**{**required, **changes})


def management_settings(provider: Provider) -> ManagementSettings:
    """Return the settings of a provider's Management API."""
    return ManagementSettings(
        endpoint=provider.endpoint,
        app_id=provider.management_app_id,
        app_secret=SecretStr(provider.management_app_secret),
        token_endpoint="",
    )
