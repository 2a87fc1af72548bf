"""Which machine client is meant, and a token of it: for who tries the API from a shell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from saas_app.config import ManagementSettings
from saas_app.db.base import utc_now
from saas_app.errors import ConfigurationError
from saas_app.logto import Application, ManagementClient, connect
from saas_app.logto.http import open_http
from saas_app.operations.client_credentials import ClientCredentials, Wanted, fetch_token
from saas_app.rbac.permissions import Carrier, permissions_carried_by

_TIMEOUT = 8.0  # seconds


@dataclass(frozen=True, slots=True)
class Asked:
    """Of which client, in which organization (id or name; None: its only one), with which secret if known."""

    client: str
    organization: str | None
    secret: str


@dataclass(frozen=True, slots=True)
class Place:
    """A machine client in one of its organizations."""

    client_id: str
    organization_id: str
    organization_name: str


async def get_token(
    management: ManagementSettings | None,
    endpoint: str,
    resource: str,
    asked: Asked,
    ask_secret: Callable[[], str],
) -> str:
    """A token for the API resource.

    With credentials of the Management API names will do, and a secret that was not given is read; without
    them ids are needed, and ``ask_secret`` is called. Raises :class:`ConfigurationError` when it is not clear
    which client is meant, and what Logto refuses.
    """
    if management is not None:
        async with connect(management) as client:
            place = await find_place(client, asked)
            secret = asked.secret or await read_secret(client, place.client_id)
    else:
        if asked.organization is None:
            raise ConfigurationError("Name the organization that the token is for: --organization ID.")
        place = Place(asked.client, asked.organization, asked.organization)
        secret = asked.secret or ask_secret()
    scopes = [permission.value for permission in permissions_carried_by(Carrier.API_TOKEN)]
    async with open_http(_TIMEOUT) as http:
        credentials = ClientCredentials(place.client_id, secret)
        return await fetch_token(http, endpoint, credentials, Wanted(resource, place.organization_id, scopes))


async def find_place(management: ManagementClient, asked: Asked) -> Place:
    """The one machine client that is meant. Raises :class:`ConfigurationError` for none and for several."""
    places = []
    for application in await _applications(management, asked.client):
        for found in await management.find_machine_organizations(application.id) or []:
            if asked.organization in (None, found.organization_id, found.organization_name):
                places.append(Place(application.id, found.organization_id, found.organization_name))
    if not places:
        where = f"the organization '{asked.organization}'" if asked.organization else "any organization"
        raise ConfigurationError(f"No API client '{asked.client}' belongs to {where}.")
    if len(places) > 1:
        listed = ", ".join(f"{place.client_id} in {place.organization_name}" for place in places)
        raise ConfigurationError(
            f"Several API clients match: {listed}. Name the client by its ID, and its organization too."
        )
    return places[0]


async def _applications(management: ManagementClient, named: str) -> list[Application]:
    by_id = await management.find_application(named)  # other applications belong to no organization
    return [by_id] if by_id is not None else await management.list_machines_called(named)


async def read_secret(management: ManagementClient, client_id: str) -> str:
    """A secret of the client that is valid now. Raises :class:`ConfigurationError` without one."""
    now = utc_now().timestamp() * 1000
    for secret in await management.list_secrets(client_id):
        if secret.expires_at is None or secret.expires_at > now:
            return secret.value
    raise ConfigurationError(f"The API client {client_id} has no valid secret. Rotate its secret.")
