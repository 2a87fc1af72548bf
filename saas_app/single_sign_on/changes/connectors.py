"""Brings an organization's connector at Logto to what it should be."""

from __future__ import annotations

from collections.abc import Collection

import structlog

from saas_app.db.unit_of_work import UnitOfWork
from saas_app.logto import ManagementClient, ManagementError
from saas_app.single_sign_on import queries
from saas_app.single_sign_on.broker.registration import Registration
from saas_app.single_sign_on.values import Connection
from saas_app.single_sign_on.wanted import wanted_domains

log = structlog.get_logger(__name__)


async def align(management: ManagementClient, connection: Connection, held: Collection[str]) -> None:
    """Set the domains of the connector in Logto to what they should be, and keep Logto from adding members.

    Raises what calls to Logto raise: 404 if the connector or the organization does not exist there.
    """
    await management.remove_joining_connector(connection.organization_id, connection.connector_id)
    await management.set_sso_domains(connection.connector_id, wanted_domains(connection, held))


async def repair(
    management: ManagementClient, registration: Registration, connection: Connection, held: Collection[str]
) -> None:
    """Like :func:`align`, for a connector that may point elsewhere than at us."""
    await management.remove_joining_connector(connection.organization_id, connection.connector_id)
    await registration.write(management, connection, wanted_domains(connection, held))


async def align_off(management: ManagementClient, connection: Connection, held: Collection[str]) -> None:
    """Like :func:`align`, for a connection that is off: a connector that is deleted in Logto is off there."""
    try:
        await align(management, connection, held)
    except ManagementError as refusal:
        if refusal.status != 404:
            raise


async def delete_connector_of(
    work: UnitOfWork, management: ManagementClient | None, organization_id: str
) -> None:
    """Delete the connector of a deleted organization in Logto, if it has one. Repeating it does no harm.

    Its row here is deleted later, so after a crash or a failure the connector is still found. A connector
    without a row would keep sending people to its provider. Raises what calls to Logto raise.
    """
    async with work.reading(organization_id) as db:
        connection = await queries.find_connection(db, organization_id)
    if connection is None:
        return
    if management is None:
        log.warning("a connector stays in logto", connector_id=connection.connector_id)
        return
    await management.delete_sso_connector(connection.connector_id)
