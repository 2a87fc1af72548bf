"""Makes people members who sign in through their company's identity provider, once they have been checked.

Logto could do it (JIT), but before Workroom's check at the callback, and by a connector that somebody changed
for any address. Strangers would become members, and their names could be read among the members.
"""

from __future__ import annotations

import structlog

from saas_app.audit.recorder import Action, Actor, AuditEntry, Target
from saas_app.changes.organization_change import OrganizationChange, Systems
from saas_app.db.base import utc_now
from saas_app.db.session import WritingSession
from saas_app.email_domains.names import domain_of
from saas_app.email_domains.queries import add_join
from saas_app.errors import AppError, LogtoUnavailable
from saas_app.identity.role_ends import forget_ends
from saas_app.identity.standing import Workroom
from saas_app.logto import LogtoUser, ManagementError
from saas_app.notifications.recorder import notify_of_join
from saas_app.single_sign_on.queries import find_connection, was_member
from saas_app.single_sign_on.values import Connection
from saas_app.text.domains import shown_domain

log = structlog.get_logger(__name__)


async def let_join(systems: Systems, connection: Connection, account: LogtoUser) -> bool:
    """Make a person a member, with the roles for people who join, if the connection says so.

    People who left or were removed stay out. Returns whether they became a member. A failure is logged, keeps
    nobody from signing in, and is made good at the next sign-in, except that Logto is down: raises
    :class:`LogtoUnavailable`.
    """
    change = systems.by(Workroom(connection.organization_id))
    try:
        if not connection.joins or not await _is_stranger(change, account.id):
            return False
        async with change.alone() as turn:
            return await _join(turn, account)
    except LogtoUnavailable:
        raise
    except (AppError, ManagementError) as error:
        log.warning(
            "somebody did not become a member",
            organization_id=connection.organization_id,
            user_id=account.id,
            reason=str(error),
        )
        return False


async def _join(turn: OrganizationChange[Workroom], account: LogtoUser) -> bool:
    """Make a person a member, unless something has changed since it was looked at."""
    organization_id, domain = turn.organization_id, domain_of(account.email) or ""
    async with turn.work.reading(organization_id) as db:
        now = await find_connection(db, organization_id)
    if now is None or not now.is_on or not now.joins or not await _is_stranger(turn, account.id):
        return False
    roles = sorted(await turn.management.list_joining_roles(organization_id))
    provider = now.name

    async def add() -> None:
        await turn.management.add_members(organization_id, [account.id])
        try:
            await turn.management.assign_roles(organization_id, account.id, roles)
        except ManagementError:
            await turn.management.remove_member(organization_id, account.id)
            raise

    async def tell(db: WritingSession) -> None:
        await forget_ends(db, organization_id, account.id)  # of a membership whose end nobody reported
        await add_join(db, organization_id, account.id, domain, utc_now(), provider=provider)
        await notify_of_join(db, organization_id, account.id, shown_domain(domain), provider=provider)

    name = account.display_name
    target, after = Target("member", account.id, name), {"domain": shown_domain(domain), "provider": provider}
    event = AuditEntry(Actor(account.id, name), Action.MEMBER_JOIN, target, after=after)
    await turn.carry_out(event, add, subjects=[account.id], also=tell)
    return True


async def _is_stranger(change: OrganizationChange[Workroom], user_id: str) -> bool:
    """Return whether a person is no member, and was none."""
    if await change.management.find_member_roles(change.organization_id, user_id) is not None:
        return False
    async with change.work.reading(change.organization_id) as db:
        return not await was_member(db, change.organization_id, user_id)
