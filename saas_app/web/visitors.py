"""Who looks at a page that is for everybody: signed in perhaps, and where they were last."""

from __future__ import annotations

from quart import g, request

from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.session_access import SessionAccess
from saas_app.web.context import runtime, session_cookie


async def find_principal() -> SessionPrincipal | None:
    """On a public page: who is signed in, if anybody."""
    access = await _find_access()
    if access is not None:
        g.principal = access.principal
    return access.principal if access else None


async def find_last_organization_id() -> str | None:
    """On a public page: the organization the signed-in person worked in last."""
    access = await _find_access()
    return access.last_organization_id if access else None


async def find_last_renewal() -> str | None:
    """What the session's last round trip to Logto was made for, if for anything."""
    access = await _find_access()
    return access.renewed_for if access else None


async def _find_access() -> SessionAccess | None:
    if "access" not in g:
        g.access = await runtime().sessions.find_access(session_cookie(request), None)
    found: SessionAccess | None = g.access
    return found
