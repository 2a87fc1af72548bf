"""``saas-app reconcile`` compares each connection with its connector in Logto. What is stored decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from local_logto.fakes.openid import fake_openid

from saas_app.changes.organization_change import Systems
from saas_app.coordination.jobs import Failure
from saas_app.identity.standing import Workroom
from saas_app.logto import ManagementClient
from saas_app.operations.reconciliation.service import Repair
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from saas_app.single_sign_on.rechecks import SsoChecks
from saas_app.single_sign_on.values import Stage
from tests.factories import Factory
from tests.integration.faulty_logto import DOWN, Fault, Gate
from tests.integration.single_sign_on.company import Company
from tests.integration.single_sign_on.upkeep import (
    REFUSED,
    actions,
    at_logto,
    connect_all,
    publish,
    reconcile,
    reconciler,
    run,
)
from tests.nameserver import FakeNameserver
from tests.processes import free_port


@pytest.fixture
async def tested(company: Company, nameserver: FakeNameserver) -> Company:
    """A company whose connection is tested and not on."""
    await connect_all(company, Stage.TESTED)
    await publish(company, nameserver)
    return company


async def points_at_us(company: Company) -> bool:
    return company.runtime.registration.is_ours(await company.connector())


async def test_a_connection_that_logto_has_as_it_is_here_stays(required: Company) -> None:
    before = await required.connection()

    assert await reconcile(required) == []

    assert await required.connection() == before
    assert await at_logto(required) == ([required.domain], False)


async def test_a_connection_without_a_provider_stays(company: Company) -> None:
    await company.connect(Stage.CREATED, domains=[])

    assert await reconcile(company) == []
    assert await at_logto(company) == ([], False)


async def test_an_organization_without_single_sign_on_is_not_asked_about(
    company: Company, gate: Gate, faulty_management: ManagementClient
) -> None:
    await reconcile(company, management=faulty_management)

    assert not [call for call in gate.calls if "sso" in call]


async def test_while_it_is_not_offered_nothing_is_asked_of_logto(
    required: Company, gate: Gate, faulty_management: ManagementClient
) -> None:
    await required.management.set_sso_domains((await required.connection()).connector_id, ["other.example"])

    await reconcile(required, management=faulty_management, offered=False)

    assert not [call for call in gate.calls if "sso" in call]
    assert (await at_logto(required))[0] == ["other.example"]


async def test_a_connection_whose_connector_was_deleted_is_off(required: Company) -> None:
    connector_id = (await required.connection()).connector_id
    await required.management.delete_sso_connector(connector_id)

    (what,) = await reconcile(required)

    assert f"the connector {connector_id} of its single sign-on was deleted in Logto" in what
    connection = await required.connection()
    assert (connection.stage, connection.tested_by) == (Stage.CONFIGURED, None)
    turned_off, optional = await required.events()
    assert (turned_off.action, optional.action) == ("sso.turn-off", "sso.stop-requiring")
    assert (turned_off.actor_id, turned_off.target_id) == ("system", connector_id)
    assert turned_off.after == {"reason": "its connector was deleted in Logto"}


async def test_a_tested_connection_whose_connector_was_deleted_is_no_longer_tested(tested: Company) -> None:
    await tested.management.delete_sso_connector((await tested.connection()).connector_id)

    await reconcile(tested)

    assert (await tested.connection()).stage is Stage.CONFIGURED
    assert await actions(tested) == ["sso.change"]


async def test_a_deleted_connector_is_reported_again_and_counts_as_one_repair(required: Company) -> None:
    await required.management.delete_sso_connector((await required.connection()).connector_id)
    await reconcile(required)

    again = [
        item
        for item in await run(reconciler(required, grace=timedelta(days=3)), required)
        if isinstance(item, Repair) and "was deleted in Logto" in item.what
    ]

    assert [item.changed for item in again] == [False]
    assert len(await required.events()) == 2


@pytest.mark.parametrize("domains", [["other.example"], [], ["other.example", "{domain}"]])
async def test_other_domains_in_logto_are_replaced(required: Company, domains: list[str]) -> None:
    wrong = [domain.format(domain=required.domain) for domain in domains]
    await required.management.set_sso_domains((await required.connection()).connector_id, wrong)

    (what,) = await reconcile(required)

    assert what.startswith("the connector of its single sign-on had these domains in Logto: ")
    assert await at_logto(required) == ([required.domain], False)
    assert await reconcile(required) == []


async def test_a_connection_that_is_not_on_sends_nobody_to_the_provider(tested: Company) -> None:
    connection = await tested.connection()
    await tested.management.set_sso_domains(connection.connector_id, [tested.domain])
    await tested.management.add_joining_connector(tested.id, connection.connector_id)

    assert len(await reconcile(tested)) == 2

    assert await at_logto(tested) == ([], False)


async def test_logto_makes_nobody_a_member_by_itself(required: Company) -> None:
    connector_id = (await required.connection()).connector_id
    await required.management.add_joining_connector(required.id, connector_id)

    assert len(await reconcile(required)) == 1

    assert await at_logto(required) == ([required.domain], False)


async def test_a_chosen_domain_that_the_organization_does_not_hold_leaves(required: Company) -> None:
    await required.change(domains=[required.domain, "other.example"])

    assert await reconcile(required) == [
        "single sign-on no longer counts for other.example, which it does not hold"
    ]

    assert (await required.connection()).domains == (required.domain,)
    assert await actions(required) == ["sso.change"]


async def test_a_connection_without_a_domain_that_the_organization_holds_is_off(required: Company) -> None:
    await required.change(domains=["other.example"])

    what, _domains = await reconcile(required)

    assert what == "single sign-on was turned off: it does not hold other.example"
    connection = await required.connection()
    assert connection.stage is Stage.TESTED
    assert await at_logto(required) == ([], False)


@pytest.mark.parametrize("stage", [Stage.CREATED, Stage.TESTED, Stage.REQUIRED])
async def test_a_connector_that_asks_another_provider_asks_workroom_again(
    company: Company, nameserver: FakeNameserver, stage: Stage
) -> None:
    """Somebody entered it in Logto's Console, or Workroom had another address. What is stored here stays."""
    await connect_all(company, stage)
    await publish(company, nameserver)
    before, wanted = await company.connection(), await at_logto(company)
    await company.point_elsewhere()

    news = await reconcile(company)

    address = company.provider.issuer
    assert news[0] == f"the connector of its single sign-on asked another provider in Logto: {address}"
    assert await points_at_us(company)
    assert (await company.connection(), await at_logto(company)) == (before, wanted)
    assert await reconcile(company) == []


