"""Roles in a cached token that cannot be read: Logto is asked again, by a request and by reconcile."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from saas_app.models import SessionToken
from saas_app.operations.reconciliation.service import Reconciler
from saas_app.runtime import Runtime
from tests.clients import Browser
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.operations.reconciliation.conftest import repairs_of


@pytest.fixture(params=["", "[", "7", '[["viewer"]]', "[" * 100_000], ids=lambda kept: kept[:12] or "empty")
async def spoiled(
    request: pytest.FixtureRequest, make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> tuple[Browser, str]:
    """The browser of an organization's viewer, whose roles in the cached token nobody can read."""
    person = await make.person()
    organization_id = await make.organization("Acme", viewer=person)
    browser = await open_browser(person)
    await browser.get(f"/o/{organization_id}/projects")
    async with runtime.work.writing() as db:
        await db.execute(
            sa.update(SessionToken)
            .where(SessionToken.organization_id == organization_id)
            .values(role_names=request.param)
            .execution_options(synchronize_session=False)
        )
    return browser, organization_id


async def test_roles_that_cannot_be_read_are_told_and_read_again(
    spoiled: tuple[Browser, str], reconciler: Reconciler
) -> None:
    browser, organization_id = spoiled
    repairs = await repairs_of(reconciler, organization_id)
    assert [what for what in repairs if what.startswith("refreshed at the next request")]
    await browser.get(f"/o/{organization_id}/projects")
    assert await repairs_of(reconciler, organization_id) == []


async def test_roles_that_cannot_be_read_are_read_from_logto_again(spoiled: tuple[Browser, str]) -> None:
    browser, organization_id = spoiled
    await browser.get(f"/o/{organization_id}/projects")
    await browser.get(f"/o/{organization_id}/projects/new", 403)
