"""Testing a connection: an admin signs in through it once, before anybody else can."""

from __future__ import annotations

import re

import pytest
from local_logto.fakes.openid import FakeOpenId

from saas_app.identity.membership_changes import mark_changed
from saas_app.logto import LogtoUser, ManagementClient
from saas_app.runtime import Runtime
from saas_app.single_sign_on.queries import delete_connection
from saas_app.single_sign_on.values import Stage
from tests.clients import Browser, Person, text_of
from tests.conftest import OpenBrowser
from tests.factories import Factory, address_of
from tests.integration.single_sign_on.company import Company, new_company


@pytest.fixture
async def configured(company: Company) -> Company:
    """The company, after its provider was entered. Ada sits at the provider."""
    await company.connect(Stage.CONFIGURED)
    company.asserts(company.address(company.admin.username))
    return company


async def begin(company: Company, browser: Browser | None = None) -> str:
    """Start a test and go through the provider. Return the callback without opening it."""
    at = browser or company.browser
    started = await at.get(f"{company.root}/single-sign-on/test", 303)
    return await at.callback_of(started.headers["Location"], None)


async def assert_not_tested(company: Company) -> None:
    assert (await company.connection()).tested_at is None
    assert await company.events("sso.test") == []


async def test_a_test_by_the_admin_succeeds_and_says_which_claims_arrived(configured: Company) -> None:
    callback = await begin(configured)

    done = await configured.browser.get(callback, 303)

    assert done.headers["Location"] == f"{configured.root}/single-sign-on#test"
    connection = await configured.connection()
    assert (connection.stage, connection.tested_by) == (Stage.TESTED, configured.admin.id)
    (event,) = await configured.events("sso.test")
    assert (event.actor_id, event.actor_name) == (configured.admin.id, "Ada")
    assert event.after is not None
    assert {"email", "id", "name"} <= set(event.after["claims"])
    assert configured.address(configured.admin.username) not in str(event.after)


async def test_a_test_keeps_the_session_of_the_admin_as_it_is(configured: Company) -> None:
    before = configured.browser.session_cookie

    done = await configured.browser.get(await begin(configured), 303)

    assert "workroom_session" not in str(done.headers.getlist("Set-Cookie"))
    assert configured.browser.session_cookie == before
    assert await configured.sessions_here(configured.admin.id) == [None]


async def test_the_admin_can_go_on_with_new_tokens_after_a_test(
    configured: Company, runtime: Runtime
) -> None:
    await configured.browser.get(await begin(configured), 303)
    async with runtime.work.writing(configured.id) as db:
        await mark_changed(db, configured.id, [configured.admin.id])

    await configured.browser.get(f"{configured.root}/members")


async def test_a_test_that_is_opened_again_leads_to_the_same_page(configured: Company) -> None:
    callback = await begin(configured)
    await configured.browser.get(callback, 303)

    again = await configured.browser.get(callback, 303)

    assert again.headers["Location"] == f"{configured.root}/single-sign-on#test"
    assert len(await configured.events("sso.test")) == 1


async def test_a_connection_that_is_on_can_be_tested_too(connection_on: Company) -> None:
    await connection_on.change(tested_at=None, tested_by=None)
    connection_on.asserts(connection_on.address(connection_on.admin.username))

    await connection_on.browser.get(await begin(connection_on), 303)

    assert (await connection_on.connection()).tested_at is not None


async def test_the_account_of_somebody_else_fails_the_test(
    configured: Company, make: Factory, open_browser: OpenBrowser
) -> None:
    other = await make.person("Olga", domain=configured.domain)
    configured.asserts(configured.address(other.username))

    page = await text_of(await configured.browser.get(await begin(configured), 400))

    assert "led to another account than yours" in page
    assert "nothing was changed" in page
    assert f'href="{configured.root}/single-sign-on#test"' in page
    await assert_not_tested(configured)
    assert await configured.management.list_user_sessions(other.id) == []
    assert await configured.sessions_here(other.id) == []


async def test_the_admin_stays_signed_in_after_a_test_with_another_account(
    configured: Company, make: Factory, runtime: Runtime
) -> None:
    configured.asserts(address_of(await make.person("Victor")))
    await configured.browser.get(await begin(configured), 400)
    async with runtime.work.writing(configured.id) as db:
        await mark_changed(db, configured.id, [configured.admin.id])

    await configured.browser.get(f"{configured.root}/members")

    assert await configured.sessions_here(configured.admin.id) == [None]


