"""Whether a caller still may change what their request was allowed to change: asked again before every step.

A guard decides once, when a request comes in. A change that takes steps outside, in Logto, goes on for
seconds after that, and meanwhile its author may be demoted, removed, suspended or signed out everywhere.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Self

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from saas_app.errors import Conflict, SignInRequired
from saas_app.identity.membership_changes import read_changes
from saas_app.identity.principal import Principal, SessionPrincipal
from saas_app.identity.tenant import Tenant
from saas_app.models import SessionRow
from saas_app.text.visible import isolated


class AccessChanged(Conflict):
    """The caller's own membership changed while their request was in progress."""

    code, title = "access-changed", "Your own access has just changed"


@dataclass(frozen=True, slots=True)
class Standing:
    """A caller in an organization, as their request found them.

    ``membership_version`` counts the changes of their membership that were known at that time. No clock is
    asked, so that the clocks of workers need not agree. A newcomer, who is about to join, has no membership
    yet that could have changed.
    """

    organization_id: str
    organization_name: str
    principal: Principal
    membership_version: int = 0
    is_newcomer: bool = False

    @classmethod
    def of(cls, tenant: Tenant) -> Self:
        """A member, or a machine, whose access a guard has decided on."""
        return cls(
            tenant.organization_id, tenant.organization_name, tenant.principal, tenant.membership_version
        )

    @classmethod
    def of_newcomer(cls, principal: Principal, organization_id: str) -> Self:
        """A person who is about to join an organization."""
        return cls(organization_id, organization_id, principal, is_newcomer=True)

    @classmethod
    def of_system(cls, organization_id: str) -> Self:
        """Workroom itself, which checks things again on nobody's behalf."""
        return cls(organization_id, organization_id, Principal("system", name="Workroom"), is_newcomer=True)

    async def require(self, db: AsyncSession) -> None:
        """Raise :class:`SignInRequired` when the session has ended, :class:`AccessChanged` when the
        membership changed since the request's access was decided.
        """
        if isinstance(self.principal, SessionPrincipal):
            await require_session(db, self.principal)
        if self.is_newcomer:
            return
        changes = await read_changes(db, self.organization_id, self.principal.subject)
        if changes.version != self.membership_version:
            raise AccessChanged(
                f"Your access to {isolated(self.organization_name)} changed while your request was in "
                "progress. Nothing more was changed. Open the page again."
            )


async def require_session(db: AsyncSession, principal: SessionPrincipal) -> None:
    """Raise :class:`SignInRequired` when the browser session has been ended meanwhile."""
    if not await _is_alive(db, principal.session_id):
        raise SignInRequired("Your session ended while your request was in progress.")


async def _is_alive(db: AsyncSession, session_id: uuid.UUID) -> bool:
    statement = sa.select(SessionRow.id).where(SessionRow.id == session_id)
    return await db.scalar(statement) is not None
