"""Silent renewals of sessions here, whose browser came to Logto through a company."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from saas_app.logto import LogtoUser, ManagementClient
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from saas_app.single_sign_on.values import Stage
from tests.clients import Browser, Person, text_of
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.single_sign_on.company import (
    RENEWAL,
    Company,
    SignInThroughCompany,
    callback_of_renewal,
)

MAPPING = [["staff", Role.VIEWER.value], ["bosses", Role.ADMIN.value]]


@pytest.fixture
async def browser(
    connection_on: Company, carol: Person, sign_in_through_company: SignInThroughCompany
) -> Browser:
    """Carol's browser, which came through the company."""
    return await sign_in_through_company(connection_on, connection_on.address(carol.username))


async def reasons(company: Company) -> list[str]:
    return [event.after["reason"] for event in await company.events("sso.refuse") if event.after]


async def test_a_renewal_keeps_the_session(connection_on: Company, carol: Person, browser: Browser) -> None:
    before = browser.session_cookie

    done = await browser.get(await callback_of_renewal(browser), 303)

    assert done.headers["Location"] == "/account"
    assert browser.session_cookie == before
    assert len(await connection_on.sessions_here(carol.id)) == 1


@pytest.mark.parametrize("path", [RENEWAL, "/sign-in"])
async def test_nothing_is_renewed_once_the_connection_is_off(
    connection_on: Company, carol: Person, browser: Browser, path: str
) -> None:
    callback = await callback_of_renewal(browser, path)
    await connection_on.change(on_at=None)

    page = await text_of(await browser.get(callback, 400))

    assert "has not turned on single sign-on" in page
    assert await reasons(connection_on) == ["single sign-on is off"]
    assert await connection_on.management.list_user_sessions(carol.id) == []


async def test_a_renewal_that_is_refused_leaves_the_session_of_another_person_in_the_browser(
    connection_on: Company, browser: Browser, make: Factory, open_browser: OpenBrowser
) -> None:
    bob = await make.person("Bob")
    callback = await callback_of_renewal(browser)
    browser.session_cookie = (await open_browser(bob)).session_cookie
    await connection_on.change(on_at=None)

    await browser.get(callback, 400)

    assert await connection_on.sessions_here(bob.id) == [None]


@pytest.fixture
def ending_meanwhile(carol: Person, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """``ending_meanwhile()``: Carol's sessions here end while Logto is asked about her."""
    read = ManagementClient.get_user_with_sso

    async def end_and_read(client: ManagementClient, user_id: str) -> LogtoUser:
        await runtime.sessions.end_all(carol.id)
        return await read(client, user_id)

    return lambda: monkeypatch.setattr(ManagementClient, "get_user_with_sso", end_and_read)


async def test_a_session_that_ended_during_its_renewal_is_not_renewed(
    connection_on: Company, carol: Person, browser: Browser, ending_meanwhile: Callable[[], None]
) -> None:
    before = browser.session_cookie
    callback = await callback_of_renewal(browser)
    ending_meanwhile()

    await browser.get(callback, None)

    assert browser.session_cookie != before
    assert len(await connection_on.sessions_here(carol.id)) == 1


@pytest.fixture
async def mapped(company: Company) -> Company:
    """The company, whose people join, with roles by their groups."""
    await company.connect(Stage.ON, joins=True, group_claim="member_of", group_roles=MAPPING)
    return company


async def test_a_new_person_sees_the_roles_of_their_groups_at_once(
    mapped: Company, open_browser: OpenBrowser
) -> None:
    mapped.asserts(member_of=["bosses"])
    browser = await open_browser()

    done = await mapped.arrive(browser, path="/sign-in?next=/o")

    page = await text_of(await browser.follow(done.headers["Location"]))
    assert mapped.name in page
    assert Role.ADMIN.value in page


async def test_a_member_whose_role_changes_sees_the_new_one_at_once(
    mapped: Company, make: Factory, open_browser: OpenBrowser
) -> None:
    vera = await make.person("Vera", domain=mapped.domain)
    await make.join(mapped.id, vera, Role.VIEWER.value)
    mapped.asserts(mapped.address(vera.username), member_of=["bosses"])
    browser = await open_browser()

    done = await mapped.arrive(browser, path="/sign-in?next=/o")

    page = await text_of(await browser.follow(done.headers["Location"]))
    assert Role.ADMIN.value in page
    assert Role.VIEWER.value not in page


async def test_a_sign_in_that_changes_no_roles_leads_straight_on(
    mapped: Company, make: Factory, open_browser: OpenBrowser
) -> None:
    vera = await make.person("Vera", domain=mapped.domain)
    await make.join(mapped.id, vera, Role.VIEWER.value)
    mapped.asserts(mapped.address(vera.username), member_of=["staff"])

    done = await mapped.arrive(await open_browser(), path="/sign-in?next=/o")

    assert done.headers["Location"] == "/o"


async def test_the_renewal_after_new_roles_leads_to_the_page(
    mapped: Company, open_browser: OpenBrowser
) -> None:
    mapped.asserts(member_of=["staff"])
    browser = await open_browser()
    done = await mapped.arrive(browser, path="/sign-in?next=/o")

    renewed = await browser.get(await callback_of_renewal(browser, done.headers["Location"]), 303)

    assert done.headers["Location"].startswith("/sign-in/renew?")
    assert renewed.headers["Location"] == "/o"
