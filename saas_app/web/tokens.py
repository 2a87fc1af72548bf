"""For views that need to know more of the caller than the one token tells that their guard asks for."""

from __future__ import annotations

from dataclasses import replace

from quart import request

from saas_app.errors import LogtoUnavailable
from saas_app.identity.authorization import ConsentRequired
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.tenant import Tenant
from saas_app.logto import ManagementError, explained
from saas_app.rbac.permissions import Carrier, permissions_of
from saas_app.web.context import management, runtime, session_cookie


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


async def with_own_roles(tenant: Tenant) -> Tenant:
    """The tenant of a bearer token with what the caller's roles bundle, asked of Logto now.

    A token says what it grants, and what others are given is weighed against all that the giver holds.
    """
    try:
        found = await management().find_member_roles(tenant.organization_id, tenant.principal.subject)
    except ManagementError as refusal:
        raise explained(refusal) from None
    role_names = found or frozenset()
    return replace(tenant, role_names=role_names, granted=tenant.granted | permissions_of(role_names))
