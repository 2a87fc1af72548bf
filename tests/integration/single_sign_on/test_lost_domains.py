"""A domain that an organization no longer holds by DNS leaves its single sign-on in the same turn."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from quart import Quart

from saas_app.config import Settings
from saas_app.runtime import Runtime
from saas_app.single_sign_on.values import Stage
from tests.conftest import OpenOffice
from tests.integration.email_domains.conftest import Place
from tests.integration.faulty_logto import DOWN, LOST, Fault, Gate
from tests.integration.killed import run_until_killed
from tests.integration.single_sign_on.company import Company, new_domain
from tests.integration.single_sign_on.upkeep import (
    REFUSED,
    actions,
    at_logto,
    connect_all,
    publish,
    reconcile,
)
from tests.nameserver import FakeNameserver


@pytest.fixture
async def with_two(company: Company, nameserver: FakeNameserver) -> Company:
    """A company with a second domain that requires its single sign-on. Only the second has a TXT record."""
    other = new_domain()
    await connect_all(company, Stage.REQUIRED, other)
    await publish(company, nameserver, other)
    return company


async def remove(company: Company, at: Quart | None = None, expect: int = 303) -> None:
    browser = company.browser if at is None else company.browser.at(at)
    await browser.post(f"{company.root}/settings/domains/remove", {"domain": company.domain}, expect)


async def assert_off(company: Company) -> None:
    """Assert that the connection is off, here and in Logto, and as tested as before."""
    connection = await company.connection()
    assert (connection.stage, connection.domains, connection.joins) == (Stage.TESTED, (), True)
    assert connection.recovery_id is None
    assert await at_logto(company) == ([], False)


async def test_removing_the_last_domain_turns_single_sign_on_off(required: Company) -> None:
    await remove(required)

    await assert_off(required)
    turned_off, optional = await required.events()
    assert (turned_off.action, optional.action) == ("sso.turn-off", "sso.stop-requiring")
    assert turned_off.actor_id == required.admin.id
    assert turned_off.before == {"domains": [required.domain]}
    assert turned_off.after == {"domains": [], "reason": "the email domain was removed"}


async def test_while_another_domain_is_left_single_sign_on_stays_required(with_two: Company) -> None:
    _, left = (await with_two.connection()).domains

    await remove(with_two)

    connection = await with_two.connection()
    assert (connection.stage, connection.domains) == (Stage.REQUIRED, (left,))
    assert await at_logto(with_two) == ([left], False)
    assert await actions(with_two) == ["sso.change"]


async def test_a_domain_that_single_sign_on_does_not_use_changes_nothing(required: Company) -> None:
    other = await required.hold(new_domain())

    await required.browser.post(f"{required.root}/settings/domains/remove", {"domain": other})

    assert (await required.connection()).stage is Stage.REQUIRED
    assert await at_logto(required) == ([required.domain], False)
    assert await actions(required) == []


async def test_a_chosen_domain_leaves_a_connection_that_is_not_on(company: Company) -> None:
    await connect_all(company, Stage.TESTED)

    await remove(company)

    assert (await company.connection()).domains == ()
    assert await actions(company) == ["sso.change"]


async def test_a_domain_without_its_record_leaves_when_it_lapses(with_two: Company) -> None:
    await reconcile(with_two, grace=timedelta(0))

    connection = await with_two.connection()
    assert connection.stage is Stage.REQUIRED
    assert with_two.domain not in connection.domains
    assert await at_logto(with_two) == (list(connection.domains), False)


async def test_the_lapse_of_the_last_domain_is_told_to_the_operator(
    required: Company, nameserver: FakeNameserver
) -> None:
    nameserver.records.clear()

    news = await reconcile(required, grace=timedelta(0))

    name = (await required.connection()).name
    assert f"single sign-on with {name} was turned off: no domain is left" in news
    await assert_off(required)
    assert {event.actor_id for event in await required.events()} == {"system"}


async def test_a_domain_that_is_not_set_in_logto_leaves(required: Company) -> None:
    await required.management.remove_joining_domain(required.id, required.domain)

    (what,) = await reconcile(required)

    assert what.endswith("was turned off: no domain is left")
    await assert_off(required)


async def test_another_organization_takes_the_domain_over(
    required: Company, open_office: OpenOffice, runtime: Runtime, nameserver: FakeNameserver
) -> None:
    office = await open_office(admin="Olga")
    taker = Place(**vars(office), domain=required.domain, runtime=runtime, nameserver=nameserver)
    nameserver.records.clear()
    await taker.claim()
    await taker.publish()

    await taker.verify()

    assert await taker.in_logto() == [taker.domain]
    await assert_off(required)


async def test_a_domain_proved_by_an_address_instead_no_longer_counts(required: Company) -> None:
    form = {"domain": required.domain, "proof": "address"}

    await required.browser.post(f"{required.root}/settings/domains/verify", form)

    await assert_off(required)
    assert await required.management.list_joining_domains(required.id) == [required.domain]


async def test_verifying_by_dns_again_changes_nothing(required: Company) -> None:
    form = {"domain": required.domain, "proof": "dns"}

    await required.browser.post(f"{required.root}/settings/domains/verify", form)

    assert (await required.connection()).stage is Stage.REQUIRED
    assert await actions(required) == []


@pytest.mark.parametrize("fault", [DOWN, LOST, REFUSED])
async def test_if_logto_keeps_the_connectors_domains_the_loss_is_complete_here_and_repaired_later(
    required: Company, gate: Gate, faulty_app: Quart, fault: dict[str, object]
) -> None:
    gate.fail(Fault("PATCH", "/sso-connectors/", **fault))  # type: ignore[arg-type]

    await remove(required, faulty_app)

    assert (await required.connection()).stage is Stage.TESTED
    assert await required.management.list_joining_domains(required.id) == []
    await reconcile(required)
    await assert_off(required)


async def test_if_logto_is_down_the_domain_stays_verified_and_does_not_count_for_single_sign_on(
    required: Company, gate: Gate, faulty_app: Quart
) -> None:
    gate.fail(Fault("DELETE", "/jit/email-domains/", **DOWN))

    await remove(required, faulty_app, 503)

    connection = await required.connection()
    assert (connection.stage, connection.domains) == (Stage.TESTED, ())
    assert await at_logto(required) == ([required.domain], False)
    await reconcile(required)
    await assert_off(required)


async def test_if_logto_refuses_to_remove_the_domain_single_sign_on_stays_as_it_was(
    required: Company, gate: Gate, faulty_app: Quart
) -> None:
    before = await required.connection()
    gate.fail(Fault("DELETE", "/jit/email-domains/", **REFUSED))

    await remove(required, faulty_app, 409)

    assert await required.connection() == before
    assert await at_logto(required) == ([required.domain], False)
    taken, given = ["sso.turn-off", "sso.stop-requiring"], ["sso.turn-on", "sso.require"]
    assert await actions(required) == [*taken, *given]


async def test_a_provider_that_hangs_does_not_delay_the_loss(
    required: Company, gate: Gate, faulty_app: Quart, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Logto waits for the provider when it answers, so its answer is awaited once, and not for long."""
    released = asyncio.Event()

    async def hang(path: str) -> None:
        if path.startswith("/api/sso-connectors/"):
            await released.wait()

    gate.before = hang
    monkeypatch.setattr("saas_app.single_sign_on.changes.lost_domains._SECONDS_FOR_LOGTO", 0.5)

    await remove(required, faulty_app)

    released.set()
    assert len([call for call in gate.calls if call.startswith("PATCH /api/sso-connectors/")]) == 1
    assert (await required.connection()).stage is Stage.TESTED
    assert await required.management.list_joining_domains(required.id) == []


