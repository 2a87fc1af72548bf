"""Which account a person of a company signs in to, whatever their provider calls them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from local_logto.fakes.openid import FakeOpenId, fake_openid

from saas_app.db.base import utc_now
from saas_app.logto import LogtoUser, ManagementClient
from saas_app.runtime import Runtime
from saas_app.single_sign_on.queries import delete_connection
from saas_app.single_sign_on.values import Stage
from tests.clients import FRESH, Browser, Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.single_sign_on.company import Company, new_company
from tests.integration.single_sign_on.interaction import Interaction
from tests.integration.single_sign_on.passage import Passage
from tests.integration.single_sign_on.wizard import Wizard

SUB = "00u1carol"
"""The name that the company's provider has for Carol."""


@pytest.fixture
async def known(connection_on: Company, carol: Person, browser: Browser) -> Company:
    """The company, after Carol came through it."""
    connection_on.asserts(connection_on.address(carol.username), sub=SUB)
    await connection_on.arrive(browser)
    return connection_on


async def said_of(company: Company, browser: Browser, email: str, sub: str = SUB) -> str:
    """Return the ``sub`` that is said to Logto of a person at the company's provider."""
    company.asserts(email, sub=sub)
    passage = await Passage.begin(company, browser)
    return str((await passage.claims())["sub"])


async def stop_at_logto(company: Company, browser: Browser, email: str, sub: str = SUB) -> None:
    """Sign in through the company at Logto, without coming on to Workroom."""
    company.asserts(email, sub=sub)
    interaction = await Interaction.begin(browser)
    await interaction.identify(await interaction.prove((await company.connection()).connector_id))
    await interaction.call("POST", "/submit", None)


async def move(management: ManagementClient, person: Person, email: str) -> None:
    """Give an account another address at Logto."""
    await management._transport.call("PATCH", f"/users/{person.id}", body={"primaryEmail": email})


async def subjects_of(company: Company, person: Person) -> list[str]:
    """Return the names that Logto has linked to an account."""
    account = await company.management.get_user_with_sso(person.id)
    return [identity.identity_id for identity in account.sso_identities]


async def test_a_known_person_has_the_name_that_logto_has_linked(
    known: Company, carol: Person, browser: Browser
) -> None:
    said = await said_of(known, browser, known.address(carol.username))

    assert await subjects_of(known, carol) == [said]


async def test_a_person_who_is_renamed_at_the_company_keeps_the_account(
    known: Company, carol: Person, open_browser: OpenBrowser
) -> None:
    known.asserts(known.address("carol.newname"), sub=SUB)

    await known.arrive(await open_browser())

    assert await known.account(known.address("carol.newname")) is None
    assert len(await known.sessions_here(carol.id)) == 2


async def test_a_name_that_logto_has_not_linked_is_not_said_again(
    connection_on: Company, browser: Browser
) -> None:
    email = connection_on.address("dora")

    first, second = [await said_of(connection_on, browser, email) for _ in range(2)]

    assert first != second


async def test_a_person_who_stopped_at_logto_is_recognized_by_the_address(
    connection_on: Company, carol: Person, browser: Browser, open_browser: OpenBrowser
) -> None:
    email = connection_on.address(carol.username)
    await stop_at_logto(connection_on, browser, email)

    said = await said_of(connection_on, await open_browser(), email)

    assert await subjects_of(connection_on, carol) == [said]


async def test_two_people_at_the_provider_have_two_names(known: Company, browser: Browser) -> None:
    other = await said_of(known, browser, known.address("carol"), sub=SUB.upper())

    assert other != await said_of(known, browser, known.address("carol"))


async def test_a_person_whose_account_was_deleted_gets_a_new_one(
    known: Company, carol: Person, open_browser: OpenBrowser, management: ManagementClient
) -> None:
    await management.delete_user(carol.id)

    await known.arrive(await open_browser())

    account = await known.account(known.address(carol.username))
    assert account is not None
    assert len(await known.sessions_here(account.id)) == 1


async def test_an_account_whose_address_left_the_company_cannot_be_entered(
    known: Company, carol: Person, open_browser: OpenBrowser, management: ManagementClient
) -> None:
    """Logto has linked it, and would not look at the address."""
    await move(management, carol, f"{carol.username}@home.example")
    before = await state_of(known, carol)

    page = await known.refusal(await open_browser())

    assert "email address of this account is outside" in page
    assert await state_of(known, carol) == before
    (event,) = await known.events("sso.refuse")
    assert (event.after or {})["reason"] == "the account’s address is outside the domains"
    assert carol.id not in f"{event.target_id} {event.after}"


