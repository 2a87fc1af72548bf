"""Allows and forbids support access to an organization, and starts and ends accesses.

An access starts only if the organization allows it now, the member belongs to it and is not suspended, and
Logto issues tokens with both names. Every request checks the organization's consent, both memberships and the
agent's session again, so that whatever takes one of them away needs to end nothing here.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from saas_app.audit.recorder import Action, Actor, AuditEntry, Target, record
from saas_app.db.base import new_uuid, utc_now
from saas_app.db.session import WritingSession
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import Invalid, SignInRequired
from saas_app.identity.membership_changes import read_changes
from saas_app.identity.principal import Principal, SessionPrincipal
from saas_app.identity.role_ends import list_ends
from saas_app.identity.standing import require_standing, session_key
from saas_app.identity.support_exchange import Impersonation, SupportExchange
from saas_app.identity.tenant import Tenant
from saas_app.identity.vault import fingerprint, new_cookie_value
from saas_app.limits.changes import ChangeLimits
from saas_app.logto import LogtoUser, ManagementClient, explaining
from saas_app.models import NotificationKind
from saas_app.notifications.recorder import list_told, notify_of_support
from saas_app.notifications.values import SupportDetails
from saas_app.rbac.endings import in_force
from saas_app.rbac.permissions import Carrier, Permission, roles_granting
from saas_app.rbac.support import support_permissions
from saas_app.support import queries
from saas_app.support.values import (
    DURATION,
    RETENTION,
    AccessNotFound,
    AccessRow,
    Consent,
    ConsentChoice,
    NoSuchMember,
    NotAllowed,
    OutlastsOwnAccess,
    Wish,
)
from saas_app.text.translation import _

_MOST_TOLD: Final = 50  # admins of one organization who are told about an access


class CannotActFor(Invalid):
    """Nobody acts for this member."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What it takes to start an access."""

    work: UnitOfWork
    management: ManagementClient
    exchange: SupportExchange
    limits: ChangeLimits


@dataclass(frozen=True, slots=True)
class Started:
    """An access that has begun, with the value of its cookie, which is stored nowhere else."""

    id: uuid.UUID
    organization_id: str
    ends_at: datetime
    cookie: str


async def allow(db: WritingSession, tenant: Tenant, choice: ConsentChoice) -> None:
    """Allow support access to the organization, from now on. Live accesses keep what is still allowed.

    Those that ended because the time was over for which it was allowed do not begin again. Raises
    :class:`OutlastsOwnAccess`: nobody allows it for longer than they can change settings.
    """
    latest = tenant.facts.until.get(Permission.ORGANIZATION_UPDATE)
    if latest is not None and (choice.until is None or choice.until > latest):
        raise OutlastsOwnAccess(tenant.organization_name, latest)
    before = await queries.find_consent(db, tenant.organization_id)
    if not before.is_live(utc_now()):
        await _end_all(db, tenant)
    after = Consent(is_allowed=True, until=choice.until, writes=choice.writes)
    await queries.save_consent(db, tenant.organization_id, after)
    _record_consent(db, tenant, Action.SUPPORT_ALLOW, before, after)


async def forbid(db: WritingSession, tenant: Tenant) -> None:
    """Forbid support access to the organization, and end those that are live."""
    before = await queries.find_consent(db, tenant.organization_id)
    if not before.is_allowed:
        return
    after = Consent()
    await queries.save_consent(db, tenant.organization_id, after)
    _record_consent(db, tenant, Action.SUPPORT_FORBID, before, after)
    await _end_all(db, tenant)


async def end(db: WritingSession, tenant: Tenant, access_id: uuid.UUID) -> AccessRow:
    """End a live access to the organization of the caller, who manages it. Returns the access.

    Nothing happens if it has ended. Raises :class:`AccessNotFound`.
    """
    return await _end(db, tenant.organization_id, access_id, tenant.principal)


