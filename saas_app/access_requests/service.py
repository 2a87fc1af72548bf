"""Questions about access requests: the list, one request, and what a member can ask for."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from saas_app.access_requests import queries
from saas_app.access_requests.choosing import DECIDING_ROLES, could_approve, gained_by, roles_to_ask
from saas_app.access_requests.refusals import RequestNotFound
from saas_app.access_requests.values import (
    MINUTES,
    OWN_SHOWN,
    Approver,
    RequestKey,
    RequestRow,
    RoleToAsk,
    is_longer,
)
from saas_app.changes.organization_change import MemberChange
from saas_app.db.base import utc_now
from saas_app.db.readings import Reading
from saas_app.db.session import DatabaseSession
from saas_app.identity.role_ends import list_ends
from saas_app.identity.tenant import Tenant
from saas_app.logto import MemberInfo, explaining
from saas_app.rbac.endings import in_force
from saas_app.rbac.permissions import Permission, Role

_NAMES: Final = frozenset(role.value for role in DECIDING_ROLES)


@dataclass(frozen=True, slots=True)
class Deciders:
    """The members of an organization who can change roles, as Logto knows them now, and the ends of roles."""

    members: tuple[MemberInfo, ...]
    ends: Mapping[str, Mapping[str, datetime]]

    def for_role(self, role: Role, requester_id: str, minutes: int | None) -> tuple[Approver, ...]:
        """Return the members who could approve a request for that long, sorted by name.

        None is without an end, which nobody can give whose own role ends.
        """
        until = (
            datetime.max.replace(tzinfo=UTC) if minutes is None else utc_now() + timedelta(minutes=minutes)
        )
        found = (
            Approver(member.user.id, member.user.display_name, member.user.avatar)
            for member in self.members
            if member.user.id != requester_id
            and not member.user.is_suspended
            and could_approve(in_force(member.role_names, self.ends.get(member.user.id, {}), until), role)
        )
        return tuple(sorted(found, key=lambda approver: (approver.name.casefold(), approver.id)))


async def find_deciders(change: MemberChange) -> Deciders:
    """Ask Logto for the members who can change roles. Roles that the registry does not know do not count."""
    with explaining():
        roles = await change.management.list_organization_roles()
        found = await asyncio.gather(
            *(
                change.management.list_members(change.organization_id, role_id=role.id)
                for role in roles
                if role.name in _NAMES
            )
        )
    members = {member.user.id: member for page in found for member in page}
    async with change.work.reading(change.organization_id) as db:
        ends = await list_ends(db, change.organization_id, list(members))
    return Deciders(tuple(members.values()), ends)


def list_roles(
    tenant: Tenant, permission: Permission | None, deciders: Deciders | None
) -> tuple[RoleToAsk, ...]:
    """Return the roles that the caller can ask for, with those who could approve each, if they are known.

    They can do it for the shortest time that the form offers, of those that are longer than a role is held.
    """
    held, ends = tenant.role_names, tenant.role_ends

    def offer(role: Role) -> RoleToAsk:
        held_until = ends.get(role) if role.value in held else None
        shortest = next(minutes for minutes in MINUTES.values() if is_longer(minutes, held_until))
        approvers = deciders.for_role(role, tenant.principal.subject, shortest) if deciders else None
        return RoleToAsk(role, gained_by(held, role, ends), held_until, approvers)

    return tuple(offer(role) for role in roles_to_ask(held, permission, ends))


def roles_to_keep(tenant: Tenant) -> frozenset[str]:
    """Return the names of the roles that the caller has for a time, and can ask to keep longer."""
    ends = tenant.role_ends
    return frozenset(roles_to_ask(tenant.role_names, ending=ends)) & tenant.role_names & ends.keys()


async def get_request(db: DatabaseSession, tenant: Tenant, request_id: uuid.UUID) -> RequestRow:
    """Return a request to its author, and to those who decide. Raises :class:`RequestNotFound` to others.

    Its author does not read who decided if the organization does not name approvers.
    """
    row, decides = await queries.find_row(db, request_id), tenant.may(Permission.MEMBERS_UPDATE)
    if row is None or not (is_own(tenant, row) or decides):
        raise RequestNotFound
    if decides or row.decided_by in (None, row.requester_id) or await names_approvers(db, tenant):
        return row
    return replace(row, decided_by=None, decider_name=None)


async def list_requests(db: DatabaseSession, after: RequestKey | None, limit: int) -> Sequence[RequestRow]:
    """Return requests: those that wait for a decision first, and of each kind the newest first."""
    return await queries.list_rows(db, after, limit)


async def list_own(db: DatabaseSession, tenant: Tenant) -> Sequence[RequestRow]:
    """Return the caller's newest requests."""
    return await queries.list_own(db, tenant.principal.subject, OWN_SHOWN)


def count_open() -> Reading[int]:
    """Return the question for the number of requests that wait for a decision."""
    return queries.count_open()


async def names_approvers(db: DatabaseSession, tenant: Tenant) -> bool:
    """Return whether people who ask see the names of those who can approve, and of those who decided."""
    return await queries.names_approvers(db, tenant.organization_id)


def is_own(tenant: Tenant, row: RequestRow) -> bool:
    """Return whether the caller sent the request."""
    return not tenant.principal.is_machine and row.requester_id == tenant.principal.subject
