"""The operator's permission for an organization to connect an identity provider. No admin can give it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from saas_app.audit.recorder import Action, Target, record
from saas_app.changes.organization_change import OrganizationChange, Systems
from saas_app.db.session import WritingSession
from saas_app.identity.standing import Workroom
from saas_app.logto import OrganizationInfo
from saas_app.single_sign_on import queries
from saas_app.single_sign_on.changes.connectors import align_off
from saas_app.single_sign_on.values import OFF, TARGET, Connection

_FORBIDDEN: Final = "the operator does not allow it"


async def allow(systems: Systems, organization: OrganizationInfo) -> bool:
    """Let an organization connect a provider. Returns False if it was allowed already."""
    async with (
        systems.by(Workroom(organization.id)).alone() as turn,
        turn.work.writing(organization.id) as db,
    ):
        return await _save(db, turn, organization, True)


async def forbid(systems: Systems, organization: OrganizationInfo) -> bool:
    """Forbid it again, and turn its connection off. Returns False if it was forbidden already.

    Here it is off and no longer required before Logto is asked. Raises what calls to Logto raise:
    ``saas-app reconcile`` then tells Logto.
    """
    async with systems.by(Workroom(organization.id)).alone() as turn:
        async with turn.work.writing(organization.id) as db:
            changed = await _save(db, turn, organization, False)
            found = await queries.find_connection(db, organization.id)
            off = None if found is None else await switch_off(db, turn, found)
            held = await queries.list_held_domains(db, organization.id)
        if off is not None:
            await align_off(turn.management, off, held)
    return changed


async def switch_off(
    db: WritingSession, turn: OrganizationChange[Workroom], connection: Connection
) -> Connection:
    """Turn a connection off here that the operator does not allow, and record it. Logto is told later."""
    off = replace(connection, **OFF)
    if not connection.is_on:
        return off
    await queries.change_connection(db, turn.organization_id, **OFF)
    target, after = Target(TARGET, connection.connector_id, connection.name), {"reason": _FORBIDDEN}
    record(db, turn.event(Action.SSO_TURN_OFF, target, after=after))
    if connection.required_at is not None:
        record(db, turn.event(Action.SSO_STOP_REQUIRING, target, after=after))
    return off


async def _save(
    db: WritingSession, turn: OrganizationChange[Workroom], organization: OrganizationInfo, allowed: bool
) -> bool:
    if await queries.is_allowed(db, organization.id, self_service=False) is allowed:
        return False
    await queries.save_allowed(db, organization.id, allowed)
    target = Target(TARGET, organization.id, organization.name)
    record(db, turn.event(Action.SSO_CHANGE, target, after={"allowed": allowed}))
    return True
