"""The demo's support team: an agent, and an organization that allows support access."""

from __future__ import annotations

from saas_app.changes.organization_change import Systems
from saas_app.db.base import utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.logto import LogtoUser, ManagementClient
from saas_app.operations import support_team
from saas_app.support import queries
from saas_app.support.values import Consent


async def add_agent(
    client: ManagementClient, work: UnitOfWork, organization_id: str, user: LogtoUser
) -> bool:
    """Make a person a member of the support team. Returns False if they are one."""
    return await support_team.grant(Systems(work, client, None), organization_id, user)


async def allow_support(work: UnitOfWork, organization_id: str) -> bool:
    """Let an organization allow support access to view and change. Returns False if it allows it already."""
    async with work.writing(organization_id) as db:
        if (await queries.find_consent(db, organization_id)).is_live(utc_now()):
            return False
        await queries.save_consent(db, organization_id, Consent(is_allowed=True, writes=True))
    return True
