"""Silent renewals of sessions here, whose browser came to Logto through a company."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from saas_app.logto import LogtoUser, ManagementClient
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from saas_app.single_sign_on.values import Stage
from tests.clients import FRESH, Browser, Person, text_of
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.single_sign_on.company import Company, SignInThroughCompany

RENEWAL = "/sign-in/renew?for=x&next=/account"
MAPPING = [["staff", Role.VIEWER.value], ["bosses", Role.ADMIN.value]]


@pytest.fixture
async def tested_company(company: Company) -> Company:
    """The company, after Ada tested its connection, which is off. At Logto, her browser came through it."""
    await company.connect(Stage.CONFIGURED)
    company.asserts(company.address(company.admin.username))
    started = await company.browser.get(f"{company.root}/single-sign-on/test", 303)
    await company.browser.come_back(started.headers["Location"], None)
    return company


@pytest.fixture
async def bob(tested_company: Company, make: Factory) -> Person:
    """Another member."""
    return await make.member(tested_company.id, "Bob", "admin")


async def callback_of_renewal(browser: Browser, path: str = RENEWAL, person: Person | None = None) -> str:
    started = await browser.get(path, 303)
    return await browser.callback_of(started.headers["Location"], person)


async def reasons(company: Company) -> list[str]:
    return [event.after["reason"] for event in await company.events("sso.refuse") if event.after]


async def test_a_renewal_after_a_test_keeps_the_session_of_the_tester(tested_company: Company) -> None:
    before = tested_company.browser.session_cookie

    done = await tested_company.browser.get(await callback_of_renewal(tested_company.browser), 303)

    assert done.headers["Location"] == "/account"
    assert tested_company.browser.session_cookie == before
    assert await tested_company.sessions_here(tested_company.admin.id) == [None]
    assert await reasons(tested_company) == []


async def test_a_session_that_came_through_no_longer_counts_so_once_the_connection_is_off(
    connection_on: Company, sign_in_through_company: SignInThroughCompany
) -> None:
    browser = await sign_in_through_company(connection_on, connection_on.address("carol"))
    await connection_on.change(on_at=None)

    await browser.get(await callback_of_renewal(browser), 303)

    account = await connection_on.account(connection_on.address("carol"))
    assert account is not None
    assert await connection_on.sessions_here(account.id) == [None]


@pytest.mark.parametrize("path", ["/sign-in", FRESH])
async def test_a_sign_in_through_a_connection_that_is_off_is_refused_beside_an_own_session(
    tested_company: Company, path: str
) -> None:
    page = await tested_company.refusal(tested_company.browser, path=path)

    assert "has not turned its single sign-on on" in page
    assert await tested_company.sessions_here(tested_company.admin.id) == [None]


async def test_a_fresh_sign_in_through_a_connection_that_is_off_is_no_renewal(
    tested_company: Company,
) -> None:
    connector_id = (await tested_company.connection()).connector_id
    started = await tested_company.browser.get("/sign-in/fresh", 303)
    url = f"{started.headers['Location']}&direct_sign_in=sso:{connector_id}"
    callback = await tested_company.browser.callback_of(url, None)

    page = await text_of(await tested_company.browser.get(callback, 400))

    assert "has not turned its single sign-on on" in page


async def test_a_renewal_in_a_browser_with_somebody_elses_session_is_refused(
    tested_company: Company, bob: Person, open_browser: OpenBrowser
) -> None:
    bobs = await open_browser(bob)
    tested_company.browser.session_cookie = bobs.session_cookie

    await tested_company.browser.get(await callback_of_renewal(tested_company.browser), 400)

    assert await reasons(tested_company) == ["single sign-on is off"]
    assert await tested_company.management.list_user_sessions(tested_company.admin.id) == []
    assert await tested_company.sessions_here(bob.id) == [None]


async def test_a_renewal_without_a_session_here_is_refused(tested_company: Company) -> None:
    callback = await callback_of_renewal(tested_company.browser)
    tested_company.browser.session_cookie = ""

    await tested_company.browser.get(callback, 400)

    assert await reasons(tested_company) == ["single sign-on is off"]


async def test_a_renewal_still_meets_every_other_objection(tested_company: Company) -> None:
    await tested_company.lose()

    await tested_company.browser.get(await callback_of_renewal(tested_company.browser), 400)

    assert await reasons(tested_company) == ["the address is outside the domains"]


@pytest.fixture
def ending_meanwhile(
    tested_company: Company, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], None]:
    """``ending_meanwhile()``: Ada's sessions here end while Logto is asked about her."""
    read = ManagementClient.get_user_with_sso

    async def end_and_read(client: ManagementClient, user_id: str) -> LogtoUser:
        await runtime.sessions.end_all(tested_company.admin.id)
        return await read(client, user_id)

    return lambda: monkeypatch.setattr(ManagementClient, "get_user_with_sso", end_and_read)


async def test_a_session_that_ended_during_its_renewal_does_not_come_back(
    tested_company: Company, ending_meanwhile: Callable[[], None]
) -> None:
    callback = await callback_of_renewal(tested_company.browser)
    ending_meanwhile()

    await tested_company.browser.get(callback, 400)

    assert await tested_company.sessions_here(tested_company.admin.id) == []


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
