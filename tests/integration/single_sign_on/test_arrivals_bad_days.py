"""Sign-ins while Logto does not respond: nobody is let through unchecked, and a callback can be repeated."""

from __future__ import annotations

import pytest
from quart import Quart

from tests.clients import Browser, Person
from tests.conftest import OpenApp, OpenBrowser
from tests.factories import Factory, address_of
from tests.integration.faulty_logto import DOWN, LOST, Fault, Gate
from tests.integration.single_sign_on.company import Company

SESSIONS = Fault("GET", "/users/[^/]+/sessions$", **DOWN)
ACCOUNT = Fault("GET", "/users/[^/]+$", **DOWN)
END = Fault("DELETE", "/users/[^/]+/sessions/", **DOWN)


@pytest.fixture
async def carol(connection_on: Company, make: Factory) -> Person:
    """A person with an account, whose address is at the company's domain."""
    return await make.person("Carol", domain=connection_on.domain)


@pytest.fixture
async def victim(connection_on: Company, make: Factory) -> Person:
    """A person elsewhere. The company's connector asks a provider itself, which asserts their address."""
    person = await make.person("Victor")
    await connection_on.point_elsewhere()
    connection_on.asserts(address_of(person))
    return person


@pytest.fixture
async def browser(connection_on: Company, open_browser: OpenBrowser, faulty_app: Quart) -> Browser:
    """A new browser, at a worker whose Logto can fail."""
    return await open_browser(at=faulty_app)


@pytest.mark.parametrize("fault", [SESSIONS, ACCOUNT], ids=["sessions", "account"])
async def test_a_callback_during_an_outage_signs_nobody_in_until_it_is_opened_again(
    connection_on: Company, carol: Person, browser: Browser, gate: Gate, fault: Fault
) -> None:
    connection_on.asserts(connection_on.address(carol.username))
    callback = await connection_on.callback(browser)
    gate.fail(fault)
    await browser.get(callback, 503)
    assert await connection_on.sessions_here(carol.id) == []

    gate.fail()
    await browser.get(callback, 303)

    connector_id = (await connection_on.connection()).connector_id
    assert await connection_on.sessions_here(carol.id) == [connector_id]
    await browser.get("/account")


async def test_a_password_sign_in_is_not_let_through_unchecked_either(
    connection_on: Company, carol: Person, browser: Browser, gate: Gate
) -> None:
    callback = await browser.callback(carol)
    gate.fail(SESSIONS)
    await browser.get(callback, 503)

    gate.fail()
    await browser.get(callback, 303)

    assert await connection_on.sessions_here(carol.id) == [None]


async def test_an_attack_during_an_outage_is_refused_when_it_is_repeated(
    connection_on: Company, victim: Person, browser: Browser, gate: Gate
) -> None:
    callback = await connection_on.callback(browser)
    gate.fail(ACCOUNT)
    await browser.get(callback, 503)

    gate.fail()
    await browser.get(callback, 400)

    assert await connection_on.sessions_here(victim.id) == []


@pytest.mark.parametrize("fault", [DOWN, LOST], ids=["down", "answer lost"])
async def test_a_refusal_stands_even_if_the_session_at_logto_cannot_be_ended(
    connection_on: Company, victim: Person, browser: Browser, gate: Gate, fault: dict[str, object]
) -> None:
    callback = await connection_on.callback(browser)
    gate.fail(Fault("DELETE", "/users/[^/]+/sessions/", **fault))  # type: ignore[arg-type]

    await browser.get(callback, 400)

    await browser.get("/account", 303)
    assert len(await connection_on.events("sso.refuse")) == 1


async def test_a_session_that_could_not_be_ended_is_refused_again(
    connection_on: Company, victim: Person, browser: Browser, gate: Gate
) -> None:
    gate.fail(END)
    await connection_on.late_refusal(browser)
    gate.fail()

    started = await browser.get("/sign-in", 303)
    asked = await browser.get(await browser.callback_of(started.headers["Location"], None), 303)

    assert asked.headers["Location"] == "/sign-in?prompt=login&next=%2F"
    assert await connection_on.management.list_user_sessions(victim.id) == []


async def test_an_unknown_connector_during_an_outage_lets_nobody_in(
    connection_on: Company, carol: Person, browser: Browser, gate: Gate
) -> None:
    connection_on.asserts(connection_on.address(carol.username))
    callback = await connection_on.callback(browser)
    await connection_on.change(connector_id="another")
    gate.fail(Fault("GET", "/sso-connectors/", **DOWN))

    await browser.get(callback, 503)

    assert await connection_on.sessions_here(carol.id) == []


async def test_a_provider_is_not_believed_while_logto_cannot_be_asked_about_the_account(
    connection_on: Company, carol: Person, browser: Browser, gate: Gate
) -> None:
    connection_on.asserts(connection_on.address(carol.username), sub="carol")
    await connection_on.arrive(browser)
    gate.fail(ACCOUNT)

    await connection_on.refusal(browser, 503)

    assert len(await connection_on.management.list_user_sessions(carol.id)) == 1  # that of the first time


async def test_a_sign_in_costs_one_call_and_one_through_a_company_two(
    connection_on: Company, carol: Person, browser: Browser, open_browser: OpenBrowser, gate: Gate
) -> None:
    callback = await browser.callback(carol)
    gate.calls.clear()
    await browser.get(callback, 303)
    by_password = calls_of(gate)
    connection_on.asserts(connection_on.address(carol.username))
    callback = await connection_on.callback(browser, "/sign-in?prompt=login")
    gate.calls.clear()

    await browser.get(callback, 303)

    sessions, account = f"GET /api/users/{carol.id}/sessions", f"GET /api/users/{carol.id}"
    assert by_password == [sessions]
    assert calls_of(gate)[:2] == [sessions, account]


async def test_a_page_of_a_session_through_a_company_asks_logto_nothing(
    connection_on: Company, carol: Person, browser: Browser, gate: Gate
) -> None:
    connection_on.asserts(connection_on.address(carol.username))
    await connection_on.arrive(browser)
    await browser.get("/account/sessions", None)
    gate.calls.clear()

    await browser.get("/help", None)

    assert calls_of(gate) == []


async def test_where_single_sign_on_is_not_offered_a_sign_in_asks_logto_nothing(
    gate: Gate, open_app: OpenApp, open_browser: OpenBrowser, make: Factory, settings: object
) -> None:
    person = await make.person()
    management = settings.management.model_copy(update={"endpoint": gate.url})  # type: ignore[attr-defined]
    browser = await open_browser(at=await open_app(single_sign_on=False, management=management))
    callback = await browser.callback(person)
    gate.calls.clear()

    await browser.get(callback, 303)

    assert [call for call in calls_of(gate) if "sessions" in call] == []


def calls_of(gate: Gate) -> list[str]:
    """Return the calls to the Management API, without those for its token."""
    return [call for call in gate.calls if call.split()[1].startswith("/api/")]
