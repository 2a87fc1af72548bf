"""A reconciler on the application's own database, and what it says of one organization."""

from __future__ import annotations

from datetime import timedelta

import pytest

from saas_app.changes.organization_change import Systems
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.email_domains.dns_records import TxtResolver
from saas_app.email_domains.rechecks import DomainChecks
from saas_app.operations.reconciliation.service import Reconciler, Repair
from saas_app.runtime import Runtime
from tests.factories import Factory


@pytest.fixture
def reconciler(runtime: Runtime, make: Factory) -> Reconciler:
    return reconciler_of(runtime.work, make)


def reconciler_of(work: UnitOfWork, make: Factory) -> Reconciler:
    checks = DomainChecks(Systems(work, make.management, None), TxtResolver(), timedelta(days=3))
    return Reconciler(work, make.management, checks)


async def repairs_of(reconciler: Reconciler, organization_id: str) -> list[str]:
    found: list[Repair] = [repair async for repair in reconciler.run(organization_id)]
    return [repair.what for repair in found if repair.organization_id == organization_id]
