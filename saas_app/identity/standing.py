"""Checks before each step of a change that the caller still has the access that the guard granted.

A guard decides once, when a request arrives. A change in Logto takes seconds after that, and meanwhile its
caller may be demoted, removed, suspended or signed out everywhere.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TypeAlias

import sqlalchemy as sa

from saas_app.db import keys
from saas_app.db.base import utc_now
from saas_app.db.keys import Key
from saas_app.db.session import DatabaseSession
from saas_app.errors import Conflict, SignInRequired
from saas_app.identity.membership_changes import read_changes
from saas_app.identity.principal import Principal, SessionPrincipal
from saas_app.identity.role_ends import read_ends
from saas_app.identity.tenant import Tenant
from saas_app.models import SessionRow
from saas_app.text.translation import _
from saas_app.text.visible import isolated


class AccessChanged(Conflict):
    """The caller's own membership changed while their request was in progress."""

    code, title = "access-changed", _("Your access has changed")


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A person who is about to join an organization, and has no membership yet that could change."""

    organization_id: str
    principal: Principal


@dataclass(frozen=True, slots=True)
class Workroom:
    """Workroom itself, when it changes an organization without a caller."""

    organization_id: str


Caller: TypeAlias = Tenant | Newcomer | Workroom
"""The author of a change. A :class:`Tenant` is a member or a machine that a guard has admitted."""


def session_key(caller: Caller | Principal) -> Key | None:
    """Return the key of the caller's browser session, or None if they have none."""
    principal = getattr(caller, "principal", caller)
    return keys.of_session(principal.session_id) if isinstance(principal, SessionPrincipal) else None


async def require_standing(db: DatabaseSession, caller: Caller) -> None:
    """Check that the caller still has the access that the guard granted. ``db`` has :func:`session_key`.

    Raises :class:`SignInRequired` if the browser session has ended, and :class:`AccessChanged` if the
    membership has changed since the guard decided, or a role of the caller has ended or ends earlier now.
    Changes are counted, so clocks need not agree.
    """
    if isinstance(caller, Workroom):
        return
    await require_session(db, caller.principal)
    if isinstance(caller, Newcomer):
        return
    changes = await read_changes(db, caller.organization_id, caller.principal.subject)
    if changes.version != caller.membership_version or await _has_less_time(db, caller):
        raise AccessChanged(
            _(
                "Your access to %(organization)s changed while your request was in progress. Nothing more "
                "was changed. Reload the page and try again.",
                organization=isolated(caller.organization_name),
            )
        )


async def _has_less_time(db: DatabaseSession, caller: Tenant) -> bool:
    """Return whether a role of the caller has ended since the guard decided, or ends earlier than it did."""
    now, known = utc_now(), caller.role_ends
    ends = await read_ends(db, caller.organization_id, caller.principal.subject)
    return any(
        ends_at <= now or role not in known or ends_at < known[role]
        for role, ends_at in ends.items()
        if role not in caller.ended_roles
    )


async def require_session(db: DatabaseSession, principal: Principal) -> None:
    """Raise :class:`SignInRequired` if the caller's browser session has ended. A token has no session.

    ``db`` has :func:`session_key`.
    """
    if isinstance(principal, SessionPrincipal) and not await _is_alive(db, principal.session_id):
        raise SignInRequired(_("Your session ended while your request was in progress."))


async def _is_alive(db: DatabaseSession, session_id: uuid.UUID) -> bool:
    statement = sa.select(SessionRow.id).where(SessionRow.id == session_id)
    return await db.scalar(statement) is not None