async def test_after_a_crash_before_logto_was_called_the_domain_no_longer_counts_and_logto_is_repaired(
    required: Company, settings: Settings
) -> None:
    await run_until_killed(settings, _LAPSE_AND_DIE, required.id, required.domain, "remove_joining_domain")

    assert (await required.connection()).stage is Stage.TESTED
    assert await at_logto(required) == ([required.domain], False)
    await reconcile(required)
    await assert_off(required)


async def test_after_a_crash_before_the_connector_was_changed_logto_is_repaired(
    required: Company, settings: Settings
) -> None:
    await run_until_killed(settings, _LAPSE_AND_DIE, required.id, required.domain, "set_sso_domains")

    assert (await at_logto(required))[0] == [required.domain]
    await reconcile(required)
    await assert_off(required)


_LAPSE_AND_DIE = """
import asyncio, os, signal, sys
from saas_app.changes.organization_change import Systems
from saas_app.config import load_management_settings
from saas_app.db.engine import create_engine
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.email_domains.changes.domains import lapse
from saas_app.email_domains.queries import find_claim
from saas_app.identity.standing import Workroom
from saas_app.logto import connect

async def main(database_url, organization_id, domain, call):
    async def die(*_arguments):
        os.kill(os.getpid(), signal.SIGKILL)
    work = UnitOfWork(create_engine(database_url))
    async with connect(load_management_settings()) as client:
        setattr(client, call, die)
        async with Systems(work, client, None).by(Workroom(organization_id)).alone() as turn:
            async with work.reading(organization_id) as db:
                claim = await find_claim(db, organization_id, domain)
            await lapse(turn, claim, "a test")

asyncio.run(main(*sys.argv[1:]))
"""
