"""The visitor of a public page, who may be signed in."""

from __future__ import annotations

from dataclasses import replace

import structlog
from quart import g, request

from saas_app.errors import AppError
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.session_access import SessionAccess
from saas_app.web.context import runtime, session_cookie

log = structlog.get_logger(__name__)


async def find_principal() -> SessionPrincipal | None:
    """Return the person who is signed in, or None."""
    access = await _find_access()
    if access is not None:
        g.principal = access.principal
    return access.principal if access else None


async def find_reader() -> None:
    """Find who reads a public page, and the organization they last worked in, for the header of the page.

    The organization is shown only while the session has a fresh token for it: Logto is not asked. If the
    database does not respond, the page is shown as to somebody who is not signed in.
    """
    try:
        if await find_principal() is not None:
            await _find_last_tenant()
    except AppError as error:
        log.warning("a public page is shown without its reader", reason=error.code)


async def _find_last_tenant() -> None:
    organization_id = await find_last_organization_id()
    if organization_id is None:
        return
    access = await runtime().sessions.find_access(session_cookie(request), organization_id)
    tenant = runtime().tenants.find_cached_tenant(access, organization_id) if access else None
    if tenant is not None:
        g.tenant = replace(tenant, joined_by=None)  # the notice about it is for the organization's own pages


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
