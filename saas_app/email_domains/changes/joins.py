"""Records members who joined because of their email domain, so that they see a notice and can leave.

Logto adds a new account to the organization that has the domain of its address, and does not say why somebody
is a member. So it is worked out at the first sign-in: the account's verified address is at a domain that the
organization holds, the account is younger than that (allowing for differing clocks), and the audit log
records no other way of joining.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import structlog

from saas_app.audit.recorder import Action, Actor, AuditEntry, Target, record
from saas_app.db import keys
from saas_app.db.base import utc_now
from saas_app.db.session import WritingSession
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.email_domains import queries
from saas_app.email_domains.names import domain_of
from saas_app.errors import LogtoUnavailable
from saas_app.identity.tenant import Tenant
from saas_app.logto import LogtoUser, ManagementClient, ManagementError
from saas_app.notifications.recorder import notify_of_join
from saas_app.text.domains import shown_domain

log = structlog.get_logger(__name__)

_CLOCK_TOLERANCE: Final = timedelta(seconds=30)  # the largest difference between Logto's clock and ours
_OTHER_WAYS: Final = [
    Action.INVITATION_ACCEPT.value,
    Action.ORGANIZATION_CREATE.value,
]


async def note_join(work: UnitOfWork, management: ManagementClient | None, claims: Mapping[str, Any]) -> None:
    """Record once how the person of these ID-token claims joined the organization that holds their domain.

    If that cannot be found out now, the sign-in still succeeds, and the next one tries again.
    """
    domain = domain_of(claims.get("email")) if claims.get("email_verified") is True else None
    if management is None or domain is None:
        return
    subject = str(claims["sub"])
    async with work.reading(key=keys.of_domain(domain)) as db:
        holder = await queries.find_holder(db, domain)
    if holder is None or holder.organization_id not in claims.get("organizations", ()):
        return
    async with work.reading(holder.organization_id) as db:
        if await queries.has_join(db, holder.organization_id, subject):
            return
    try:
        user = await management.get_user(subject)
    except (ManagementError, LogtoUnavailable) as error:
        log.warning("how somebody became a member could not be found out", reason=type(error).__name__)
        return
    await _note(work, holder, user)


async def confirm(work: UnitOfWork, tenant: Tenant) -> None:
    """Record that the caller has confirmed the notice of how they became a member."""
    async with work.writing(tenant.organization_id) as db:
        await queries.confirm_join(db, tenant.organization_id, tenant.principal.subject, utc_now())


async def confirm_within(db: WritingSession, organization_id: str, user_id: str) -> None:
    """Record that no notice is needed, in the transaction of a change that makes it obsolete."""
    await queries.confirm_join(db, organization_id, user_id, utc_now())


async def _note(work: UnitOfWork, holder: queries.Claim, user: LogtoUser) -> None:
    organization_id, domain = holder.organization_id, holder.domain
    verified_at = holder.verified_at or utc_now()
    is_new = user.created_at is not None and user.created_at >= verified_at - _CLOCK_TOLERANCE
    async with work.writing(organization_id) as db:
        by_domain = is_new and not await queries.joined_another_way(db, user.id, _OTHER_WAYS, verified_at)
        noted = await queries.add_join(db, organization_id, user.id, domain if by_domain else None, utc_now())
        if noted and by_domain:
            target = Target("member", user.id, user.display_name)
            after = {"domain": shown_domain(domain)}
            record(db, AuditEntry(Actor(user.id, user.display_name), Action.MEMBER_JOIN, target, after=after))
            await notify_of_join(db, organization_id, user.id, shown_domain(domain))
