"""Attacks by whoever controls a company's identity provider, and doubtful sign-ins. Nobody comes in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from local_logto.fakes.openid import FakeOpenId
from local_logto.testing import Provider

from saas_app.config import Settings
from saas_app.identity import sign_in
from saas_app.logto import BrowserSession, ManagementClient
from saas_app.models import DomainProof
from saas_app.runtime import Runtime
from saas_app.single_sign_on.queries import delete_connection
from saas_app.single_sign_on.values import Stage
from tests.clients import Browser, Person, text_of
from tests.conftest import OpenBrowser
from tests.factories import Factory, address_of
from tests.integration.single_sign_on.company import (
    Company,
    SignInThroughCompany,
    new_company,
    new_domain,
)

Refused = Callable[..., Awaitable[str]]


@pytest.fixture
async def victim(make: Factory) -> Person:
    """A person who has nothing to do with the company."""
    return await make.person("Victor")


@pytest.fixture
async def employee(connection_on: Company, make: Factory) -> Person:
    """A person with an account, whose address is at the company's domain."""
    return await make.person("Carol", domain=connection_on.domain)


def address_at(company: Company, person: Person) -> str:
    """Return the address of an account that the factory made at the company's domain."""
    return company.address(person.username)


async def assert_kept_out(company: Company, browser: Browser, user_id: str) -> None:
    """Assert that a person got no session here, lost the one at Logto, and that the organization knows."""
    await browser.get("/account", 303)
    assert await company.sessions_here(user_id) == []
    assert await company.management.list_user_sessions(user_id) == []
    event = (await company.events("sso.refuse"))[-1]
    assert (event.target_type, event.target_id, event.target_name) == ("person", user_id, user_id)
    assert event.actor_id == "system"


async def test_an_account_elsewhere_is_not_taken_over_by_its_address(
    connection_on: Company, victim: Person, open_browser: OpenBrowser
) -> None:
    connection_on.asserts(address_of(victim))
    browser = await open_browser()

    page = await connection_on.refusal(browser)

    assert "outside your organization’s verified domains" in page
    assert address_of(victim) not in page
    await assert_kept_out(connection_on, browser, victim.id)


async def test_the_audit_log_reveals_nothing_of_a_third_person_but_the_domain(
    connection_on: Company, victim: Person, open_browser: OpenBrowser
) -> None:
    connection_on.asserts(address_of(victim))

    await connection_on.refusal(await open_browser())

    (event,) = await connection_on.events("sso.refuse")
    assert event.after == {"reason": "the address is outside the domains", "domain": "example.test"}
    assert victim.username not in f"{event.target_name} {event.before} {event.after} {event.actor_name}"


async def test_the_owner_of_the_account_notices_nothing(
    connection_on: Company, victim: Person, open_browser: OpenBrowser
) -> None:
    own = await open_browser(victim)
    connection_on.asserts(address_of(victim))

    await connection_on.refusal(await open_browser())

    await own.get("/account")
    await (await open_browser(victim)).get("/account")


async def test_a_link_made_by_a_false_assertion_stays_harmless(
    connection_on: Company, victim: Person, open_browser: OpenBrowser
) -> None:
    sub = connection_on.asserts(address_of(victim)).id
    await connection_on.refusal(await open_browser())
    connection_on.asserts(connection_on.address("proper"), sub=sub)
    browser = await open_browser()

    page = await connection_on.refusal(browser)

    assert "email address of this account is outside" in page
    await assert_kept_out(connection_on, browser, victim.id)


@pytest.mark.parametrize("verified", [False, None])
async def test_an_address_that_is_not_verified_lets_nobody_in(
    connection_on: Company, employee: Person, open_browser: OpenBrowser, verified: bool | None
) -> None:
    connection_on.asserts(address_at(connection_on, employee), email_verified=verified)
    browser = await open_browser()

    await connection_on.refusal(browser)

    await browser.get("/account", 303)
    assert await connection_on.sessions_here(employee.id) == []


async def test_a_known_person_without_an_address_does_not_come_in(
    connection_on: Company, employee: Person, open_browser: OpenBrowser
) -> None:
    sub = connection_on.asserts(address_at(connection_on, employee)).id
    await connection_on.arrive(await open_browser())
    connection_on.asserts(None, sub=sub)
    browser = await open_browser()

    page = await connection_on.refusal(browser)

    assert "did not confirm an email address" in page
    await browser.get("/account", 303)


