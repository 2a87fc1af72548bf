"""The second lock: who came through a company is checked again at our callback.

The connector in Logto was pointed elsewhere, or something changed after the broker had told Logto of the
person. What the broker itself refuses is in ``test_broker_attacks``.
"""

from __future__ import annotations

from typing import Any

import pytest
from local_logto.testing import Provider

from saas_app.config import Settings
from saas_app.identity import sign_in
from saas_app.logto import BrowserSession, ManagementClient
from saas_app.runtime import Runtime
from saas_app.single_sign_on.queries import delete_connection
from tests.clients import Browser, Person, text_of
from tests.conftest import OpenBrowser
from tests.factories import Factory, address_of
from tests.integration.single_sign_on.company import Company, SignInThroughCompany, new_domain


@pytest.fixture
async def victim(make: Factory) -> Person:
    """A person who has nothing to do with the company."""
    return await make.person("Victor")


@pytest.fixture
async def astray(connection_on: Company, victim: Person) -> Company:
    """The company, whose connector asks the provider itself. That asserts the victim's address."""
    await connection_on.point_elsewhere()
    connection_on.asserts(address_of(victim))
    return connection_on


async def assert_kept_out(company: Company, browser: Browser, user_id: str, reason: str) -> None:
    """Assert that a person got no session here, lost the one at Logto, and that the organization knows."""
    await browser.get("/account", 303)
    assert await company.sessions_here(user_id) == []
    assert await company.management.list_user_sessions(user_id) == []
    event = (await company.events("sso.refuse"))[-1]
    assert event.actor_id == "system"
    assert event.after is not None
    assert (event.after["reason"], event.after["account"]) == (reason, user_id)


async def refused(browser: Browser, callback: str) -> str:
    """Open a callback, be refused, and return the page."""
    return await text_of(await browser.get(callback, 400))


async def test_a_connector_that_was_pointed_elsewhere_lets_nobody_in(
    astray: Company, victim: Person, browser: Browser
) -> None:
    page = await astray.late_refusal(browser)

    assert "has changed its identity provider" in page
    await assert_kept_out(astray, browser, victim.id, "another provider")


async def test_the_audit_log_names_the_account_by_its_id_and_the_address_by_its_domain(
    astray: Company, victim: Person, browser: Browser
) -> None:
    await astray.late_refusal(browser)

    (event,) = await astray.events("sso.refuse")
    assert event.after == {"reason": "another provider", "domain": "example.test", "account": victim.id}
    assert event.target_name == "Corp"


async def test_the_owner_of_the_account_notices_nothing(
    astray: Company, victim: Person, browser: Browser, open_browser: OpenBrowser
) -> None:
    own = await open_browser(victim)

    await astray.late_refusal(browser)

    await own.get("/account")
    await (await open_browser(victim)).get("/account")


async def test_a_link_made_by_a_false_assertion_stays_harmless(
    astray: Company, victim: Person, browser: Browser
) -> None:
    """Also when the connector points at us again."""
    sub = astray.provider.person.id
    await astray.late_refusal(browser)
    registration = astray.runtime.registration
    await registration.write(astray.management, await astray.connection(), [astray.domain])
    astray.asserts(astray.address("proper"), sub=sub)

    await astray.arrive(browser)

    account = await astray.account(astray.address("proper"))
    assert account is not None
    assert account.id != victim.id
    assert await astray.sessions_here(victim.id) == []


async def test_a_refused_callback_that_is_opened_again_signs_nobody_in(
    astray: Company, browser: Browser
) -> None:
    callback = await astray.callback(browser)
    await browser.get(callback, 400)

    await browser.get(callback, 400)

    await browser.get("/account", 303)


async def test_a_session_of_the_victim_in_the_attackers_browser_stays_as_it_was(
    astray: Company, victim: Person, open_browser: OpenBrowser
) -> None:
    browser = await open_browser(victim)
    before = browser.session_cookie

    await astray.late_refusal(browser)

    assert browser.session_cookie == before
    assert await astray.sessions_here(victim.id) == [None]


async def test_a_session_that_another_application_began_is_refused_here_too(
    astray: Company, victim: Person, browser: Browser, provider: Provider, settings: Settings
) -> None:
    other = provider.application("http://localhost:9/callback")
    connector_id = (await astray.connection()).connector_id
    url = (
        f"{settings.logto_endpoint}/oidc/auth?client_id={other.id}&response_type=code&scope=openid"
        "&redirect_uri=http://localhost:9/callback&code_challenge_method=S256"
        f"&code_challenge={'c' * 43}&direct_sign_in=sso:{connector_id}"
    )
    await browser.logto.authorize(url, None, "http://localhost:9/callback")

    started = await browser.get("/sign-in", 303)
    await browser.get(await browser.callback_of(started.headers["Location"], None), 400)

    await assert_kept_out(astray, browser, victim.id, "another provider")


async def test_a_domain_that_was_lost_meanwhile_lets_nobody_in(
    connection_on: Company, employee: Person, browser: Browser
) -> None:
    callback = await connection_on.callback(browser)
    await connection_on.lose()

    await browser.get(callback, 400)

    await assert_kept_out(connection_on, browser, employee.id, "the address is outside the domains")


