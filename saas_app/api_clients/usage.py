"""Commands that show how an API client gets a token and calls the API. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from saas_app.api_clients.values import scopes_of
from saas_app.config import Settings
from saas_app.identity.tenant import Tenant
from saas_app.rbac.permissions import Carrier, Permission

_LISTS: Final = {
    Permission.PROJECTS_READ: "/projects",
    Permission.MEMBERS_READ: "/members",
    Permission.AUDIT_READ: "/audit-events",
}
"""The lists with which a new client can be tried."""


@dataclass(frozen=True, slots=True)
class Command:
    """How to get one kind of token and to use it. ``example`` is None if no list can be read with it."""

    carrier: Carrier
    token: str
    example: str | None


@dataclass(frozen=True, slots=True)
class Usage:
    """The endpoints and parameters that a client uses. Logto 1.42 grants only scopes that are named.

    ``scope`` belongs to tokens for ``resource``, and ``organization_scope`` to organization tokens, which are
    requested without a resource. Either can be empty.
    """

    token_endpoint: str
    resource: str
    organization_id: str
    api_url: str
    scope: str
    organization_scope: str

    @classmethod
    def of(cls, settings: Settings, tenant: Tenant, role_names: Iterable[str]) -> Self:
        """Return the usage for a client with these roles."""
        names = frozenset(role_names)
        return cls(
            token_endpoint=f"{settings.logto_endpoint}/oidc/token",
            resource=settings.api_resource,
            organization_id=tenant.organization_id,
            api_url=f"{settings.app_url}/api/v1/organizations/{tenant.organization_id}",
            scope=_joined(names, Carrier.API_TOKEN),
            organization_scope=_joined(names, Carrier.ORGANIZATION_TOKEN),
        )

    def commands(self, client_id: str, secret: str) -> list[Command]:
        """Return the commands for each kind of token that the client can get."""
        forms = {
            Carrier.API_TOKEN: {"resource": self.resource, "scope": self.scope},
            Carrier.ORGANIZATION_TOKEN: {"scope": self.organization_scope},
        }
        return [
            Command(carrier, self._token_command(client_id, secret, form), self._call_command(form["scope"]))
            for carrier, form in forms.items()
            if form["scope"]
        ]

    def _token_command(self, client_id: str, secret: str, form: dict[str, str]) -> str:
        """Return a POSIX shell command that stores a token in ``TOKEN``."""
        form = {"grant_type": "client_credentials", "organization_id": self.organization_id, **form}
        lines = [
            "TOKEN=$(curl -sS --fail-with-body",
            f"-u {shlex.quote(f'{client_id}:{secret}')}",
            *(f"--data-urlencode {shlex.quote(f'{name}={value}')}" for name, value in form.items()),
            f"{shlex.quote(self.token_endpoint)} |",
            r"""sed 's/.*"access_token": *"\([^"]*\)".*/\1/')""",
        ]
        return " \\\n  ".join(lines)

    def _call_command(self, scope: str) -> str | None:
        """Return a command that reads a list with that token."""
        path = next((path for permission, path in _LISTS.items() if permission.value in scope.split()), None)
        if path is None:
            return None
        return f'curl -sS -H "Authorization: Bearer $TOKEN" \\\n  {shlex.quote(self.api_url + path)}'


def _joined(role_names: frozenset[str], carrier: Carrier) -> str:
    return " ".join(permission.value for permission in scopes_of(role_names, carrier))
