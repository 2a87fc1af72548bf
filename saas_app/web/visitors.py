"""The visitor of a public page, who may be signed in."""

from __future__ import annotations

from quart import g, request

from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.session_access import SessionAccess
from saas_app.web.context import runtime, session_cookie


async def find_principal() -> SessionPrincipal | None:
    """Return the person who is signed in, or None."""
    access = await _find_access()
    if access is not None:
        g.principal = access.principal
    return access.principal if access else None


async def find_last_organization_id() -> str | None:
    """Return the organization that the signed-in person last worked in, or None."""
    access = await _find_access()
    return access.last_organization_id if access else None


async def find_last_renewal() -> str | None:
    """Return the purpose of the session's last round trip to Logto, or None."""
    access = await _find_access()
    return access.renewed_for if access else None


async def _find_access() -> SessionAccess | None:
    if "access" not in g:
        g.access = await runtime().sessions.find_access(session_cookie(request), None)
    found: SessionAccess | None = g.access
    return found
