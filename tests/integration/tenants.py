"""Tenants that exist only in the database, for tests below the pages and the API."""

from __future__ import annotations

import secrets

from saas_app.db.base import new_uuid, utc_now
from saas_app.identity.principal import Principal, SessionPrincipal
from saas_app.identity.tenant import Tenant
from saas_app.rbac.permissions import Carrier, Permission, Role


def admin_of(organization_id: str = "", principal: Principal | None = None) -> Tenant:
    """Return the tenant of an admin with every permission, as if it came from their tokens.

    By default the organization and the person are new.
    """
    unique = secrets.token_hex(6)
    return Tenant(
        organization_id=organization_id or f"org-{unique}",
        organization_name="Acme",
        principal=principal or SessionPrincipal(f"user-{unique}", session_id=new_uuid(), name="Sam"),
        role_names=frozenset({Role.ADMIN.value}),
        granted=frozenset(Permission),
        carriers=frozenset(Carrier),
        read_at=utc_now(),
    )
