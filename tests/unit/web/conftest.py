"""Settings and a signed-in member, without anything that runs."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from saas_app.config import Settings
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.tenant import Tenant
from saas_app.rbac.permissions import ROLE_PERMISSIONS, Carrier, Role


@pytest.fixture
def web_settings() -> Settings:
    """An application reached over TLS, with Logto elsewhere."""
    return Settings(
        app_url="https://work.example",
        encryption_keys=(SecretStr(Fernet.generate_key().decode()),),
        logto_endpoint="https://logto.example/",
        logto_app_id="app",
        logto_app_secret=SecretStr("secret"),
    )


@pytest.fixture
def carol() -> SessionPrincipal:
    """Somebody who is signed in."""
    return SessionPrincipal("carol-id", session_id=UUID(int=1), name="Carol <b>Diaz</b>")


@pytest.fixture
def carol_at_acme(carol: SessionPrincipal) -> Tenant:
    """Carol as a viewer of Acme, with both tokens read."""
    return Tenant(
        organization_id="acme",
        organization_name="Acme & Sons",
        principal=carol,
        role_names=frozenset({Role.VIEWER.value}),
        granted=ROLE_PERMISSIONS[Role.VIEWER],
        carriers=frozenset(Carrier),
        read_at=datetime(2026, 11, 21, tzinfo=UTC),
    )
