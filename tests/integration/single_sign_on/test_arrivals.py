"""People who sign in at their company's identity provider."""

from __future__ import annotations

import pytest

from saas_app.single_sign_on.values import Stage
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.single_sign_on.company import Company, SignInThroughCompany, new_domain


async def connector_of(company: Company) -> str:
    return (await company.connection()).connector_id


async def test_a_new_person_of_the_company_signs_in(
    connection_on: Company, sign_in_through_company: SignInThroughCompany
) -> None:
    email = connection_on.address("carol")

    browser = await sign_in_through_company(connection_on, email)

    account = await connection_on.account(email)
    assert account is not None
    await browser.get("/account")
    assert await connection_on.sessions_here(account.id) == [await connector_of(connection_on)]
    assert await connection_on.events("sso.refuse") == []


async def test_a_person_with_an_account_at_the_domain_signs_in_to_it(
    connection_on: Company, make: Factory, sign_in_through_company: SignInThroughCompany
) -> None:
    person = await make.person(domain=connection_on.domain)

    await sign_in_through_company(connection_on, connection_on.address(person.username))

    assert await connection_on.sessions_here(person.id) == [await connector_of(connection_on)]


async def test_a_password_sign_in_is_none_through_the_company(
    connection_on: Company, make: Factory, open_browser: OpenBrowser
) -> None:
    person = await make.person(domain=connection_on.domain)

    await open_browser(person)

    assert await connection_on.sessions_here(person.id) == [None]


async def test_a_later_password_sign_in_in_the_same_browser_is_none_through_the_company(
    connection_on: Company, make: Factory, sign_in_through_company: SignInThroughCompany
) -> None:
    person = await make.person(domain=connection_on.domain)
    browser = await sign_in_through_company(connection_on, connection_on.address(person.username))

    await browser.sign_in(person, "/sign-in?prompt=login")

    assert await connection_on.sessions_here(person.id) == [None]


async def test_a_silent_renewal_stays_through_the_company(
    connection_on: Company, make: Factory, sign_in_through_company: SignInThroughCompany
) -> None:
    person = await make.person(domain=connection_on.domain)
    browser = await sign_in_through_company(connection_on, connection_on.address(person.username))

    started = await browser.get("/sign-in/renew?for=x", 303)
    await browser.come_back(started.headers["Location"], None)

    assert await connection_on.sessions_here(person.id) == [await connector_of(connection_on)]


@pytest.mark.parametrize("spelling", [str.upper, str.title])
async def test_case_does_not_matter(
    connection_on: Company, make: Factory, open_browser: OpenBrowser, spelling: type[str]
) -> None:
    person = await make.person(domain=connection_on.domain)
    connection_on.asserts(spelling(connection_on.address(person.username)))

    await connection_on.arrive(await open_browser())

    assert await connection_on.sessions_here(person.id) == [await connector_of(connection_on)]


async def test_a_person_at_a_subdomain_does_not_come_in(
    connection_on: Company, open_browser: OpenBrowser
) -> None:
    connection_on.asserts(f"carol@sub.{connection_on.domain}")

    await connection_on.refusal(await open_browser())


async def test_several_domains_count(company: Company, open_browser: OpenBrowser) -> None:
    second = await company.hold(new_domain())
    await company.connect(Stage.ON, domains=[company.domain, second])
    company.asserts(f"carol@{second}")

    await company.arrive(await open_browser())


async def test_a_required_connection_lets_people_in(company: Company, open_browser: OpenBrowser) -> None:
    await company.connect(Stage.REQUIRED)
    company.asserts()

    await company.arrive(await open_browser())
