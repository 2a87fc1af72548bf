"""Joining organizations by signing up: whose e-mail domain an organization names becomes its member.

Logto 1.42 does this for a new account only, compares the domain letter by letter, and gives the
organization's default roles. Which domains and roles those are is set through the Management API.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from local_logto.management.relations import MEMBER_ROLES, MEMBERS
from local_logto.management.tables import organization_jit_email_domains, organization_jit_roles


async def join_organizations(connection: AsyncConnection, user_id: str, email: str) -> list[str]:
    """Make the new account a member of every organization that names its domain; returns their ids."""
    domains, roles = organization_jit_email_domains, organization_jit_roles
    _, _, domain = email.partition("@")
    matching = (
        sa.select(domains.c.organization_id)
        .where(domains.c.email_domain == domain)
        .order_by(domains.c.organization_id)
    )
    joined = list((await connection.execute(matching)).scalars())
    for organization_id in joined:
        default = sa.select(roles.c.organization_role_id).where(roles.c.organization_id == organization_id)
        role_ids = list((await connection.execute(default)).scalars())
        await MEMBERS.add(connection, [user_id], organization_id=organization_id)
        await MEMBER_ROLES.add(connection, role_ids, organization_id=organization_id, user_id=user_id)
    return joined
