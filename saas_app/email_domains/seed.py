"""Email domains of the demo, as if they had been claimed and verified in the settings."""

from __future__ import annotations

import secrets

from saas_app.db import keys
from saas_app.db.base import utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.email_domains import queries
from saas_app.logto import ManagementClient
from saas_app.models import DomainProof


async def seed_claim(work: UnitOfWork, organization_id: str, domain: str) -> bool:
    """Add a domain that stays unverified. Returns False if the organization has added it before."""
    async with work.writing(organization_id) as db:
        return await queries.add_claim(db, organization_id, domain, secrets.token_urlsafe(24), utc_now())


async def seed_verified(
    work: UnitOfWork,
    client: ManagementClient,
    organization_id: str,
    domain: str,
    admin_id: str,
    proof: DomainProof = DomainProof.ADDRESS,
) -> bool:
    """Let people join by a domain, such as that of an admin's address. Returns False if it is held already.

    The current members joined another way, and see no notice. No nameserver is asked for a proof by DNS.
    """
    members = await client.list_members(organization_id)
    await seed_claim(work, organization_id, domain)
    async with work.writing(organization_id, key=keys.of_domain(domain)) as db:
        if await queries.find_holder(db, domain) is not None:
            return False
        await queries.hold(db, organization_id, domain, proof, admin_id, utc_now())
        for member in members:
            await queries.add_join(db, organization_id, member.user.id, None, utc_now())
    if domain not in await client.list_joining_domains(organization_id):
        await client.add_joining_domain(organization_id, domain)
    return True
