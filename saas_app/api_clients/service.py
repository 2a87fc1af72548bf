"""Questions about the API clients of an organization, which Logto answers.

Logto knows which machines belong to the organization. The database knows which of them were created here:
only their secrets are read, and only they can be rotated or deleted. A machine that was added in Logto's
Console is listed, and can be removed from the organization.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

from saas_app.api_clients import queries
from saas_app.api_clients.queries import Origin
from saas_app.db.session import DatabaseSession
from saas_app.errors import NotFound
from saas_app.identity.tenant import Tenant
from saas_app.logto import ManagementClient, ManagementError, explaining
from saas_app.members.service import list_machines
from saas_app.members.values import Listing, Machine, MembersFilter
from saas_app.rbac.permissions import ROLE_PERMISSIONS, Carrier, Role, permissions_carried_by
from saas_app.text.translation import _
from saas_app.text.visible import isolated

ROLE = Role.INTEGRATION
"""The role of every client that is created here."""

PERMISSIONS = tuple(
    permission
    for permission in permissions_carried_by(Carrier.API_TOKEN)
    if permission in ROLE_PERMISSIONS[ROLE]
)
"""The permissions of a client. Each is a scope that it names in its token requests."""


class ClientNotFound(NotFound):
    """There is no such client in this organization. A client of another organization looks the same."""

    code, title = "api-client-not-found", _("API client not found")


@dataclass(frozen=True, slots=True)
class ListedClient:
    """A client in the list. For one that was not created here, ``origin`` and ``secrets`` are None.

    ``secrets`` is the number of its secrets.
    """

    id: str
    name: str
    role_names: frozenset[str]
    origin: Origin | None
    secrets: int | None


@dataclass(frozen=True, slots=True)
class Client:
    """A client. ``is_ours``: it was created here. ``is_elsewhere``: it belongs to other organizations too."""

    id: str
    name: str
    is_ours: bool
    is_elsewhere: bool

    @property
    def is_only_here(self) -> bool:
        """Whether no other organization uses it, so that it can be deleted and its secret changed."""
        return self.is_ours and not self.is_elsewhere


async def list_clients(
    db: DatabaseSession, management: ManagementClient, tenant: Tenant, wanted: MembersFilter
) -> Listing[ListedClient]:
    """Return a page of the machines that belong to the organization."""
    found = await list_machines(management, tenant, wanted)
    origins = await queries.find_origins(db, [machine.id for machine in found.items])
    counts = await _count_secrets(management, origins)
    clients = tuple(_listed(machine, origins.get(machine.id), counts) for machine in found.items)
    return Listing(clients, found.number, found.total, found.size)


async def get_client(
    db: DatabaseSession, management: ManagementClient, tenant: Tenant, client_id: str
) -> Client:
    """Return a client of this organization, as Logto knows it now. Raises :class:`ClientNotFound`."""
    with explaining():
        memberships = await management.find_machine_organizations(client_id) or []
        organizations = {membership.organization_id for membership in memberships}
        application = None
        if tenant.organization_id in organizations:
            application = await management.find_application(client_id)
    if application is None:
        raise ClientNotFound(
            _(
                "%(organization)s has no API client with this ID. It may have been revoked.",
                organization=isolated(tenant.organization_name),
            )
        )
    origins = await queries.find_origins(db, [client_id])
    return Client(application.id, application.name, client_id in origins, len(organizations) > 1)


async def _count_secrets(management: ManagementClient, client_ids: Collection[str]) -> dict[str, int]:
    """Count the secrets of each client. A client that was just deleted is missing."""

    async def count(client_id: str) -> int | None:
        try:
            return len(await management.list_secrets(client_id))
        except ManagementError as refusal:
            if refusal.status == 404:
                return None
            raise

    with explaining():
        counts = await asyncio.gather(*map(count, client_ids))
    return {name: number for name, number in zip(client_ids, counts, strict=True) if number is not None}


def _listed(machine: Machine, origin: Origin | None, counts: dict[str, int]) -> ListedClient:
    return ListedClient(machine.id, machine.name, machine.role_names, origin, counts.get(machine.id))