async def test_a_connection_that_was_turned_off_meanwhile_lets_nobody_in(
    connection_on: Company, employee: Person, browser: Browser
) -> None:
    callback = await connection_on.callback(browser)
    await connection_on.change(on_at=None)

    page = await refused(browser, callback)

    assert "has not turned on single sign-on" in page
    await assert_kept_out(connection_on, browser, employee.id, "single sign-on is off")


async def test_an_account_whose_address_moved_away_meanwhile_does_not_come_in(
    connection_on: Company, employee: Person, browser: Browser, management: ManagementClient
) -> None:
    callback = await connection_on.callback(browser)
    body = {"primaryEmail": f"{employee.username}@example.test"}
    await management._transport.call("PATCH", f"/users/{employee.id}", body=body)

    page = await refused(browser, callback)

    assert "email address of this account is outside" in page
    reason = "the account’s address is outside the domains"
    await assert_kept_out(connection_on, browser, employee.id, reason)


async def test_a_suspended_account_does_not_come_in(
    connection_on: Company, employee: Person, browser: Browser, management: ManagementClient
) -> None:
    callback = await connection_on.callback(browser)
    body: dict[str, Any] = {"isSuspended": True}
    await management._transport.call("PATCH", f"/users/{employee.id}/is-suspended", body=body)

    await browser.get(callback, 400)

    assert await connection_on.sessions_here(employee.id) == []


async def test_an_identity_that_was_deleted_meanwhile_lets_nobody_in(
    connection_on: Company, employee: Person, browser: Browser
) -> None:
    callback = await connection_on.callback(browser)
    await connection_on.management.delete_sso_connector((await connection_on.connection()).connector_id)

    await browser.get(callback, 400)

    await assert_kept_out(connection_on, browser, employee.id, "the identity is not the account’s")


async def test_a_removed_connection_lets_nobody_in(
    connection_on: Company, employee: Person, browser: Browser, runtime: Runtime
) -> None:
    callback = await connection_on.callback(browser)
    async with runtime.work.writing(connection_on.id) as db:
        await delete_connection(db, connection_on.id)

    page = await refused(browser, callback)

    assert "has removed its single sign-on" in page
    assert await connection_on.sessions_here(employee.id) == []
    assert await connection_on.management.list_user_sessions(employee.id) == []


async def test_deleting_the_connector_does_not_make_its_assertions_count(
    astray: Company, victim: Person, browser: Browser, runtime: Runtime
) -> None:
    callback = await astray.callback(browser)
    await astray.management.delete_sso_connector((await astray.connection()).connector_id)
    async with runtime.work.writing(astray.id) as db:
        await delete_connection(db, astray.id)

    await browser.get(callback, 400)

    assert await astray.sessions_here(victim.id) == []
    assert await astray.management.list_user_sessions(victim.id) == []


async def test_a_session_that_ended_at_logto_meanwhile_lets_nobody_in(
    connection_on: Company, employee: Person, browser: Browser
) -> None:
    callback = await connection_on.callback(browser)
    (session,) = await connection_on.management.list_user_sessions(employee.id)
    transport = connection_on.management._transport
    await transport.call("DELETE", f"/users/{employee.id}/sessions/{session.uid}")
    await connection_on.management.delete_sso_connector((await connection_on.connection()).connector_id)

    page = await refused(browser, callback)

    assert "Logto did not say how you signed in" in page
    await browser.get("/account", 303)


async def test_without_a_sid_nobody_comes_in(
    victim: Person, browser: Browser, connection_on: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in, "_session_id_of", lambda _claims: None)

    page = await refused(browser, await browser.callback(victim))

    assert "Logto did not say how you signed in" in page
    assert await connection_on.sessions_here(victim.id) == []


async def test_a_session_that_logto_does_not_explain_lets_nobody_in(
    connection_on: Company, employee: Person, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = BrowserSession.read_all
    monkeypatch.setattr(
        BrowserSession, "read_all", lambda found: read([{**one, "lastSubmission": None} for one in found])
    )

    await connection_on.late_refusal(browser)

    await browser.get("/account", 303)
    assert await connection_on.sessions_here(employee.id) == []


async def test_the_operators_own_connector_signs_people_in_as_none_of_ours(
    astray: Company, victim: Person, browser: Browser, management: ManagementClient
) -> None:
    body = {
        "providerName": "OIDC",
        "connectorName": f"Operator {astray.id}",
        "domains": [new_domain()],
        "config": dict(astray.provider.config),
    }
    made = (await management._transport.call("POST", "/sso-connectors", body=body)).body

    started = await browser.get(f"/sign-in?direct_sign_in=sso:{made['id']}", 303)
    await browser.come_back(started.headers["Location"], None)

    assert await astray.sessions_here(victim.id) == [None]


async def test_a_silent_renewal_ends_when_the_domain_is_lost(
    connection_on: Company, sign_in_through_company: SignInThroughCompany
) -> None:
    browser = await sign_in_through_company(connection_on)
    await connection_on.lose()

    started = await browser.get("/sign-in/renew?for=x", 303)
    await browser.get(await browser.callback_of(started.headers["Location"], None), 400)

    (event,) = await connection_on.events("sso.refuse")
    assert event.after is not None
    assert event.after["reason"] == "the address is outside the domains"
