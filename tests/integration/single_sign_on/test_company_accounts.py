"""The account page names the accounts at companies' providers, and whether Workroom accepts them."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
from local_logto.fakes.openid import FakeOpenId, OpenIdPerson
from quart import Quart

from saas_app.logto import ManagementClient
from saas_app.runtime import Runtime
from saas_app.single_sign_on.queries import delete_connection
from tests.clients import Browser, Person
from tests.conftest import OpenApp, OpenBrowser
from tests.factories import Factory
from tests.integration.faulty_logto import Fault, Gate
from tests.integration.single_sign_on.company import Company, SignInThroughCompany, arrive_by
from tests.served import APP_URL

WORKROOM = urlsplit(APP_URL).netloc


def host_of(issuer: str) -> str:
    return urlsplit(issuer).netloc


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
async def nora(connection_on: Company, sign_in_through_company: SignInThroughCompany) -> Browser:
    """The browser of a person who came from the company, and is no member of the organization."""
    return await sign_in_through_company(connection_on, connection_on.address("nora"))


@pytest.fixture
async def linked_before(connection_on: Company, carol: Person, open_browser: OpenBrowser) -> str:
    """The account of Carol was linked when Logto asked the company's provider itself. Returns the issuer."""
    await connection_on.point_elsewhere()
    connection_on.asserts(connection_on.address(carol.username))
    await connection_on.arrive(await open_browser(), 400)
    connection = await connection_on.connection()
    await connection_on.runtime.registration.write(connection_on.management, connection, connection.domains)
    return connection.issuer


@pytest.fixture
async def by_operator(
    offered_at_logto: None,
    management: ManagementClient,
    company_provider: FakeOpenId,
    open_browser: OpenBrowser,
) -> AsyncIterator[Browser]:
    """The browser of a person who came through a connector of the operator's own."""
    connector = await management.create_sso_connector(f"Operator {secrets.token_hex(5)}")
    await management.configure_sso_connector(
        connector.id,
        display_name="Operator",
        issuer=company_provider.issuer,
        client_id=company_provider.client_id,
        client_secret=company_provider.client_secret,
        scope="openid email",
        domains=[f"{connector.id}.example"],
    )
    claims = {"email": f"olga@{connector.id}.example", "email_verified": True}
    company_provider.person = OpenIdPerson("olga", claims)
    browser = await open_browser()
    await arrive_by(connector.id, browser)
    yield browser
    await management.delete_sso_connector(connector.id)


async def test_a_company_account_has_its_name_address_issuer_and_times(
    carol: Person, carols: Browser, connection_on: Company
) -> None:
    connection = await connection_on.connection()

    (row,) = await company_accounts(carols)

    assert row.startswith(f"{connection.name} Accepted by Workroom ")
    assert f" {connection_on.address(carol.username)} · linked " in row
    assert "· last used just now" in row
    assert row.endswith(f" {connection.issuer}")
    assert WORKROOM not in row


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


async def test_the_name_of_a_provider_is_for_members_of_its_organization_only(
    nora: Browser, connection_on: Company
) -> None:
    connection = await connection_on.connection()

    (row,) = await company_accounts(nora)

    assert row.startswith(f"{host_of(connection.issuer)} Accepted by Workroom ")
    assert row.endswith(f" {connection.issuer}")
    (device,) = await devices(nora)
    assert f"Signed in through {host_of(connection.issuer)}." in device
    assert connection.name not in await nora.text("/account")


async def test_an_account_that_was_linked_by_the_company_itself_is_rejected(
    carol: Person, linked_before: str, connection_on: Company, open_browser: OpenBrowser
) -> None:
    await connection_on.change(issuer="https://new.example")

    (row,) = await company_accounts(await open_browser(carol))

    assert row.startswith(f"{(await connection_on.connection()).name} Not accepted by Workroom ")
    assert f" {linked_before} " in row
    assert "has set up single sign-on again since it was linked" in row


async def test_a_former_member_sees_the_host_of_a_company_that_linked_their_account_itself(
    carol: Person, linked_before: str, connection_on: Company, open_browser: OpenBrowser
) -> None:
    await connection_on.management.remove_member(connection_on.id, carol.id)

    (row,) = await company_accounts(await open_browser(carol))

    assert row.startswith(f"{host_of(linked_before)} Not accepted by Workroom ")


async def test_an_account_of_the_operators_own_connector_has_the_host_of_its_provider(
    by_operator: Browser, company_provider: FakeOpenId
) -> None:
    (row,) = await company_accounts(by_operator)

    assert row.startswith(f"{host_of(company_provider.issuer)} olga@")
    assert row.endswith(f" {company_provider.issuer}")


async def test_an_account_whose_own_address_has_left_the_company_is_rejected(
    carol: Person, carols: Browser, connection_on: Company, open_browser: OpenBrowser
) -> None:
    body = {"primaryEmail": f"{carol.username}@elsewhere.example"}
    await connection_on.management._body("PATCH", f"/users/{carol.id}", body)

    (row,) = await company_accounts(await open_browser(carol))

    assert "Not accepted" in row
    assert "Its address and yours must both be at a domain" in row


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


async def test_an_account_at_a_removed_connection_is_rejected(
    carol: Person, carols: Browser, connection_on: Company, runtime: Runtime
) -> None:
    """Logto still has the connector, because it could not be deleted yet."""
    async with runtime.work.writing(connection_on.id) as db:
        await delete_connection(db, connection_on.id)

    (row,) = await company_accounts(carols)

    assert row.startswith("Unknown identity provider Not accepted by Workroom ")
    assert "because its organization has turned off single sign-on" in row
    assert WORKROOM not in row


async def test_without_the_management_api_the_page_names_what_userinfo_says(
    carol: Person, carols: Browser, connection_on: Company, open_app: OpenApp, open_browser: OpenBrowser
) -> None:
    app = await open_app(management=None)

    (row,) = await company_accounts(await open_browser(carol, at=app))

    assert row == await as_userinfo_says(connection_on, carol.username, "Corp")


async def test_without_the_management_api_the_name_is_for_members_only(
    nora: Browser, connection_on: Company, open_app: OpenApp
) -> None:
    app = await open_app(management=None)

    (row,) = await company_accounts(nora.at(app))

    assert row == await as_userinfo_says(connection_on, "nora", host_of(connection_on.provider.issuer))


async def test_without_the_management_api_an_account_that_the_company_linked_itself_has_its_host(
    carol: Person, linked_before: str, connection_on: Company, open_app: OpenApp, open_browser: OpenBrowser
) -> None:
    app = await open_app(management=None)

    (row,) = await company_accounts(await open_browser(carol, at=app))

    assert row == await as_userinfo_says(connection_on, carol.username, host_of(linked_before))


@pytest.mark.parametrize("status", [403, 500])
async def test_while_the_management_api_refuses_the_page_names_what_userinfo_says(
    carol: Person, carols: Browser, connection_on: Company, gate: Gate, faulty_app: Quart, status: int
) -> None:
    gate.fail(Fault("GET", rf"/users/{carol.id}$", status=status, body={"message": "No."}))

    (row,) = await company_accounts(carols.at(faulty_app))

    assert row == await as_userinfo_says(connection_on, carol.username, "Corp")


async def as_userinfo_says(company: Company, name: str, provider: str) -> str:
    return f"{provider} {company.address(name)} {company.provider.issuer}"


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
