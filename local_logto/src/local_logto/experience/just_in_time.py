"""Just-in-time membership: new accounts join the organizations that list their email domain.

Logto 1.42 does this for new accounts only, compares the domain case-sensitively, and assigns the
organization's default roles. The Management API sets domains and roles.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from local_logto.management.relations import MEMBER_ROLES, MEMBERS
from local_logto.management.tables import organization_jit_email_domains, organization_jit_roles
from local_logto.store import Store
from local_logto.tables import organization_users, organizations


def join_organizations(connection: sa.Connection, user_id: str, email: str) -> list[str]:
    """Add the new account to every organization that lists its domain. Returns their IDs."""
    domains = organization_jit_email_domains
    _, _, domain = email.partition("@")
    matching = (
        sa.select(domains.c.organization_id)
        .where(domains.c.email_domain == domain)
        .order_by(domains.c.organization_id)
    )
    joined = list(connection.execute(matching).scalars())
    _join(connection, user_id, joined)
    return joined


def join_invited(store: Store, user_id: str, organization_ids: Collection[str]) -> list[str]:
    """Add a person to the organizations that a one-time token names. Returns the IDs of those they joined.

    Unknown organizations are ignored, as in Logto.
    """
    if not organization_ids:
        return []
    with store.begin() as connection:
        known = sa.select(organizations.c.id).where(organizations.c.id.in_(organization_ids))
        held = sa.select(organization_users.c.organization_id).where(organization_users.c.user_id == user_id)
        query = known.where(organizations.c.id.not_in(held)).order_by(organizations.c.id)
        joined = list(connection.execute(query).scalars())
        _join(connection, user_id, joined)
    return joined


def _join(connection: sa.Connection, user_id: str, organization_ids: Collection[str]) -> None:
    roles = organization_jit_roles
    for organization_id in organization_ids:
        default = sa.select(roles.c.organization_role_id).where(roles.c.organization_id == organization_id)
        role_ids = list(connection.execute(default).scalars())
        MEMBERS.add(connection, [user_id], organization_id=organization_id)
        MEMBER_ROLES.add(connection, role_ids, organization_id=organization_id, user_id=user_id)
