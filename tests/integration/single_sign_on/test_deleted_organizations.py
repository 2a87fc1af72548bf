"""The connector of a deleted organization is deleted in Logto before its row here."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from quart import Quart

from saas_app.config import Settings
from saas_app.logto import ManagementClient
from saas_app.models import OrganizationRemoval, SsoPerson
from saas_app.organizations.removal import RemovalWorker, remove_pending
from saas_app.runtime import Runtime
from saas_app.single_sign_on.queries import find_connection, find_secret
from saas_app.single_sign_on.values import Connection, Stage
from tests.clients import FRESH
from tests.conftest import OpenBrowser, runtime_of
from tests.integration.faulty_logto import DOWN, LOST, Fault, Gate
from tests.integration.killed import run_until_killed
from tests.integration.single_sign_on.company import Company, SignInThroughCompany
from tests.integration.single_sign_on.upkeep import connect_all, reconcile, through
from tests.removals import order_removal

pytestmark = pytest.mark.usefixtures("no_pending_removals")


@pytest.fixture
async def deleted(company: Company) -> Company:
    """A company that required its single sign-on, and was deleted in Logto. The removal is requested."""
    await connect_all(company, Stage.REQUIRED)
    await company.management.delete_organization(company.id)
    await order_removal(company.runtime.jobs, company.id, company.name, "logto")
    return company


async def stored(company: Company) -> Connection | None:
    async with company.runtime.work.reading(company.id) as db:
        return await find_connection(db, company.id)


async def is_at_logto(company: Company, connector_id: str) -> bool:
    return await company.management.find_sso_connector(connector_id) is not None


async def is_finished(company: Company) -> bool:
    async with company.runtime.jobs.writing() as db:
        removal = await db.get_one(OrganizationRemoval, company.id)
    return removal.finished_at is not None


async def test_the_connector_and_the_row_go(deleted: Company, runtime: Runtime) -> None:
    connector_id = (await deleted.connection()).connector_id

    await remove_pending(runtime.jobs, runtime.management)

    assert not await is_at_logto(deleted, connector_id)
    assert await stored(deleted) is None
    assert await is_finished(deleted)


async def test_the_secret_and_the_people_go(
    company: Company, runtime: Runtime, sign_in_through_company: SignInThroughCompany
) -> None:
    await company.connect()
    await sign_in_through_company(company)
    await company.management.delete_organization(company.id)
    await order_removal(runtime.jobs, company.id, company.name, "logto")

    await remove_pending(runtime.jobs, runtime.management)

    async with runtime.jobs.reading(company.id) as db:
        assert await find_secret(db) is None
        assert list(await db.scalars(sa.select(SsoPerson.subject))) == []


async def test_the_page_deletes_the_connector_too(
    company: Company, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    await connect_all(company, Stage.ON)
    connector_id = (await company.connection()).connector_id
    browser = await open_browser()
    await browser.sign_in(company.admin, FRESH)

    await browser.post(f"{company.root}/settings/delete", {"name": company.name})

    await remove_pending(runtime.jobs, runtime.management)
    assert not await is_at_logto(company, connector_id)


@pytest.mark.parametrize("fault", [DOWN, LOST])
async def test_while_logto_fails_the_row_stays_and_the_next_run_continues(
    deleted: Company, gate: Gate, settings: Settings, runtime: Runtime, fault: dict[str, object]
) -> None:
    connector_id = (await deleted.connection()).connector_id
    gate.fail(Fault("DELETE", "/sso-connectors/", **fault))  # type: ignore[arg-type]
    result = await remove_pending(runtime.jobs, through(gate, settings, runtime))
    assert [failure.item for failure in result.failed] == [f"{deleted.id}: the removal of its data"]
    assert await stored(deleted) is not None

    await remove_pending(runtime.jobs, runtime.management)

    assert not await is_at_logto(deleted, connector_id)
    assert await is_finished(deleted)


async def test_the_worker_of_the_application_deletes_the_connector(
    deleted: Company, gate: Gate, faulty_app: Quart
) -> None:
    """The worker reaches Logto as the application does, here through the gate."""
    worker = runtime_of(faulty_app).removals
    assert isinstance(worker, RemovalWorker)

    await worker._succeeds()

    assert any(call.startswith("DELETE /api/sso-connectors/") for call in gate.calls)
    assert await is_finished(deleted)


async def test_without_the_management_api_the_data_goes_and_the_connector_stays(
    deleted: Company, runtime: Runtime
) -> None:
    connector_id = (await deleted.connection()).connector_id

    await remove_pending(runtime.jobs, None)

    assert await is_at_logto(deleted, connector_id)
    assert await is_finished(deleted)


_REMOVE_AND_DIE = """
import asyncio, os, signal, sys
from saas_app.config import load_management_settings
from saas_app.db.engine import create_engine
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.logto import connect
from saas_app.organizations.removal import remove_pending

async def main(database_url):
    async with connect(load_management_settings()) as client:
        delete = client.delete_sso_connector
        async def delete_and_die(connector_id):
            await delete(connector_id)
            os.kill(os.getpid(), signal.SIGKILL)
        client.delete_sso_connector = delete_and_die
        await remove_pending(UnitOfWork(create_engine(database_url)), client)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_after_a_crash_behind_the_connector_the_next_run_continues(
    deleted: Company, settings: Settings, runtime: Runtime
) -> None:
    connector_id = (await deleted.connection()).connector_id
    await run_until_killed(settings, _REMOVE_AND_DIE)
    assert not await is_at_logto(deleted, connector_id)
    assert await stored(deleted) is not None

    await remove_pending(runtime.jobs, runtime.management)

    assert await stored(deleted) is None
    assert await is_finished(deleted)


async def test_reconciling_deletes_the_connector_of_an_organization_that_was_deleted_in_logto(
    company: Company, management: ManagementClient
) -> None:
    await connect_all(company, Stage.ON)
    connector_id = (await company.connection()).connector_id
    await management.delete_organization(company.id)

    await reconcile(company)

    assert not await is_at_logto(company, connector_id)
    assert await stored(company) is None