async def test_a_connector_whose_provider_is_gone_asks_workroom_again(required: Company) -> None:
    async with fake_openid() as gone:
        await required.point_elsewhere(gone)

    assert len(await reconcile(required)) == 1

    assert await points_at_us(required)


@pytest.mark.parametrize("change", [{"client_id": "other"}, {"client_secret": "other"}])
async def test_a_connector_with_another_client_or_secret_gets_ours(
    required: Company, change: dict[str, str]
) -> None:
    connector = await required.connector()
    config = {"issuer": connector.issuer, "client_id": connector.client_id, "scope": connector.scope}
    await required.management.configure_sso_connector(
        connector.id,
        **{**config, "client_secret": connector.client_secret, **change},
        display_name="Corp",
        domains=connector.domains,
    )

    assert len(await reconcile(required)) == 1

    assert await points_at_us(required)


@pytest.fixture
def unreachable(required: Company) -> SsoChecks:
    """The checks of a Workroom whose ``APP_URL`` Logto cannot reach."""
    runtime = required.runtime
    registration = replace(runtime.registration, app_url=f"http://localhost:{free_port()}")
    return SsoChecks(Systems(runtime.jobs, required.management, None), registration, self_service=True)


async def test_an_address_that_logto_cannot_reach_is_named_and_nothing_changes(
    required: Company, unreachable: SsoChecks
) -> None:
    before = await required.connector()
    checks = reconciler(required, grace=timedelta(days=3), checks=unreachable)

    (failure,) = (item for item in await run(checks, required) if isinstance(item, Failure))

    assert failure.item == f"{required.id}: its single sign-on"
    assert "Set APP_URL to an address that Logto can reach" in failure.why
    assert await required.connector() == before


@pytest.mark.parametrize("loss", ["role", "membership", "suspension", "way in"])
async def test_a_recovery_admin_who_lost_access_is_reported(
    required: Company, make: Factory, loss: str
) -> None:
    admin = required.admin
    await make.member(required.id, "Bea", Role.ADMIN)  # she could help, but is not let in
    if loss == "role":
        await make.give_roles(required.id, admin, Role.EDITOR)
    elif loss == "membership":
        await required.management.remove_member(required.id, admin.id)
    elif loss == "suspension":
        call = required.management._transport.call
        await call("PATCH", f"/users/{admin.id}/is-suspended", body={"isSuspended": True})
    else:
        call = required.management._transport.call
        await call("PATCH", f"/users/{admin.id}", body={"username": None})

    (what,) = await reconcile(required)

    assert f"its recovery admin {admin.id} could not turn single sign-on off" in what
    assert (await required.connection()).stage is Stage.REQUIRED


async def test_a_recovery_admin_does_not_matter_while_it_is_not_required(
    tested: Company, make: Factory
) -> None:
    await tested.change(recovery_id="gone")

    assert await reconcile(tested) == []


@pytest.mark.parametrize("fault", [DOWN, REFUSED])
@pytest.mark.parametrize(("method", "path"), [
    ("GET", "/sso-connectors/"), ("PATCH", "/sso-connectors/"), ("GET|POST|DELETE", "/jit/sso-connectors"),
])  # fmt: skip
async def test_if_logto_fails_one_organizations_check_the_others_are_reconciled(
    required: Company, gate: Gate, faulty_management: ManagementClient, fault: Any, method: str, path: str
) -> None:
    connection = await required.connection()
    await required.management.set_sso_domains(connection.connector_id, ["other.example"])
    gate.fail(Fault(method, path, **fault))
    checks = reconciler(required, grace=timedelta(days=3), management=faulty_management)

    found = await run(checks, required)

    failures = [item for item in found if isinstance(item, Failure)]
    assert [item.item for item in failures] == [f"{required.id}: its single sign-on"]
    assert await required.connection() == connection
    assert len(await reconcile(required)) == 1
    assert await at_logto(required) == ([required.domain], False)


async def test_an_organization_that_is_being_changed_is_checked_next_time(
    required: Company, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await required.management.set_sso_domains((await required.connection()).connector_id, ["other.example"])
    systems = Systems(runtime.jobs, required.management, None)

    async with systems.by(Workroom(required.id)).alone():
        monkeypatch.setattr("saas_app.changes.organization_change._LEASE_SECONDS", 0.2)
        news = await reconcile(required)

    assert news == ["its single sign-on was not checked, because it is being changed"]
    assert (await at_logto(required))[0] == ["other.example"]


async def test_an_organization_without_single_sign_on_is_not_waited_for(
    company: Company, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    systems = Systems(runtime.jobs, company.management, None)

    async with systems.by(Workroom(company.id)).alone():
        monkeypatch.setattr("saas_app.changes.organization_change._LEASE_SECONDS", 0.2)
        assert await reconcile(company) == []
