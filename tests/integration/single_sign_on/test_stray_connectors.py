"""``saas-app reconcile`` reports connectors in Logto that Workroom made and no organization has."""

from __future__ import annotations

from datetime import timedelta

import pytest

from saas_app.coordination.jobs import Failure
from saas_app.logto import ManagementClient
from saas_app.operations.reconciliation.service import Repair
from saas_app.single_sign_on.values import CONNECTOR_MARK, Stage
from tests.integration.faulty_logto import DOWN, Fault, Gate
from tests.integration.single_sign_on.company import Company
from tests.integration.single_sign_on.upkeep import reconciler


async def strays(company: Company, management: ManagementClient | None = None) -> list[Repair | Failure]:
    """Return what a run over all organizations would say of connectors without one."""
    checks = reconciler(company, grace=timedelta(days=3), management=management)
    return await checks._list_stray_connectors()


async def test_a_connector_of_no_organization_is_reported_and_stays(company: Company) -> None:
    made = await company.management.create_sso_connector(f"{CONNECTOR_MARK}{company.id}")

    found = [item for item in await strays(company) if isinstance(item, Repair) and made.id in item.what]

    (item,) = found
    assert not item.changed
    assert f"(Workroom {company.id})" in item.what
    assert await company.management.find_sso_connector(made.id) is not None


async def test_connectors_of_organizations_and_of_the_operator_are_not_reported(company: Company) -> None:
    operators = await company.management.create_sso_connector(f"SAML {company.id}")
    await company.connect(Stage.CREATED, name=f"{CONNECTOR_MARK}{company.id}")
    own = (await company.connection()).connector_id
    await company.management._transport.call(
        "PATCH", f"/sso-connectors/{own}", body={"connectorName": f"{CONNECTOR_MARK}{company.id}"}
    )

    told = " ".join(item.what for item in await strays(company) if isinstance(item, Repair))

    assert operators.id not in told
    assert own not in told


async def test_a_run_over_all_organizations_reports_them(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await company.management.create_sso_connector(f"{CONNECTOR_MARK}{company.id}")
    checks = reconciler(company, grace=timedelta(days=3))

    async def only_this(_known: dict[str, str]) -> list[str]:
        return [company.id]

    monkeypatch.setattr(checks, "_list_ids_to_check", only_this)

    found = [item async for item in checks.run()]

    assert any(isinstance(item, Repair) and made.id in item.what for item in found)


async def test_connectors_that_cannot_be_listed_are_a_failure(
    company: Company, gate: Gate, faulty_management: ManagementClient
) -> None:
    gate.fail(Fault("GET", "/sso-connectors", **DOWN))

    (found,) = await strays(company, faulty_management)

    assert isinstance(found, Failure)