async def test_an_account_that_left_before_it_came_on_cannot_be_entered_either(
    connection_on: Company,
    carol: Person,
    browser: Browser,
    open_browser: OpenBrowser,
    management: ManagementClient,
) -> None:
    """Logto has linked it, and Workroom does not know that."""
    email = connection_on.address(carol.username)
    await stop_at_logto(connection_on, browser, email)
    (linked,) = await subjects_of(connection_on, carol)
    await move(management, carol, f"{carol.username}@home.example")

    said = await said_of(connection_on, await open_browser(), email)

    assert said != linked


async def test_an_account_that_lost_its_link_is_found_by_the_address_only(
    known: Company, carol: Person, open_browser: OpenBrowser, management: ManagementClient
) -> None:
    """The name could be linked to another account meanwhile."""
    (linked,) = await subjects_of(known, carol)
    await management.delete_sso_connector((await known.connection()).connector_id)

    said = await said_of(known, await open_browser(), known.address(carol.username))

    assert said != linked


async def test_people_keep_their_accounts_when_the_company_is_connected_again(
    known: Company, carol: Person, runtime: Runtime, open_browser: OpenBrowser
) -> None:
    (before,) = await subjects_of(known, carol)
    await known.management.delete_sso_connector((await known.connection()).connector_id)
    async with runtime.work.writing(known.id) as db:
        await delete_connection(db, known.id)

    await known.connect(Stage.ON)
    await known.arrive(await open_browser())

    assert len(await known.sessions_here(carol.id)) == 2
    assert before not in await subjects_of(known, carol)


@pytest.fixture
async def next_provider() -> AsyncIterator[FakeOpenId]:
    """The provider to which the company moves."""
    async with fake_openid() as running:
        yield running


async def test_at_another_provider_the_same_name_is_another_person(
    known: Company, carol: Person, next_provider: FakeOpenId, open_browser: OpenBrowser
) -> None:
    """Small providers count their people from 1."""
    await known.change(on_at=None)
    await known.browser.sign_in(known.admin, FRESH)
    wizard = Wizard(known, known.browser)
    await wizard.send("provider", wizard.provider(issuer=next_provider.issuer))
    await known.change(on_at=utc_now())
    moved = replace(known, provider=next_provider)

    said = await said_of(moved, await open_browser(), moved.address("dave"))

    assert said not in await subjects_of(known, carol)


async def test_a_new_secret_at_the_same_provider_forgets_nobody(
    known: Company, carol: Person, open_browser: OpenBrowser
) -> None:
    await known.browser.sign_in(known.admin, FRESH)
    wizard = Wizard(known, known.browser)
    await wizard.send("provider", wizard.provider())

    said = await said_of(known, await open_browser(), known.address(carol.username))

    assert await subjects_of(known, carol) == [said]


@pytest.fixture
async def other(
    known: Company, make: Factory, open_browser: OpenBrowser, runtime: Runtime, browser: Browser
) -> Company:
    """Another company with the same provider. Carol came through it too, with another address."""
    made = await new_company(make, open_browser, runtime, known.provider)
    await made.connect(Stage.ON)
    made.asserts(made.address("carol"), sub=SUB)
    await made.arrive(await open_browser())
    return made


async def test_a_provider_of_two_companies_speaks_for_each_of_them_apart(
    known: Company, other: Company, carol: Person, open_browser: OpenBrowser
) -> None:
    theirs = await said_of(other, await open_browser(), other.address("carol"))

    assert theirs not in await subjects_of(known, carol)
    account = await other.account(other.address("carol"))
    assert account is not None
    assert account.id != carol.id


async def test_another_company_with_the_same_provider_cannot_enter_an_account(
    known: Company, other: Company, carol: Person, open_browser: OpenBrowser
) -> None:
    other.asserts(known.address(carol.username), sub=SUB)
    before = await state_of(known, carol)

    await other.refusal(await open_browser())

    assert await state_of(known, carol) == before


async def test_removing_a_connection_forgets_nobody_of_another_company(
    known: Company, other: Company, carol: Person, runtime: Runtime, open_browser: OpenBrowser
) -> None:
    async with runtime.work.writing(other.id) as db:
        await delete_connection(db, other.id)

    said = await said_of(known, await open_browser(), known.address(carol.username))

    assert await subjects_of(known, carol) == [said]


async def state_of(company: Company, person: Person) -> tuple[LogtoUser, Any]:
    """Return everything at Logto that a sign-in through a company changes."""
    management = company.management
    account = await management.get_user_with_sso(person.id)
    return account, await management.list_user_sessions(person.id)
