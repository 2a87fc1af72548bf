"""The connection of the demo, as if an admin had set it up, tested it and turned it on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from saas_app.db.base import utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.identity.vault import Vault
from saas_app.logto import ManagementClient
from saas_app.single_sign_on import queries
from saas_app.single_sign_on.broker.registration import Registration
from saas_app.single_sign_on.changes.connectors import repair
from saas_app.single_sign_on.changes.provider import connector_name


@dataclass(frozen=True, slots=True)
class SeededProvider:
    """An organization's identity provider, and its client there. ``group_roles`` are roles by group."""

    name: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: str
    domains: tuple[str, ...]
    group_claim: str
    group_roles: Mapping[str, str]


async def seed_connection(
    work: UnitOfWork,
    client: ManagementClient,
    vault: Vault,
    organization_id: str,
    admin_id: str,
    wanted: SeededProvider,
) -> None:
    """Connect a provider whose people join, unless the organization uses this client already.

    Its domains must be held by a proof in the DNS, or nobody can sign in. A connection to another provider is
    replaced, and turned on without being required. Logto hears of it by :func:`point_connector`.
    """
    async with work.reading(organization_id) as db:
        found = await queries.find_connection(db, organization_id)
    if found is not None and (found.issuer, found.client_id) == (wanted.issuer, wanted.client_id):
        return
    now = utc_now()
    connector_id = found.connector_id if found else await _create_connector(client, organization_id)
    async with work.writing(organization_id) as db:
        if found is None:
            await queries.add_connection(db, organization_id, connector_id, wanted.name, admin_id, now)
        await queries.change_connection(
            db,
            organization_id,
            issuer=wanted.issuer,
            client_id=wanted.client_id,
            scopes=wanted.scopes,
            domains=list(wanted.domains),
            joins=True,
            group_claim=wanted.group_claim,
            group_roles=[list(pair) for pair in wanted.group_roles.items()],
            tested_at=now,
            tested_by=admin_id,
            on_at=now,
            required_at=None,
            recovery_id=None,
        )
        await queries.save_secret(db, organization_id, vault.seal(wanted.client_secret))


async def point_connector(
    work: UnitOfWork, client: ManagementClient, registration: Registration, organization_id: str
) -> None:
    """Let the connector of an organization in Logto point at Workroom, whose address may be a new one.

    Nothing happens without a connection, or if its connector was deleted in Logto.
    """
    async with work.reading(organization_id) as db:
        connection = await queries.find_connection(db, organization_id)
        held = await queries.list_held_domains(db, organization_id)
    if connection is not None and await client.find_sso_connector(connection.connector_id) is not None:
        await repair(client, registration, connection, held)


async def _create_connector(client: ManagementClient, organization_id: str) -> str:
    return (await client.create_sso_connector(connector_name(organization_id))).id
