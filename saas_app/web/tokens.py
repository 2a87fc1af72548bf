"""Reads an additional kind of token, for views that need more than the token their guard requires."""

from __future__ import annotations

from quart import request

from saas_app.errors import LogtoUnavailable
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.renewal import RenewalRequired
from saas_app.identity.tenant import Tenant
from saas_app.rbac.permissions import Carrier
from saas_app.web.context import runtime, session_cookie


async def with_token(tenant: Tenant, carrier: Carrier) -> Tenant:
    """Return the tenant with this kind of token read too, if possible. A browser session can fetch one."""
    if carrier in tenant.carriers or not isinstance(tenant.principal, SessionPrincipal):
        return tenant
    cookie, organization_id = session_cookie(request), tenant.organization_id
    try:
        caller = await runtime().browser_sessions.prove(cookie, organization_id)
        return await caller.get_tenant(organization_id, (carrier,))
    except (RenewalRequired, LogtoUnavailable):
        return tenant
