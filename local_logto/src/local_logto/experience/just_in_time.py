"""Just-in-time membership: people join organizations by email domain, enterprise connector or invitation.

They get the organization's default roles. In Logto 1.42 a domain counts for new accounts only and is compared
case-sensitively, and a connector counts when an account gets its identity. The Management API sets domains,
connectors and roles.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from local_logto.management.relations import MEMBER_ROLES, MEMBERS
from local_logto.management.tables import (
    organization_jit_email_domains,
    organization_jit_roles,
    organization_jit_sso_connectors,
)
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


def join_by_connector(connection: sa.Connection, user_id: str, connector_id: str) -> list[str]:
    """Add a person to every organization that lists the connector. Returns the IDs of those they joined.

    Members get the default roles too, in addition to their own.
    """
    listed = organization_jit_sso_connectors
    query = sa.select(listed.c.organization_id).where(listed.c.sso_connector_id == connector_id)
    found = list(connection.execute(query.order_by(listed.c.organization_id)).scalars())
    members = organization_users
    held = sa.select(members.c.organization_id).where(members.c.user_id == user_id)
    known = set(connection.execute(held).scalars())
    _join(connection, user_id, found)
    return [organization_id for organization_id in found if organization_id not in known]


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
