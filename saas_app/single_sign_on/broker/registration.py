"""How Logto knows us as the identity provider of an organization: addresses, client and secret.

Logto's enterprise connector of an organization points at us, never at the company's provider (decision 32).
"""

from __future__ import annotations

import hmac
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from saas_app.identity.vault import Vault
from saas_app.logto import ManagementClient, SsoConnector
from saas_app.single_sign_on.values import BASE_SCOPES, Connection

PREFIX: Final = "/sso"
"""The path below which Logto and the providers of companies reach us."""

_PURPOSE: Final = "secret of a connector"


@dataclass(frozen=True, slots=True)
class Registration:
    """Where Logto and the providers of companies reach us, and the secrets of Logto's connectors.

    The secrets follow from our keys, so nothing is stored, and one from before a key was rotated still
    counts.
    """

    app_url: str
    logto_endpoint: str
    vault: Vault

    def issuer(self, connector_id: str) -> str:
        """Return the issuer that we are for a connector."""
        return f"{self.app_url}{PREFIX}/{connector_id}"

    def connector_of(self, issuer: str) -> str | None:
        """Return the connector for which we are this issuer, or None if it is somebody else."""
        connector_id = issuer.rpartition("/")[2]
        return connector_id if issuer == self.issuer(connector_id) else None

    def redirect_uri(self, connector_id: str) -> str:
        """Return the address to which the company's provider sends people back."""
        return f"{self.issuer(connector_id)}/callback"

    def logto_callback(self, connector_id: str) -> str:
        """Return the address at Logto 1.42 to which we send people back."""
        return f"{self.logto_endpoint.rstrip('/')}/callback/{connector_id}"

    def answer(self, connector_id: str, code: str, state: str) -> str:
        """Return the address at Logto that takes a code of ours (RFC 6749 §4.1.2, RFC 9207)."""
        query = urlencode({"code": code, "state": state, "iss": self.issuer(connector_id)})
        return f"{self.logto_callback(connector_id)}?{query}"

    def secret(self, connector_id: str) -> str:
        """Return the secret of a connector."""
        return self.vault.stamp(_PURPOSE, connector_id).rpartition(".")[2]

    def is_secret(self, connector_id: str, secret: str) -> bool:
        """Return whether Logto may have this secret of a connector."""
        return self.vault.read_stamped(_PURPOSE, f"{connector_id}.{secret}") == connector_id

    def is_ours(self, connector: SsoConnector) -> bool:
        """Return whether a connector points at us, with the present secret."""
        expected = (self.issuer(connector.id), connector.id)
        given = connector.client_secret.encode("utf-8", "replace")
        is_present = hmac.compare_digest(given, self.secret(connector.id).encode())
        return (connector.issuer, connector.client_id) == expected and is_present

    async def write(
        self, management: ManagementClient, connection: Connection, domains: Collection[str]
    ) -> None:
        """Let the connector in Logto point at us, with these domains and the name that people see.

        Raises what :meth:`saas_app.logto.ManagementClient.configure_sso_connector` raises.
        """
        connector_id = connection.connector_id
        await management.configure_sso_connector(
            connector_id,
            display_name=connection.name,
            issuer=self.issuer(connector_id),
            client_id=connector_id,
            client_secret=self.secret(connector_id),
            scope=" ".join(BASE_SCOPES),
            domains=domains,
        )