async def test_a_new_account_fails_the_test(configured: Company) -> None:
    configured.asserts()

    await configured.browser.get(await begin(configured), 400)

    await assert_not_tested(configured)


@pytest.mark.parametrize("email", [None, "ada@elsewhere.example"])
async def test_a_wrong_address_fails_the_test(configured: Company, email: str | None) -> None:
    await configured.browser.get(await begin(configured), 303)
    await configured.change(tested_at=None, tested_by=None)
    configured.asserts(email, sub=configured.provider.person.id)

    await configured.browser.get(await begin(configured), 400)

    assert (await configured.connection()).tested_at is None
    (event,) = await configured.events("sso.refuse")
    assert event.target_id == configured.admin.id


async def test_a_domain_that_was_lost_fails_the_test(configured: Company) -> None:
    callback = await begin(configured)
    await configured.lose()

    await configured.browser.get(callback, 400)

    await assert_not_tested(configured)


@pytest.mark.parametrize("changes", [{"issuer": "https://new.example"}, {"client_id": "new"}])
async def test_a_test_that_began_before_a_change_of_the_provider_does_not_count(
    configured: Company, changes: dict[str, str]
) -> None:
    callback = await begin(configured)
    await configured.change(**changes)

    page = await text_of(await configured.browser.get(callback, 400))

    assert "was changed during the test" in page
    await assert_not_tested(configured)


async def test_a_test_of_a_connection_that_was_removed_fails(configured: Company, runtime: Runtime) -> None:
    callback = await begin(configured)
    async with runtime.work.writing(configured.id) as db:
        await delete_connection(db, configured.id)

    await configured.browser.get(callback, 400)


async def test_a_test_that_went_another_way_fails(configured: Company) -> None:
    started = await configured.browser.get(f"{configured.root}/single-sign-on/test", 303)
    url = re.sub(r"&direct_sign_in=[^&]+", "", started.headers["Location"])
    callback = await configured.browser.callback_of(url, configured.admin)

    page = await text_of(await configured.browser.get(callback, 400))

    assert "did not sign in through the identity provider" in page
    await assert_not_tested(configured)


async def test_a_test_through_another_organizations_connector_fails(
    configured: Company,
    company_provider: FakeOpenId,
    make: Factory,
    open_browser: OpenBrowser,
    runtime: Runtime,
) -> None:
    other = await new_company(make, open_browser, runtime, company_provider)
    connector_id = await other.connect(Stage.CONFIGURED)
    started = await configured.browser.get(f"{configured.root}/single-sign-on/test", 303)
    url = re.sub(r"(direct_sign_in=sso%3A)\w+", rf"\g<1>{connector_id}", started.headers["Location"])
    callback = await configured.browser.callback_of(url, None)

    await configured.browser.get(callback, 400)

    await assert_not_tested(configured)


async def test_a_test_whose_admin_signed_out_meanwhile_fails(configured: Company) -> None:
    callback = await begin(configured)
    configured.browser.session_cookie = ""

    page = await text_of(await configured.browser.get(callback, 400))

    assert "you are signed out" in page

    await assert_not_tested(configured)
    await configured.browser.get("/account", 303)


async def test_a_test_of_one_admin_is_not_completed_in_the_session_of_another(
    configured: Company, make: Factory, open_browser: OpenBrowser
) -> None:
    bob: Person = await make.member(configured.id, "Bob", "admin")
    bobs = await open_browser(bob)
    callback = await begin(configured)
    configured.browser.session_cookie = bobs.session_cookie

    await configured.browser.get(callback, 400)

    await assert_not_tested(configured)


async def test_a_provider_that_is_changed_while_a_test_ends_is_not_tested(
    configured: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    callback = await begin(configured)
    read = ManagementClient.get_user_with_sso

    async def change_meanwhile(client: ManagementClient, user_id: str) -> LogtoUser:
        await configured.change(issuer="https://new.example")
        return await read(client, user_id)

    monkeypatch.setattr(ManagementClient, "get_user_with_sso", change_meanwhile)

    await configured.browser.get(callback, 400)

    await assert_not_tested(configured)


async def test_the_admin_can_go_on_after_a_test_that_failed_for_their_own_account(
    configured: Company, runtime: Runtime
) -> None:
    callback = await begin(configured)
    await configured.lose()
    await configured.browser.get(callback, 400)
    async with runtime.work.writing(configured.id) as db:
        await mark_changed(db, configured.id, [configured.admin.id])

    await configured.browser.get(f"{configured.root}/members")
