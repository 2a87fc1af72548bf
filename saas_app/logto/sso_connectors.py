"""Calls for enterprise connectors: identity providers of companies, and who joins an organization by them.

Logto 1.42 asks a connector's provider for its metadata whenever it reads or changes the connector, without a
time limit. The provider of an organization's connector is Workroom itself. The operator's own connectors have
others, and one that hangs makes these calls time out: those for its connector, and the list of all. A change
of domains takes effect all the same. Deleting and linking to organizations ask nobody.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from pydantic import AliasPath, Field

from saas_app.logto.calls import Calls
from saas_app.logto.paths import segment
from saas_app.logto.record import Record
from saas_app.logto.responses import Json, ManagementError, ignore_missing

_OIDC: Final = "OIDC"
_PATH: Final = "/sso-connectors"


class SsoConnector(Record):
    """An identity provider for companies, and the email domains whose people it signs in.

    ``issuer``, ``client_id``, ``client_secret`` and ``scope`` are empty until they are configured.
    ``provider`` is the kind of provider, such as ``OIDC``.
    """

    id: str
    name: str = Field(validation_alias="connectorName")
    provider: str = Field("", validation_alias="providerName")
    domains: tuple[str, ...] = ()
    issuer: str = Field("", validation_alias=AliasPath("config", "issuer"))
    client_id: str = Field("", validation_alias=AliasPath("config", "clientId"))
    client_secret: str = Field("", repr=False, validation_alias=AliasPath("config", "clientSecret"))
    scope: str = Field("", validation_alias=AliasPath("config", "scope"))


class SsoConnectorCalls(Calls):
    """Enterprise connectors. The tenant offers them only while ``singleSignOnEnabled`` is on."""

    async def create_sso_connector(self, name: str) -> SsoConnector:
        """Create an OIDC connector without a provider or domains, so that its ID is known.

        409 ``single_sign_on.duplicate_connector_name`` if the name is taken, 400 ``guard.invalid_input`` for
        one of more than 128 characters. The call is sent once: after :class:`LogtoUnavailable`, look in
        :meth:`list_sso_connectors` for the name.
        """
        body = {"providerName": _OIDC, "connectorName": name}
        return SsoConnector.read(await self._body("POST", _PATH, body))

    async def find_sso_connector(self, connector_id: str) -> SsoConnector | None:
        """Return a connector, or None if there is none with this ID."""
        try:
            return SsoConnector.read(await self._asking("GET", _path(connector_id)))
        except ManagementError as refusal:
            if refusal.status == 404:
                return None
            raise

    async def list_sso_connectors(self) -> list[SsoConnector]:
        """Return every connector of the tenant. Logto asks all their providers: for commands, if possible."""
        return SsoConnector.read_all(await self._asking("GET", _PATH))

    async def list_sso_domains(self) -> frozenset[str]:
        """Return the email domains whose people sign in at their company's identity provider."""
        found = await self.list_sso_connectors()
        return frozenset(domain.lower() for connector in found for domain in connector.domains)

    async def configure_sso_connector(
        self,
        connector_id: str,
        *,
        display_name: str,
        issuer: str,
        client_id: str,
        client_secret: str,
        scope: str,
        domains: Collection[str],
    ) -> None:
        """Replace a connector's provider, the name that people see on Logto's pages, and its domains.

        Logto replaces the configuration as a whole, so a new secret or scope is sent with everything else.
        Addresses that the provider does not call verified never count.

        400 ``connector.invalid_config`` if the issuer's metadata cannot be fetched or is incomplete;
        ``data["message"]`` is then ``fail_to_fetch_config`` or ``invalid_config_response``. 422
        ``single_sign_on.forbidden_domains`` for a domain of a public email service, 422
        ``single_sign_on.duplicated_domains``, 404 ``entity.not_exists_with_id`` if there is no connector.
        A refused call changes nothing. Logto checks neither the client and its secret, nor that the metadata
        names this issuer, nor whether another connector has a domain or the issuer.
        """
        config = {
            "issuer": issuer,
            "clientId": client_id,
            "clientSecret": client_secret,
            "scope": scope,
            "trustUnverifiedEmail": False,
        }
        changes = {"config": config, "branding": {"displayName": display_name}, "domains": list(domains)}
        await self._asking("PATCH", _path(connector_id), changes)

    async def set_sso_domains(self, connector_id: str, domains: Collection[str]) -> None:
        """Replace the email domains whose people are sent to the provider. Nobody is, if there are none.

        422 ``single_sign_on.forbidden_domains`` for a domain of a public email service, 422
        ``single_sign_on.duplicated_domains``, 404 ``entity.not_exists_with_id`` if there is no connector.
        """
        await self._asking("PATCH", _path(connector_id), {"domains": list(domains)})

    async def delete_sso_connector(self, connector_id: str) -> None:
        """Delete a connector with every identity that came through it. Nothing happens if it is gone.

        The accounts stay. Those without a password or an address of their own can no longer sign in.
        """
        await ignore_missing(self._body("DELETE", _path(connector_id)))

    async def list_joining_connectors(self, organization_id: str) -> list[str]:
        """Return the IDs of the connectors whose people become members. 404 for no such organization."""
        found = SsoConnector.read_all(await self._body("GET", _joining(organization_id)))
        return [connector.id for connector in found]

    async def add_joining_connector(self, organization_id: str, connector_id: str) -> None:
        """Let the people of a connector join. Nothing changes if they already do.

        They get the same roles as those who join by an email domain. 422
        ``entity.relation_foreign_key_not_found`` if the organization or the connector does not exist.
        """
        body = {"ssoConnectorIds": [segment(connector_id)]}
        await self._body("POST", _joining(organization_id), body, repeatable=True)

    async def remove_joining_connector(self, organization_id: str, connector_id: str) -> None:
        """Stop the people of a connector from joining. Nothing happens if they did not."""
        await ignore_missing(self._body("DELETE", f"{_joining(organization_id)}/{segment(connector_id)}"))

    async def _asking(self, method: str, path: str, body: Json = None) -> Any:
        """Send a call for which Logto asks providers before it responds, and return the body."""
        return (await self._transport.call(method, path, body=body, asks_providers=True)).body


def _path(connector_id: str) -> str:
    return f"{_PATH}/{segment(connector_id)}"


def _joining(organization_id: str) -> str:
    return f"/organizations/{segment(organization_id)}/jit/sso-connectors"