async def end_own(
    work: UnitOfWork, agent: Principal, organization_id: str, access_id: uuid.UUID
) -> AccessRow:
    """End an access of the agent themselves. Returns it. Raises :class:`AccessNotFound`."""
    async with work.writing(organization_id) as db:
        row = await queries.find_access(db, organization_id, access_id)
        if row is None or row.agent_id != agent.subject:
            raise AccessNotFound
        return await _end(db, organization_id, access_id, agent)


async def delete_expired_accesses(jobs: UnitOfWork) -> None:
    """Delete the accesses to all organizations that are older than :data:`RETENTION`.

    ``jobs`` has the role of jobs. In a request, the database shows only one organization's accesses.
    """
    async with jobs.writing() as db:
        await queries.delete_older(db, utc_now() - RETENTION)


async def start(desk: Desk, tenant: Tenant, wish: Wish) -> Started:
    """Let the caller, of the support team, act for a member of another organization.

    Raises :class:`NotAllowed`, :class:`NoSuchMember`, :class:`CannotActFor`, :class:`NotGranted`,
    :class:`LimitReached`, :class:`AccessChanged`, :class:`SignInRequired` and :class:`LogtoUnavailable`.
    Nothing was stored then.
    """
    agent = tenant.principal
    if not isinstance(agent, SessionPrincipal):
        raise SignInRequired
    if wish.member_id == agent.subject:
        raise _cannot(_("You cannot act for yourself."))
    await desk.limits.spend((desk.limits.changes, agent.subject))
    async with desk.work.reading(wish.organization_id) as db:
        consent = await queries.find_consent(db, wish.organization_id)
        _require_consent(consent, wish)
        version = (await read_changes(db, wish.organization_id, wish.member_id)).version
    with explaining():
        member, told = await asyncio.gather(_check_member(desk, wish), _list_admins(desk, wish))
        scopes = await desk.exchange.fetch_scopes(
            Impersonation(
                agent,
                wish.member_id,
                wish.organization_id,
                wish.ticket,
                support_permissions(writes=wish.writes),
            )
        )
    async with desk.work.reading(tenant.organization_id, key=session_key(tenant)) as db:
        await require_standing(db, tenant)
    cookie, now = new_cookie_value(), utc_now()
    row: dict[str, Any] = {
        "organization_id": wish.organization_id,
        "id": new_uuid(),
        "cookie_hash": fingerprint(cookie),
        "agent_id": agent.subject,
        "agent_name": agent.display_name[:320],
        "agent_session_id": agent.session_id,
        "member_id": member.id,
        "member_name": member.display_name[:320],
        "reason": wish.reason,
        "ticket": wish.ticket,
        "writes": wish.writes,
        "scopes_organization": " ".join(sorted(scopes[Carrier.ORGANIZATION_TOKEN])),
        "scopes_api": " ".join(sorted(scopes[Carrier.API_TOKEN])),
        "member_version": version,
        "agent_version": tenant.membership_version,
        "started_at": now,
        "ends_at": now + DURATION,
    }
    async with desk.work.writing(wish.organization_id) as db:
        _require_consent(await queries.find_consent(db, wish.organization_id), wish)
        await _begin(db, row, Actor.of(agent), {member.id, *told})
    return Started(row["id"], wish.organization_id, row["ends_at"], cookie)


def _require_consent(consent: Consent, wish: Wish) -> None:
    """Raise :class:`NotAllowed` unless the organization allows now what the agent wishes."""
    if not consent.is_live(utc_now()) or (wish.writes and not consent.writes):
        raise NotAllowed


async def _check_member(desk: Desk, wish: Wish) -> LogtoUser:
    """Return the member's account. Logto 1.42 would issue tokens for a suspended member too."""
    roles, member = await asyncio.gather(
        desk.management.find_member_roles(wish.organization_id, wish.member_id),
        desk.management.find_user(wish.member_id),
    )
    if roles is None or member is None:
        raise NoSuchMember(wish.organization_id)
    if member.is_suspended:
        raise _cannot(_("This person is suspended, so nobody can act for them."))
    return member