async def test_a_domain_that_was_lost_lets_nobody_in(
    connection_on: Company, employee: Person, open_browser: OpenBrowser
) -> None:
    connection_on.asserts(address_at(connection_on, employee))
    browser = await open_browser()
    callback = await connection_on.callback(browser)
    await connection_on.lose()

    await browser.get(callback, 400)

    await assert_kept_out(connection_on, browser, employee.id)


async def test_a_domain_that_was_proved_by_an_address_only_does_not_count(
    company: Company, make: Factory, open_browser: OpenBrowser
) -> None:
    domain = await company.hold(new_domain(), DomainProof.ADDRESS)
    await company.connect(domains=[company.domain, domain])
    person = await make.person(domain=domain)
    company.asserts(f"{person.username}@{domain}")
    browser = await open_browser()

    await company.refusal(browser)

    await assert_kept_out(company, browser, person.id)


async def test_another_organizations_connector_does_not_count_for_the_domain(
    company: Company,
    company_provider: FakeOpenId,
    make: Factory,
    open_browser: OpenBrowser,
    runtime: Runtime,
) -> None:
    attacker = await new_company(make, open_browser, runtime, company_provider)
    await attacker.connect(domains=[attacker.domain, company.domain])
    attacker.asserts(address_at(company, company.admin))
    browser = await open_browser()

    await attacker.refusal(browser)

    assert await company.sessions_here(company.admin.id) == [None]
    await browser.get("/account", 303)


@pytest.mark.parametrize("stage", [Stage.CONFIGURED, Stage.TESTED])
async def test_a_connection_that_is_off_lets_nobody_in(
    company: Company, make: Factory, open_browser: OpenBrowser, stage: Stage
) -> None:
    await company.connect(stage)
    person = await make.person(domain=company.domain)
    company.asserts(address_at(company, person))
    browser = await open_browser()

    page = await company.refusal(browser)

    assert "has not turned its single sign-on on" in page
    await assert_kept_out(company, browser, person.id)


async def test_a_refused_callback_that_is_opened_again_signs_nobody_in(
    connection_on: Company, victim: Person, open_browser: OpenBrowser
) -> None:
    connection_on.asserts(address_of(victim))
    browser = await open_browser()
    callback = await connection_on.callback(browser)
    await browser.get(callback, 400)

    await browser.get(callback, 400)

    await browser.get("/account", 303)


async def test_a_refused_tab_does_not_let_the_other_one_in(
    connection_on: Company, victim: Person, open_browser: OpenBrowser
) -> None:
    connection_on.asserts(address_of(victim))
    browser = await open_browser()
    first = await connection_on.callback(browser)
    second = await connection_on.callback(browser)
    await browser.get(first, 400)

    await browser.get(second, 400)

    await assert_kept_out(connection_on, browser, victim.id)


async def test_a_session_that_ended_at_logto_meanwhile_lets_nobody_in(
    connection_on: Company, victim: Person, open_browser: OpenBrowser
) -> None:
    connection_on.asserts(address_of(victim))
    browser = await open_browser()
    callback = await connection_on.callback(browser)
    (session,) = await connection_on.management.list_user_sessions(victim.id)
    transport = connection_on.management._transport
    await transport.call("DELETE", f"/users/{victim.id}/sessions/{session.uid}")
    await connection_on.management.delete_sso_connector((await connection_on.connection()).connector_id)

    page = await text_of(await browser.get(callback, 400))

    assert "Logto did not say how you signed in" in page
    await browser.get("/account", 303)


async def test_without_a_sid_nobody_comes_in(
    connection_on: Company, victim: Person, open_browser: OpenBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in, "_session_id_of", lambda _claims: None)
    browser = await open_browser()

    page = await text_of(await browser.get(await browser.callback(victim), 400))

    assert "Logto did not say how you signed in" in page
    assert await connection_on.sessions_here(victim.id) == []


