"""Whether a caller still may change what their request was allowed to change: asked again before every step.

A guard decides once, when a request comes in. A change that takes steps outside, in Logto, goes on for
seconds after that, and meanwhile its author may be demoted, removed, suspended or signed out everywhere.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TypeAlias

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

    code, title = "access-changed", "Your access has changed"


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody who is about to belong to an organization, and has no membership yet that could change."""

    organization_id: str
    principal: Principal


@dataclass(frozen=True, slots=True)
class Workroom:
    """Workroom itself, which checks an organization again on nobody's behalf."""

    organization_id: str


Caller: TypeAlias = Tenant | Newcomer | Workroom
"""Who changes an organization. A :class:`Tenant` is a member or a machine that a guard has let in."""


async def require_standing(db: AsyncSession, caller: Caller) -> None:
    """Check that a caller still may what their request was allowed.

    Raises :class:`SignInRequired` when the browser session has ended, and :class:`AccessChanged` when another
    change of the membership is known than when the request's access was decided. No clock is asked, so the
    clocks of workers need not agree.
    """
    if isinstance(caller, Workroom):
        return
    await require_session(db, caller.principal)
    if isinstance(caller, Newcomer):
        return
    changes = await read_changes(db, caller.organization_id, caller.principal.subject)
    if changes.version != caller.membership_version:
        raise AccessChanged(
            f"Your access to {isolated(caller.organization_name)} changed while your "
            "request was in progress. Nothing more was changed. Reload the page and try "
            "again."
        )


async def require_session(db: AsyncSession, principal: Principal) -> None:
    """Raise :class:`SignInRequired` when the caller's browser session has ended. A token has no session."""
    if isinstance(principal, SessionPrincipal) and not await _is_alive(db, principal.session_id):
        raise SignInRequired("Your session ended while your request was in progress.")


async def _is_alive(db: AsyncSession, session_id: uuid.UUID) -> bool:
    statement = sa.select(SessionRow.id).where(SessionRow.id == session_id)
    return await db.scalar(statement) is not None
