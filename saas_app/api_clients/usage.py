"""Commands that show how an API client gets a token and calls the API. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from saas_app.api_clients.values import scopes_of
from saas_app.config import Settings
from saas_app.identity.tenant import Tenant


@dataclass(frozen=True, slots=True)
class Usage:
    """The endpoints and parameters that a client uses. Logto 1.42 grants only scopes that are named."""

    token_endpoint: str
    resource: str
    organization_id: str
    api_url: str
    scope: str

    @classmethod
    def of(cls, settings: Settings, tenant: Tenant, role_names: Iterable[str]) -> Self:
        """Return the usage for a client with these roles."""
        return cls(
            token_endpoint=f"{settings.logto_endpoint}/oidc/token",
            resource=settings.api_resource,
            organization_id=tenant.organization_id,
            api_url=f"{settings.app_url}/api/v1/organizations/{tenant.organization_id}",
            scope=" ".join(permission.value for permission in scopes_of(role_names)),
        )

    def token_command(self, client_id: str, secret: str) -> str:
        """A POSIX shell command that stores a token in ``TOKEN``."""
        form = {
            "grant_type": "client_credentials",
            "resource": self.resource,
            "organization_id": self.organization_id,
            "scope": self.scope,
        }
        lines = [
            "TOKEN=$(curl -sS --fail-with-body",
            f"-u {shlex.quote(f'{client_id}:{secret}')}",
            *(f"--data-urlencode {shlex.quote(f'{name}={value}')}" for name, value in form.items()),
            f"{shlex.quote(self.token_endpoint)} |",
            r"""sed 's/.*"access_token": *"\([^"]*\)".*/\1/')""",
        ]
        return " \\\n  ".join(lines)

    def call_command(self) -> str:
        """A command that lists projects with that token."""
        return f'curl -sS -H "Authorization: Bearer $TOKEN" \\\n  {shlex.quote(self.api_url + "/projects")}'
