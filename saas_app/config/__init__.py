"""Settings from the environment, read once, frozen, and checked before anything starts."""

from saas_app.config.settings import (
    MEMORY,
    MIGRATIONS,
    TEMPLATES,
    DatabaseLocation,
    DatabaseSettings,
    DatabaseUrl,
    ManagementSettings,
    OriginAddress,
    ResourceIndicator,
    Settings,
    explain_settings,
    load_management_settings,
    load_settings,
)
from saas_app.config.values import Nameserver, Nameservers, Rate

__all__ = [
    "MEMORY",
    "MIGRATIONS",
    "TEMPLATES",
    "DatabaseLocation",
    "DatabaseSettings",
    "DatabaseUrl",
    "ManagementSettings",
    "Nameserver",
    "Nameservers",
    "OriginAddress",
    "Rate",
    "ResourceIndicator",
    "Settings",
    "explain_settings",
    "load_management_settings",
    "load_settings",
]
