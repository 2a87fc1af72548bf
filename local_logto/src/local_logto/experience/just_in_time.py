"""Joining organizations by signing up: whose email domain an organization names becomes its member.

Logto 1.42 does this for a new account only, compares the domain letter by letter, and gives the
organization's default roles. Which domains and roles those are is set through the Management API.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from local_logto.management.relations import MEMBER_ROLES, MEMBERS
from local_logto.management.tables import organization_jit_email_domains, organization_jit_roles
from local_logto.store import Store, organization_users, organizations


async def join_organizations(connection: AsyncConnection, user_id: str, email: str) -> list[str]:
    """Make the new account a member of every organization that names its domain; returns their ids."""
    domains = organization_jit_email_domains
    _, _, domain = email.partition("@")
    matching = (
        sa.select(domains.c.organization_id)
        .where(domains.c.email_domain == domain)
        .order_by(domains.c.organization_id)
    )
    joined = list((await connection.execute(matching)).scalars())
    await _join(connection, user_id, joined)
    return joined


async def join_invited(store: Store, user_id: str, organization_ids: Collection[str]) -> list[str]:
    """Make somebody a member of the organizations that a one-time token names; returns those they joined.

    Unknown organizations are skipped without a word, as Logto does.
    """
    if not organization_ids:
        return []
    async with store.begin() as connection:
        known = sa.select(organizations.c.id).where(organizations.c.id.in_(organization_ids))
        held = sa.select(organization_users.c.organization_id).where(organization_users.c.user_id == user_id)
        query = known.where(organizations.c.id.not_in(held)).order_by(organizations.c.id)
        joined = list((await connection.execute(query)).scalars())
        await _join(connection, user_id, joined)
    return joined


async def _join(connection: AsyncConnection, user_id: str, organization_ids: Collection[str]) -> None:
    roles = organization_jit_roles
    for organization_id in organization_ids:
        default = sa.select(roles.c.organization_role_id).where(roles.c.organization_id == organization_id)
        role_ids = list((await connection.execute(default)).scalars())
        await MEMBERS.add(connection, [user_id], organization_id=organization_id)
        await MEMBER_ROLES.add(connection, role_ids, organization_id=organization_id, user_id=user_id)