async def _list_admins(desk: Desk, wish: Wish) -> list[str]:
    """Return the members who can end the access, and are told about it. Ended roles do not count."""
    names = {role.value for role in roles_granting(Permission.ORGANIZATION_UPDATE)}
    found: dict[str, frozenset[str]] = {}
    for role in await desk.management.list_organization_roles():
        if role.name in names:
            page = await desk.management.list_members_page(
                wish.organization_id, page=1, page_size=_MOST_TOLD, role_id=role.id
            )
            found |= {info.user.id: info.role_names for info in page.items}
    async with desk.work.reading(wish.organization_id) as db:
        ends, now = await list_ends(db, wish.organization_id, list(found)), utc_now()
    return [user_id for user_id, held in found.items() if in_force(held, ends.get(user_id, {}), now) & names]


async def _begin(db: WritingSession, row: dict[str, Any], agent: Actor, told: Iterable[str]) -> None:
    await queries.add_access(db, row)
    target = Target("member", row["member_id"], row["member_name"])
    after = {
        "ticket": row["ticket"],
        "reason": row["reason"],
        "writes": row["writes"],
        "ends_at": row["ends_at"].isoformat(),
    }
    record(db, AuditEntry(agent, Action.SUPPORT_START, target, after=after))
    details = SupportDetails(agent=agent.name, member=target.name, member_id=target.id, ticket=row["ticket"])
    readers = sorted(set(told) - {agent.id})
    await notify_of_support(
        db, row["organization_id"], NotificationKind.SUPPORT_STARTED, row["id"], readers, details
    )


async def _end(db: WritingSession, organization_id: str, access_id: uuid.UUID, by: Principal) -> AccessRow:
    row = await queries.end_access(db, organization_id, access_id, _ending(by))
    if row is not None:
        await _tell_end(db, row, Actor.of(by))
        return row
    found = await queries.find_access(db, organization_id, access_id)
    if found is None:
        raise AccessNotFound
    return found


async def _end_all(db: WritingSession, tenant: Tenant) -> None:
    for row in await queries.end_all(db, tenant.organization_id, _ending(tenant.principal)):
        await _tell_end(db, row, Actor.of(tenant.principal))


async def _tell_end(db: WritingSession, row: AccessRow, by: Actor) -> None:
    """Record that an access was ended, and tell everybody who was told about its start."""
    target = Target("member", row.member_id, row.member_name)
    after = {"agent": row.agent_name, "agent_id": row.agent_id, "ticket": row.ticket}
    record(db, AuditEntry(by, Action.SUPPORT_END, target, after=after))
    details = SupportDetails(
        agent=row.agent_name, member=row.member_name, member_id=row.member_id, ticket=row.ticket
    )
    readers = sorted(await list_told(db, row.id) - {by.id})
    await notify_of_support(db, row.organization_id, NotificationKind.SUPPORT_ENDED, row.id, readers, details)


def _ending(by: Principal) -> queries.Ending:
    actor = Actor.of(by)
    return queries.Ending(utc_now(), actor.id, actor.name[:320])


def _record_consent(
    db: WritingSession, tenant: Tenant, action: Action, before: Consent, after: Consent
) -> None:
    target = Target("organization", tenant.organization_id, tenant.organization_name)
    record(db, AuditEntry(Actor.of(tenant.principal), action, target, _shown(before), _shown(after)))


def _shown(consent: Consent) -> dict[str, Any]:
    until = None if consent.until is None else consent.until.isoformat()
    return {"support_allowed": consent.is_allowed, "support_until": until, "support_writes": consent.writes}


def _cannot(problem: Any) -> CannotActFor:
    return CannotActFor(problem, fields={"member": problem})
