"""The account page names the accounts at companies' providers, and whether Workroom accepts them."""

from __future__ import annotations

import re

import pytest
from quart import Quart

from tests.clients import Browser, Person
from tests.conftest import OpenApp, OpenBrowser
from tests.factories import Factory, address_of
from tests.integration.faulty_logto import Fault, Gate
from tests.integration.single_sign_on.company import Company, SignInThroughCompany

REJECTED = "Workroom rejects sign-ins with this account."


async def company_accounts(browser: Browser) -> list[str]:
    """Return the company accounts on the account page, one text for each."""
    return await _rows(browser, "company")


async def devices(browser: Browser) -> list[str]:
    """Return the signed-in devices on the account page, one text for each."""
    return await _rows(browser, "sessions")


async def _rows(browser: Browser, section: str) -> list[str]:
    page = await browser.text("/account")
    rows = page.partition(f'<h2 id="{section}"')[2].partition("</ul>")[0].split("<li>")[1:]
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in rows]


@pytest.fixture
async def carol(make: Factory, connection_on: Company) -> Person:
    """A member with a password and an address at the company's domain."""
    carol = await make.person("Carol", domain=connection_on.domain)
    await make.join(connection_on.id, carol, "viewer")
    return carol


@pytest.fixture
async def carols(
    carol: Person, connection_on: Company, sign_in_through_company: SignInThroughCompany
) -> Browser:
    """Carol's browser, which came from the company."""
    return await sign_in_through_company(connection_on, connection_on.address(carol.username))


@pytest.fixture
async def victim(connection_on: Company, make: Factory, open_browser: OpenBrowser) -> Person:
    """Somebody elsewhere, whose address the company's provider has asserted: Logto linked them."""
    victim = await make.person("Victor")
    connection_on.asserts(address_of(victim))
    await connection_on.arrive(await open_browser(), None)
    return victim


async def test_a_company_account_has_its_name_address_issuer_and_times(
    carol: Person, carols: Browser, connection_on: Company
) -> None:
    connection = await connection_on.connection()

    (row,) = await company_accounts(carols)

    assert row.startswith(f"{connection.name} Accepted by Workroom ")
    assert f" {connection_on.address(carol.username)} · linked " in row
    assert "· last used just now" in row
    assert row.endswith(connection.issuer)


async def test_the_list_of_devices_says_who_came_from_the_company(
    carol: Person, carols: Browser, connection_on: Company, open_browser: OpenBrowser
) -> None:
    with_password = await open_browser(carol)

    rows = await devices(with_password)

    through = f"Signed in through {(await connection_on.connection()).name}."
    assert [through in row for row in rows] == [False, True]
    assert "This device" in rows[0]


async def test_a_browser_that_came_from_the_company_only_to_logto_is_named_too(
    carol: Person, connection_on: Company, open_browser: OpenBrowser
) -> None:
    connection_on.asserts(connection_on.address(carol.username))
    await connection_on.callback(await open_browser())

    rows = await devices(await open_browser(carol))

    through = f"Signed in through {(await connection_on.connection()).name}. Signed in to Logto, but not"
    assert [through in row for row in rows] == [False, True]


async def test_an_account_that_was_linked_by_a_false_assertion_is_named_as_rejected(
    victim: Person, connection_on: Company, open_browser: OpenBrowser
) -> None:
    browser = await open_browser(victim)

    (row,) = await company_accounts(browser)

    assert "Not accepted" in row
    assert "tell the operator of Workroom: somebody may have claimed your address" in row
    assert "Accepted" not in row


async def test_the_name_of_a_provider_is_for_members_of_its_organization_only(
    victim: Person, connection_on: Company, open_browser: OpenBrowser
) -> None:
    connection = await connection_on.connection()
    browser = await open_browser(victim)

    (row,) = await company_accounts(browser)

    assert row.startswith(connection.issuer.partition("//")[2].partition("/")[0])
    assert connection.name not in await browser.text("/account")


async def test_an_address_at_another_domain_than_the_account_is_rejected(
    victim: Person, connection_on: Company, open_browser: OpenBrowser
) -> None:
    """The provider now asserts an address of the company for the account that it has linked falsely."""
    sub = connection_on.provider.person.id
    connection_on.asserts(sub=sub)
    await connection_on.arrive(await open_browser(), None)

    (row,) = await company_accounts(await open_browser(victim))

    assert f"{sub}@{connection_on.domain}" in row
    assert "Not accepted" in row


async def test_an_address_that_has_left_the_company_is_rejected(
    carol: Person, carols: Browser, connection_on: Company, open_browser: OpenBrowser
) -> None:
    connection_on.asserts("carol@elsewhere.example", sub=connection_on.provider.person.id)
    await connection_on.arrive(await open_browser(), None)

    (row,) = await company_accounts(await open_browser(carol))

    assert "carol@elsewhere.example" in row
    assert "Not accepted" in row


async def test_a_lost_domain_counts_at_once(
    carol: Person, carols: Browser, connection_on: Company, open_browser: OpenBrowser
) -> None:
    await connection_on.lose()

    (row,) = await company_accounts(await open_browser(carol))

    assert "Not accepted" in row


async def test_an_account_is_rejected_while_single_sign_on_is_off(
    carol: Person, carols: Browser, connection_on: Company, open_browser: OpenBrowser
) -> None:
    await connection_on.change(on_at=None)

    (row,) = await company_accounts(await open_browser(carol))

    assert "because its organization has turned off single sign-on" in row


async def test_without_the_management_api_the_page_names_what_userinfo_says(
    carol: Person, carols: Browser, connection_on: Company, open_app: OpenApp, open_browser: OpenBrowser
) -> None:
    app = await open_app(management=None)

    (row,) = await company_accounts(await open_browser(carol, at=app))

    assert row == await _as_userinfo_says(carol, connection_on)


async def test_an_account_at_a_former_provider_is_rejected(
    carol: Person, carols: Browser, connection_on: Company, open_browser: OpenBrowser
) -> None:
    await connection_on.change(issuer="https://new.example")

    (row,) = await company_accounts(await open_browser(carol))

    assert "because its organization has changed its identity provider" in row


@pytest.mark.parametrize("status", [403, 500])
async def test_while_the_management_api_refuses_the_page_names_what_userinfo_says(
    carol: Person, carols: Browser, connection_on: Company, gate: Gate, faulty_app: Quart, status: int
) -> None:
    gate.fail(Fault("GET", rf"/users/{carol.id}$", status=status, body={"message": "No."}))

    (row,) = await company_accounts(carols.at(faulty_app))

    assert row == await _as_userinfo_says(carol, connection_on)


async def _as_userinfo_says(carol: Person, company: Company) -> str:
    issuer = (await company.connection()).issuer
    host = issuer.partition("//")[2].partition("/")[0]
    return f"{host} {company.address(carol.username)} {issuer}"


async def test_without_logto_the_page_has_no_company_accounts(carols: Browser, open_app: OpenApp) -> None:
    app = await open_app(logto_endpoint="http://127.0.0.1:9", logto_timeout=0.5)

    page = await carols.at(app).text("/account")

    assert "Logto did not respond." in page
    assert '<h2 id="company"' not in page


async def test_most_people_have_no_company_account(connection_on: Company) -> None:
    page = await connection_on.browser.text("/account")

    assert '<h2 id="company"' not in page


async def test_the_page_shows_no_secret(carols: Browser, connection_on: Company) -> None:
    page = await carols.text("/account")

    assert connection_on.provider.client_secret not in page
