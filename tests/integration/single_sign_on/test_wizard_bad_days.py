"""Logto fails in the middle of a step, or has lost the connector. Each step can be repeated."""

from __future__ import annotations

import asyncio

import pytest
from quart import Quart

from saas_app.single_sign_on.values import Stage
from tests.integration.faulty_logto import DOWN, EVERY_CHANGE, LOST, Fault, Gate
from tests.integration.records import pending_in
from tests.integration.single_sign_on.company import new_domain
from tests.integration.single_sign_on.wizard import Wizard

UNREAD = Fault("GET", "/sso-connectors", **DOWN)
LOST_DOMAINS = Fault("PATCH", "/sso-connectors", **LOST)
NO_DOMAINS = Fault("PATCH", "/sso-connectors", **DOWN)
BLIND = Fault("PATCH", "/sso-connectors", 400, {"code": "connector.invalid_config", "message": "Invalid."})
"""Logto could not read what Workroom publishes."""


@pytest.fixture
def there(wizard: Wizard, faulty_app: Quart) -> Wizard:
    """The page at a worker that reaches Logto through a gate."""
    return Wizard(wizard.company, wizard.browser.at(faulty_app))


@pytest.mark.parametrize(
    ("step", "stage"),
    [
        ("begin", None),
        ("provider", Stage.CREATED),
        ("on", Stage.TESTED),
        ("off", Stage.ON),
        ("domains", Stage.ON),
        ("people", Stage.ON),
        ("apply", Stage.ON),
        ("remove", Stage.ON),
    ],
)
async def test_a_step_is_repeated_after_logto_was_down(
    there: Wizard, gate: Gate, step: str, stage: Stage | None
) -> None:
    company = there.company
    if stage is not None:
        await company.connect(stage)
    second = await company.hold(new_domain())
    forms = {"provider": there.provider(), "people": {"joins": "yes"}, "domains": {"domains": second}}
    form = forms.get(step)
    gate.fail(EVERY_CHANGE)
    page = await there.send(step, form, 503)
    gate.fail()

    await there.send(step, form)

    assert "Try again in a moment: every step can be repeated." in page
    assert "Logto does not have the settings" not in await there.text()


@pytest.mark.parametrize("step", ["begin", "provider", "on", "off", "remove"])
async def test_a_step_whose_answer_was_lost_is_repeated(there: Wizard, gate: Gate, step: str) -> None:
    stages = {"provider": Stage.CREATED, "on": Stage.TESTED, "off": Stage.ON, "remove": Stage.ON}
    if step in stages:
        await there.company.connect(stages[step])
    gate.fail(Fault("POST|PATCH|DELETE", "^/api/sso-connectors", **LOST))
    await there.send(step, there.provider() if step == "provider" else None, 503)
    gate.fail()

    await there.send(step, there.provider() if step == "provider" else None)

    connection = await there.find()
    reached = {"begin": Stage.CREATED, "provider": Stage.CONFIGURED, "on": Stage.ON, "off": Stage.TESTED}
    assert (None if connection is None else connection.stage) == reached.get(step)


async def test_without_logto_the_page_shows_what_is_stored(there: Wizard, gate: Gate) -> None:
    await there.company.connect(Stage.ON)
    gate.fail(UNREAD)

    page = await there.text()

    assert "Logto did not respond in time" in page
    assert "Turn off…" in page


async def test_the_page_says_that_logto_lacks_its_settings(on: Wizard) -> None:
    connector = await on.connector()
    await on.company.management.set_sso_domains(connector.id, ["other.example"])

    assert "Logto does not have the settings of this page yet." in await on.text()


async def test_applying_again_repairs_logto(on: Wizard) -> None:
    connector = await on.connector()
    await on.company.management.set_sso_domains(connector.id, ["other.example"])
    await on.company.management.add_joining_connector(on.company.id, connector.id)

    await on.send("apply")

    assert (await on.connector()).domains == (on.company.domain,)
    assert not await on.joins()


async def test_if_logto_did_not_answer_the_row_says_that_it_is_on(there: Wizard, gate: Gate) -> None:
    """People whom Logto already sends to the provider must be let in when they come back."""
    await there.company.connect(Stage.TESTED)
    gate.fail(LOST_DOMAINS)

    await there.send("on", expect=503)

    assert (await there.company.connection()).is_on
    assert (await there.connector()).domains == (there.company.domain,)


async def test_if_logto_was_not_told_that_it_is_off_the_row_says_that_it_is_on(
    there: Wizard, gate: Gate
) -> None:
    await there.company.connect(Stage.ON)
    gate.fail(NO_DOMAINS)

    await there.send("off", expect=503)

    assert (await there.company.connection()).is_on


async def test_if_logto_refuses_the_domains_it_stays_off_and_nobody_joins(there: Wizard, gate: Gate) -> None:
    await there.company.connect(Stage.TESTED)
    await there.company.change(joins=True)
    refusal = {"code": "single_sign_on.forbidden_domains", "message": "Public email domains."}
    gate.fail(Fault("PATCH", "/sso-connectors", status=422, body=refusal))

    page = await there.send("on", expect=422)

    assert "Logto does not accept one of these domains" in page
    assert not (await there.company.connection()).is_on
    assert not await there.joins()
    assert await pending_in(there.company.runtime, there.company.id) == []


