"""Questions about the API clients of an organization, which Logto answers.

Logto knows which machines belong to the organization. The database knows which of them were created here:
only their secrets are read, and only they can be rotated or deleted. A machine that was added in Logto's
Console is listed, and can be removed from the organization.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from saas_app.api_clients import queries
from saas_app.api_clients.values import (
    MAX_CLIENTS,
    Client,
    ListedClient,
    Secrets,
    default_description,
)
from saas_app.db.session import DatabaseSession
from saas_app.errors import NotFound
from saas_app.identity.tenant import Tenant
from saas_app.logto import ManagementClient, ManagementError, explaining
from saas_app.members.service import list_machines
from saas_app.members.values import Listing, MembersFilter
from saas_app.text.translation import _
from saas_app.text.visible import isolated


class ClientNotFound(NotFound):
    """There is no such client in this organization. A client of another organization looks the same."""

    code, title = "api-client-not-found", _("API client not found")


async def list_clients(
    db: DatabaseSession, management: ManagementClient, tenant: Tenant, wanted: MembersFilter
) -> Listing[ListedClient]:
    """Return a page of the machines that belong to the organization."""
    found = await list_machines(management, tenant, wanted)
    origins = await queries.find_origins(db, [machine.id for machine in found.items])
    secrets = await _read_secrets(management, origins)
    unsaid = default_description(tenant.organization_name)
    clients = tuple(
        ListedClient(
            machine.id,
            machine.name,
            "" if machine.description == unsaid else machine.description or "",
            machine.role_names,
            origins.get(machine.id),
            secrets.get(machine.id),
        )
        for machine in found.items
    )
    return Listing(clients, found.number, found.total, found.size)


async def get_client(
    db: DatabaseSession, management: ManagementClient, tenant: Tenant, client_id: str
) -> Client:
    """Return a client of this organization, as Logto knows it now. Raises :class:`ClientNotFound`."""
    with explaining():
        memberships = await management.find_machine_organizations(client_id) or []
        roles = {membership.organization_id: membership.role_names for membership in memberships}
        application = None
        if tenant.organization_id in roles:
            application = await management.find_application(client_id)
    if application is None:
        raise ClientNotFound(
            _(
                "%(organization)s has no API client with this ID. It may have been revoked.",
                organization=isolated(tenant.organization_name),
            )
        )
    origins = await queries.find_origins(db, [client_id])
    return Client(
        application.id,
        application.name,
        roles[tenant.organization_id],
        is_ours=client_id in origins,
        is_elsewhere=len(roles) > 1,
    )


async def list_names(management: ManagementClient, tenant: Tenant) -> dict[str, str]:
    """Return the names of up to a hundred machines that belong to the organization, by id."""
    with explaining():
        found = await management.list_machines_page(tenant.organization_id, page=1, page_size=MAX_CLIENTS)
    return {machine.id: machine.name for machine in found.items}


async def _read_secrets(management: ManagementClient, client_ids: Collection[str]) -> dict[str, Secrets]:
    """Read how many secrets each client has, and until when. One that was just deleted is missing."""

    async def read(client_id: str) -> Secrets | None:
        try:
            return Secrets.of(await management.list_secrets(client_id))
        except ManagementError as refusal:
            if refusal.status == 404:
                return None
            raise

    with explaining():
        found = await asyncio.gather(*map(read, client_ids))
    return {name: secrets for name, secrets in zip(client_ids, found, strict=True) if secrets is not None}