async def test_a_session_that_logto_does_not_explain_lets_nobody_in(
    connection_on: Company, victim: Person, open_browser: OpenBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = BrowserSession.read_all
    monkeypatch.setattr(
        BrowserSession, "read_all", lambda found: read([{**one, "lastSubmission": None} for one in found])
    )
    connection_on.asserts(address_of(victim))
    browser = await open_browser()

    await connection_on.refusal(browser)

    await browser.get("/account", 303)
    assert await connection_on.sessions_here(victim.id) == []


async def test_deleting_the_connector_does_not_make_its_assertions_count(
    connection_on: Company, victim: Person, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    connection_on.asserts(address_of(victim))
    browser = await open_browser()
    callback = await connection_on.callback(browser)
    connector_id = (await connection_on.connection()).connector_id
    await connection_on.management.delete_sso_connector(connector_id)
    async with runtime.work.writing(connection_on.id) as db:
        await delete_connection(db, connection_on.id)

    await browser.get(callback, 400)

    assert await connection_on.sessions_here(victim.id) == []
    assert await connection_on.management.list_user_sessions(victim.id) == []


async def test_a_connector_whose_organization_is_gone_lets_nobody_in(
    connection_on: Company, victim: Person, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    connection_on.asserts(address_of(victim))
    browser = await open_browser()
    callback = await connection_on.callback(browser)
    async with runtime.work.writing(connection_on.id) as db:
        await delete_connection(db, connection_on.id)

    await browser.get(callback, 400)

    assert await connection_on.sessions_here(victim.id) == []
    assert await connection_on.management.list_user_sessions(victim.id) == []


async def test_an_identity_that_was_deleted_meanwhile_lets_nobody_in(
    connection_on: Company, employee: Person, open_browser: OpenBrowser
) -> None:
    connection_on.asserts(address_at(connection_on, employee))
    browser = await open_browser()
    callback = await connection_on.callback(browser)
    await connection_on.management.delete_sso_connector((await connection_on.connection()).connector_id)

    await browser.get(callback, 400)

    await assert_kept_out(connection_on, browser, employee.id)


async def test_the_operators_own_connector_signs_people_in_as_none_of_ours(
    connection_on: Company, victim: Person, open_browser: OpenBrowser, management: ManagementClient
) -> None:
    body = {
        "providerName": "OIDC",
        "connectorName": f"Operator {connection_on.id}",
        "domains": [new_domain()],
        "config": dict(connection_on.provider.config),
    }
    made = (await management._transport.call("POST", "/sso-connectors", body=body)).body
    connection_on.asserts(address_of(victim))
    browser = await open_browser()

    started = await browser.get(f"/sign-in?direct_sign_in=sso:{made['id']}", 303)
    await browser.come_back(started.headers["Location"], None)

    assert await connection_on.sessions_here(victim.id) == [None]


async def test_a_session_of_the_victim_in_the_attackers_browser_stays_as_it_was(
    connection_on: Company, victim: Person, open_browser: OpenBrowser
) -> None:
    browser = await open_browser(victim)
    before = browser.session_cookie
    connection_on.asserts(address_of(victim))

    await connection_on.refusal(browser)

    assert browser.session_cookie == before
    assert await connection_on.sessions_here(victim.id) == [None]


async def test_a_session_that_another_application_began_is_refused_here_too(
    connection_on: Company, victim: Person, open_browser: OpenBrowser, provider: Provider, settings: Settings
) -> None:
    connection_on.asserts(address_of(victim))
    browser = await open_browser()
    other = provider.application("http://localhost:9/callback")
    connector_id = (await connection_on.connection()).connector_id
    url = (
        f"{settings.logto_endpoint}/oidc/auth?client_id={other.id}&response_type=code&scope=openid"
        "&redirect_uri=http://localhost:9/callback&code_challenge_method=S256"
        f"&code_challenge={'c' * 43}&direct_sign_in=sso:{connector_id}"
    )
    await browser.logto.authorize(url, None, "http://localhost:9/callback")

    started = await browser.get("/sign-in", 303)
    await browser.get(await browser.callback_of(started.headers["Location"], None), 400)

    await assert_kept_out(connection_on, browser, victim.id)


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


async def test_a_changed_issuer_does_not_count_for_sign_ins_at_the_old_one(
    connection_on: Company, employee: Person, open_browser: OpenBrowser
) -> None:
    connection_on.asserts(address_at(connection_on, employee))
    browser = await open_browser()
    callback = await connection_on.callback(browser)
    await connection_on.change(issuer="https://new.example")

    page = await text_of(await browser.get(callback, 400))

    assert "has changed its identity provider" in page
    await assert_kept_out(connection_on, browser, employee.id)


async def test_a_suspended_account_does_not_come_in(
    connection_on: Company, employee: Person, open_browser: OpenBrowser, management: ManagementClient
) -> None:
    connection_on.asserts(address_at(connection_on, employee))
    browser = await open_browser()
    callback = await connection_on.callback(browser)
    body: dict[str, Any] = {"isSuspended": True}
    await management._transport.call("PATCH", f"/users/{employee.id}/is-suspended", body=body)

    await browser.get(callback, 400)

    assert await connection_on.sessions_here(employee.id) == []