@pytest.mark.parametrize(
    ("step", "stage"),
    [("begin", None), ("provider", Stage.TESTED), ("on", Stage.TESTED), ("apply", Stage.TESTED)],
)
async def test_if_logto_cannot_reach_workroom_the_page_says_who_can_help(
    there: Wizard, gate: Gate, step: str, stage: Stage | None
) -> None:
    if stage is not None:
        await there.company.connect(stage)
    gate.fail(BLIND)

    page = await there.send(step, there.provider(client_id="another") if step == "provider" else None, 409)

    assert "Logto could not reach Workroom" in page
    assert "Ask the operator" in page
    assert (await there.company.connection()).stage is (stage or Stage.CREATED)
    assert await pending_in(there.company.runtime, there.company.id) == []


@pytest.mark.parametrize("step", ["apply", "begin"])
@pytest.mark.parametrize("fault", [BLIND, LOST_DOMAINS, NO_DOMAINS])
async def test_a_beginning_that_did_not_reach_its_end_is_completed(
    there: Wizard, gate: Gate, fault: Fault, step: str
) -> None:
    gate.fail(fault)
    await there.post("begin", expect=None)
    gate.fail()

    await there.send(step)

    assert there.company.runtime.registration.is_ours(await there.connector())
    assert "Logto does not have the settings" not in await there.text()
    assert (await there.actions())[0] == "sso.create"


async def test_after_a_beginning_without_its_end_the_page_offers_to_complete_it(
    there: Wizard, gate: Gate
) -> None:
    gate.fail(BLIND)

    page = await there.send("begin", expect=409)

    assert "Logto does not have the settings of this page yet." in page
    assert f'action="{there.path}/apply"' in page


async def test_if_logto_did_not_answer_about_the_provider_it_has_to_be_tested_again(
    there: Wizard, gate: Gate
) -> None:
    await there.company.connect(Stage.TESTED)
    gate.fail(LOST_DOMAINS)
    await there.send("provider", there.provider(scopes="groups"), 503)
    gate.fail()

    assert "Test the connection first." in await there.send("on", expect=422)


@pytest.mark.parametrize("fault", [LOST_DOMAINS, NO_DOMAINS])
async def test_if_logto_did_not_answer_the_provider_and_its_secret_stay_as_they_were(
    there: Wizard, gate: Gate, fault: Fault
) -> None:
    await there.company.connect(Stage.CONFIGURED)
    before, secret = await there.company.connection(), await there.secret()
    gate.fail(fault)

    await there.send("provider", there.provider(client_id="another", client_secret="another"), 503)

    assert (await there.company.connection(), await there.secret()) == (before, secret)


async def test_a_connector_that_points_elsewhere_is_noticed_and_repaired(on: Wizard) -> None:
    await on.company.point_elsewhere()
    page = await on.text()

    await on.send("apply")

    assert "Logto does not have the settings of this page yet." in page
    assert on.company.runtime.registration.is_ours(await on.connector())
    assert "Logto does not have the settings of this page yet." not in await on.text()


# The connector was deleted in Logto's Console


@pytest.fixture
async def gone(on: Wizard) -> Wizard:
    """The connector was deleted in Logto."""
    await on.company.management.delete_sso_connector((await on.connector()).id)
    return on


async def test_the_page_says_that_the_connector_is_gone(gone: Wizard) -> None:
    page = await gone.text()

    assert "The connection was deleted in Logto." in page
    assert "Begin again" in page


@pytest.mark.parametrize("step", ["provider", "on", "domains", "people", "apply"])
async def test_a_step_says_that_the_connector_is_gone(gone: Wizard, step: str) -> None:
    second = await gone.company.hold(new_domain())
    forms = {"provider": gone.provider(), "people": {"joins": "yes"}, "domains": {"domains": second}}
    before = await gone.company.connection()

    page = await gone.send(step, forms.get(step), 409)

    assert "The connection no longer exists in Logto" in page
    assert (await gone.company.connection()).domains == before.domains


async def test_it_can_still_be_turned_off(gone: Wizard) -> None:
    await gone.send("off")

    assert not (await gone.company.connection()).is_on


async def test_it_can_still_be_removed(gone: Wizard) -> None:
    await gone.send("remove")

    assert await gone.find() is None


async def test_beginning_again_replaces_it_and_repeats_every_step(gone: Wizard) -> None:
    lost = await gone.company.connection()

    await gone.send("begin")

    connection = await gone.company.connection()
    assert connection.connector_id != lost.connector_id
    assert (connection.stage, connection.domains) == (Stage.CREATED, ())
    await gone.connector()


# Two admins at once


async def test_two_admins_who_turn_it_on_and_off_leave_one_state(tested: Wizard) -> None:
    await asyncio.gather(tested.post("on"), tested.post("off"))

    connection, connector = await tested.company.connection(), await tested.connector()
    expected = connection.domains if connection.is_on else ()
    assert connector.domains == expected


async def test_a_step_after_another_admin_removed_it_says_so(on: Wizard) -> None:
    await on.send("remove")

    page = await on.send("people", {"joins": "yes"}, 409)

    assert "Single sign-on is not set up" in page


async def test_removing_it_twice_records_it_once(on: Wizard) -> None:
    await asyncio.gather(on.post("remove"), on.post("remove"))

    assert await on.actions() == ["sso.remove"]
