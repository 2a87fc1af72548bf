"""Requesting the removal of an organization's data, in a separate transaction."""

from __future__ import annotations

from saas_app.db.unit_of_work import UnitOfWork
from saas_app.organizations.removal import request_removal


async def order_removal(work: UnitOfWork, organization_id: str, name: str, requested_by: str) -> None:
    async with work.writing() as db:
        await request_removal(db, organization_id, name, requested_by)
