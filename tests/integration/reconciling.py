"""Reconciling on the database of the tests."""

from __future__ import annotations

from datetime import timedelta

from saas_app.changes.organization_change import Systems
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.email_domains.dns_records import TxtResolver
from saas_app.email_domains.rechecks import DomainChecks
from saas_app.operations.reconciliation.service import Reconciler
from tests.factories import Factory


def reconciler_of(work: UnitOfWork, make: Factory) -> Reconciler:
    """Return a reconciler of a database with the provider of the tests."""
    checks = DomainChecks(Systems(work, make.management, None), TxtResolver(), timedelta(days=3))
    return Reconciler(work, make.management, checks)


async def repairs_of(reconciler: Reconciler, organization_id: str) -> list[str]:
    """Reconcile one organization and return what was repaired in it."""
    found = [repair async for repair in reconciler.run(organization_id)]
    return [repair.what for repair in found if repair.organization_id == organization_id]
