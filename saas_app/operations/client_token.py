"""Finds an API client by ID or name, and fetches a token for it, to try the API from a shell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from saas_app.config import ManagementSettings
from saas_app.db.base import utc_now
from saas_app.errors import ConfigurationError
from saas_app.logto import Application, ManagementClient, connect
from saas_app.logto.http import open_http
from saas_app.operations.client_credentials import ClientCredentials, TokenRequest, fetch_token
from saas_app.rbac.permissions import Carrier, permissions_carried_by
from saas_app.text.translation import Sentence, _

_TIMEOUT = 8.0  # seconds


@dataclass(frozen=True, slots=True)
class ClientChoice:
    """The options of ``saas-app token``. Client and organization are IDs or names.

    ``organization`` is None for the client's only one, ``secret`` is "" if it is not known.
    """

    client: str
    organization: str | None
    secret: str


@dataclass(frozen=True, slots=True)
class ClientMembership:
    """An API client in one of its organizations."""

    client_id: str
    organization_id: str
    organization_name: str


async def get_token(
    management: ManagementSettings | None,
    endpoint: str,
    resource: str,
    choice: ClientChoice,
    ask_secret: Callable[[], str],
) -> str:
    """Return a token for the API resource.

    With ``management``, names are accepted, and a missing secret is read from Logto. Without it, IDs are
    required, and ``ask_secret`` is called. Raises :class:`ConfigurationError` if no client or several match,
    or if Logto refuses.
    """
    if management is not None:
        async with connect(management) as client:
            membership = await find_membership(client, choice)
            secret = choice.secret or await read_secret(client, membership.client_id)
    else:
        if choice.organization is None:
            raise ConfigurationError(_("Name the organization that the token is for: --organization ID."))
        membership = ClientMembership(choice.client, choice.organization, choice.organization)
        secret = choice.secret or ask_secret()
    scopes = [permission.value for permission in permissions_carried_by(Carrier.API_TOKEN)]
    async with open_http(_TIMEOUT) as http:
        credentials = ClientCredentials(membership.client_id, secret)
        return await fetch_token(
            http, endpoint, credentials, TokenRequest(resource, membership.organization_id, scopes)
        )


async def find_membership(management: ManagementClient, choice: ClientChoice) -> ClientMembership:
    """Return the only match. Raises :class:`ConfigurationError` if no client or several match."""
    matches = []
    for application in await _applications(management, choice.client):
        for found in await management.find_machine_organizations(application.id) or []:
            if choice.organization in (None, found.organization_id, found.organization_name):
                matches.append(
                    ClientMembership(application.id, found.organization_id, found.organization_name)
                )
    if not matches:
        raise ConfigurationError(
            _(
                "No API client '%(client)s' belongs to the organization '%(organization)s'.",
                client=choice.client,
                organization=choice.organization,
            )
            if choice.organization
            else _("No API client '%(client)s' belongs to any organization.", client=choice.client)
        )
    if len(matches) > 1:
        listed = Sentence.joined(
            _(
                "%(client_id)s in %(organization_name)s",
                client_id=match.client_id,
                organization_name=match.organization_name,
            )
            for match in matches
        )
        raise ConfigurationError(
            _(
                "Several API clients match: %(listed)s. Name the client by its ID, and its organization too.",
                listed=listed,
            )
        )
    return matches[0]


async def _applications(management: ManagementClient, named: str) -> list[Application]:
    by_id = await management.find_application(named)  # other applications belong to no organization
    return [by_id] if by_id is not None else await management.list_machines_by_name(named)


async def read_secret(management: ManagementClient, client_id: str) -> str:
    """Return a valid secret of a client. Raises :class:`ConfigurationError` if there is none."""
    now = utc_now().timestamp() * 1000
    for secret in await management.list_secrets(client_id):
        if secret.expires_at is None or secret.expires_at > now:
            return secret.value
    raise ConfigurationError(
        _("The API client %(client_id)s has no valid secret. Rotate its secret.", client_id=client_id)
    )
