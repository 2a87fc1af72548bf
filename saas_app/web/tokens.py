"""For views that show more with another kind of token than their guard needs."""

from __future__ import annotations

from quart import request

from saas_app.errors import LogtoUnavailable
from saas_app.identity.authorization import ConsentRequired
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.tenant import Tenant
from saas_app.rbac.permissions import Carrier
from saas_app.web.context import runtime, session_cookie


async def with_token(tenant: Tenant, carrier: Carrier) -> Tenant:
    """The tenant with this kind of token read too, where it can be had: a browser session can fetch one."""
    if carrier in tenant.carriers or not isinstance(tenant.principal, SessionPrincipal):
        return tenant
    try:
        complete, _access = await runtime().authorization.get_tenant(
            session_cookie(request), tenant.organization_id, (carrier,)
        )
    except (ConsentRequired, LogtoUnavailable):
        return tenant
    return complete
