"""Unreadable roles in a cached token: requests and reconciling ask Logto again."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from saas_app.models import SessionToken
from saas_app.operations.reconciliation.service import Reconciler
from saas_app.runtime import Runtime
from tests.conftest import OpenOffice
from tests.integration.reconciling import repairs_of
from tests.offices import Office


@pytest.fixture(params=["", "[", "7", '[["viewer"]]', "[" * 100_000], ids=lambda kept: kept[:12] or "empty")
async def spoiled(request: pytest.FixtureRequest, open_office: OpenOffice, runtime: Runtime) -> Office:
    """An office with a viewer, in whose cached token the roles are unreadable."""
    office = await open_office(viewer="Vera")
    await office.browser.get(f"{office.root}/projects")
    async with runtime.jobs.writing() as db:
        await db.execute(
            sa.update(SessionToken)
            .where(SessionToken.organization_id == office.id)
            .values(role_names=request.param)
            .execution_options(synchronize_session=False)
        )
    return office


async def test_reconciling_reports_unreadable_roles_until_they_are_fetched_again(
    spoiled: Office, reconciler: Reconciler
) -> None:
    repairs = await repairs_of(reconciler, spoiled.id)
    assert [what for what in repairs if what.startswith("refreshed at the next request")]

    await spoiled.browser.get(f"{spoiled.root}/projects")

    assert await repairs_of(reconciler, spoiled.id) == []


async def test_a_request_with_unreadable_roles_asks_logto_again(spoiled: Office) -> None:
    await spoiled.browser.get(f"{spoiled.root}/projects")
    await spoiled.browser.get(f"{spoiled.root}/projects/new", 403)
