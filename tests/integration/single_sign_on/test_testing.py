"""Testing a connection: an admin goes to the provider and back once, and Logto has no part in it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from local_logto.fakes.openid import FakeOpenId
from quart.wrappers import Response

from saas_app.identity.membership_changes import mark_changed
from saas_app.runtime import Runtime
from saas_app.single_sign_on.broker import service
from saas_app.single_sign_on.broker.provider_sign_in import ProviderSignIn
from saas_app.single_sign_on.changes.testing import note_test
from saas_app.single_sign_on.queries import delete_connection
from saas_app.single_sign_on.values import Stage
from tests.clients import FRESH, Browser, text_of
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.single_sign_on.company import Company, new_company


@pytest.fixture(autouse=True)
async def fresh(company: Company) -> None:
    """Ada has just signed in."""
    await company.browser.sign_in(company.admin, FRESH)


@pytest.fixture
async def configured(company: Company) -> Company:
    """The company, after its provider was entered. Ada sits at the provider."""
    await company.connect(Stage.CONFIGURED)
    company.asserts(company.address(company.admin.username))
    return company


def page_of(company: Company) -> str:
    return f"{company.root}/single-sign-on"


async def begin(company: Company) -> str:
    """Start a test and go through the provider. Return the callback, without opening it."""
    started = await company.browser.get(f"{page_of(company)}/test", 303)
    async with aiohttp.ClientSession() as http:
        answer = await http.get(started.headers["Location"], allow_redirects=False)
    way_back = urlsplit(answer.headers["Location"])
    return f"{way_back.path}?{way_back.query}"


async def finish(company: Company, expect: int = 303) -> Response:
    """Test the connection."""
    return await company.browser.get(await begin(company), expect)


async def fail(company: Company, callback: str = "") -> str:
    """Open the callback of a test, which must fail and leave everything as it is. Return the page."""
    before = await company.connection()
    page = await text_of(await company.browser.get(callback or await begin(company), 400))
    assert "The test failed" in page
    assert "Nothing was changed." in page
    assert f'href="{page_of(company)}#test"' in page
    assert (await company.connection(), await company.events("sso.test")) == (before, [])
    return page


# A test that succeeds


async def test_a_test_goes_straight_to_the_provider(configured: Company) -> None:
    started = await configured.browser.get(f"{page_of(configured)}/test", 303)

    there = urlsplit(started.headers["Location"])
    assert f"{there.scheme}://{there.netloc}" == configured.provider.base_url
    connector_id = (await configured.connection()).connector_id
    (redirect_uri,) = parse_qs(there.query)["redirect_uri"]
    assert redirect_uri == configured.runtime.registration.redirect_uri(connector_id)


async def test_a_test_by_the_admin_succeeds_and_says_which_claims_arrived(configured: Company) -> None:
    done = await finish(configured)

    assert done.headers["Location"] == f"{page_of(configured)}#test"
    connection = await configured.connection()
    assert (connection.stage, connection.tested_by) == (Stage.TESTED, configured.admin.id)
    (event,) = await configured.events("sso.test")
    assert (event.actor_id, event.actor_name) == (configured.admin.id, "Ada")
    assert {"email", "sub", "name"} <= set((event.after or {})["claims"])
    assert configured.address(configured.admin.username) not in str(event.after)
    page = await configured.browser.text(page_of(configured))
    assert "The test succeeded." in page
    assert "Ada signed in through the provider" in page


async def test_a_test_changes_nothing_at_logto(configured: Company) -> None:
    admin, management = configured.admin.id, configured.management
    before = await management.get_user_with_sso(admin)
    sessions = await management.list_user_sessions(admin)

    await finish(configured)

    assert await management.get_user_with_sso(admin) == before
    assert await management.list_user_sessions(admin) == sessions


async def test_a_test_keeps_the_session_of_the_admin_as_it_is(configured: Company) -> None:
    done = await finish(configured)

    assert "workroom_session" not in str(done.headers.getlist("Set-Cookie"))
    assert await configured.sessions_here(configured.admin.id) == [None]


async def test_the_admin_can_go_on_with_new_tokens_after_a_test(
    configured: Company, runtime: Runtime
) -> None:
    await finish(configured)
    async with runtime.work.writing(configured.id) as db:
        await mark_changed(db, configured.id, [configured.admin.id])

    await configured.browser.get(f"{configured.root}/members")


async def test_the_case_of_the_address_does_not_matter(configured: Company) -> None:
    configured.asserts(configured.address(configured.admin.username).upper())

    await finish(configured)

    assert (await configured.connection()).stage is Stage.TESTED


async def test_a_test_counts_once(configured: Company) -> None:
    callback = await begin(configured)
    await configured.browser.get(callback, 303)

    page = await text_of(await configured.browser.get(callback, 400))

    assert "has already been used" in page
    assert "You can sign in again." not in page  # Ada still is
    assert len(await configured.events("sso.test")) == 1


async def test_a_connection_that_is_on_can_be_tested_too(connection_on: Company) -> None:
    await connection_on.change(tested_at=None, tested_by=None)
    connection_on.asserts(connection_on.address(connection_on.admin.username))

    await finish(connection_on)

    assert (await connection_on.connection()).tested_at is not None


# What the provider says


async def test_the_address_of_somebody_else_fails_the_test(configured: Company, make: Factory) -> None:
    other = await make.person("Olga", domain=configured.domain)
    configured.asserts(configured.address(other.username))

    page = await fail(configured)

    assert "named another email address than that of your account" in page
    assert "You are still signed in to Workroom as before." in page
    (event,) = await configured.events("sso.refuse")
    assert (event.after or {})["reason"] == "the address is not that of the person who tested"
    assert await configured.sessions_here(other.id) == []


@pytest.mark.parametrize(
    ("email", "problem"),
    [(None, "did not confirm an email address"), ("ada@elsewhere.example", "sign out at the provider first")],
)
async def test_an_address_that_does_not_count_fails_the_test(
    configured: Company, email: str | None, problem: str
) -> None:
    configured.asserts(email)

    assert problem in await fail(configured)


@pytest.mark.parametrize("verified", [False, None])
async def test_an_unverified_address_fails_the_test(configured: Company, verified: bool | None) -> None:
    configured.asserts(configured.address(configured.admin.username), email_verified=verified)

    assert "did not confirm an email address" in await fail(configured)


async def test_a_domain_that_was_lost_fails_the_test(configured: Company) -> None:
    callback = await begin(configured)
    await configured.lose()

    assert "outside your organization’s verified domains" in await fail(configured, callback)


async def test_the_page_of_the_wizard_says_why_a_test_failed(configured: Company) -> None:
    configured.asserts("ada@elsewhere.example")
    await fail(configured)

    page = await configured.browser.text(page_of(configured))

    assert "The last sign-in was rejected" in page
    assert "outside your organization’s verified domains" in page


# The provider fails, or says no


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        ("access_denied", "You cancelled, or it does not let you in."),
        ("invalid_scope", "has to check the client, its redirect URI and the scopes"),
        ("temporarily_unavailable", "has a problem and did not sign you in"),
        ("strange_error", "strange_error"),
    ],
)
async def test_a_provider_that_says_no_fails_the_test(configured: Company, error: str, problem: str) -> None:
    callback = await begin(configured)
    path, query = callback.split("?")
    state = parse_qs(query)["state"][0]

    page = await fail(configured, f"{path}?state={state}&error={error}&iss={configured.provider.issuer}")

    assert problem in page


async def test_a_wrong_secret_fails_the_test(configured: Company) -> None:
    configured.provider.client_secret = "another"

    assert "did not accept Workroom’s client ID or client secret" in await fail(configured)


async def test_a_token_for_another_client_fails_the_test(configured: Company) -> None:
    configured.provider.id_token = {"aud": "somebody-else"}

    assert "could not be verified" in await fail(configured)


async def test_a_provider_that_is_down_when_the_test_begins_fails_it(configured: Company) -> None:
    configured.provider.metadata = {"authorization_endpoint": None}

    page = await text_of(await configured.browser.get(f"{page_of(configured)}/test", 400))

    assert "The test failed" in page
    assert "publishes no usable “authorization_endpoint”" in page
    assert f'href="{page_of(configured)}#test"' in page


async def test_a_provider_that_is_down_when_the_test_ends_fails_it(configured: Company) -> None:
    callback = await begin(configured)
    configured.provider.metadata = {"issuer": "https://login.other.example"}

    assert "publishes another issuer" in await fail(configured, callback)


# Something changes meanwhile


@pytest.mark.parametrize(
    "changes", [{"issuer": "https://new.example"}, {"client_id": "new"}, {"scopes": "openid email groups"}]
)
async def test_a_test_that_began_before_a_change_of_the_provider_does_not_count(
    configured: Company, changes: dict[str, str]
) -> None:
    callback = await begin(configured)
    await configured.change(**changes)

    assert "was changed while you were at the identity provider" in await fail(configured, callback)


async def test_a_provider_that_is_changed_while_a_test_ends_is_not_tested(
    configured: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    callback = await begin(configured)
    come_back = ProviderSignIn.come_back

    async def change_meanwhile(*given: object) -> dict[str, object]:
        claims = await come_back(*given)  # type: ignore[arg-type]
        await configured.change(issuer="https://new.example")
        return claims

    monkeypatch.setattr(ProviderSignIn, "come_back", change_meanwhile)

    page = await text_of(await configured.browser.get(callback, 400))

    assert "was changed while you were at the identity provider" in page
    assert (await configured.connection()).tested_at is None


async def test_a_provider_that_is_changed_just_before_a_test_is_recorded_is_not_tested(
    configured: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test waits for its turn in the organization. In the turn before, an admin changes the provider."""
    callback = await begin(configured)

    async def change_first(*given: Any) -> None:
        await configured.change(issuer="https://new.example")
        await note_test(*given)

    monkeypatch.setattr(service, "note_test", change_first)

    page = await text_of(await configured.browser.get(callback, 400))

    assert "was changed while you were at the identity provider" in page
    assert (await configured.connection()).tested_at is None


async def test_a_test_of_a_connection_that_was_removed_fails(configured: Company, runtime: Runtime) -> None:
    callback = await begin(configured)
    async with runtime.work.writing(configured.id) as db:
        await delete_connection(db, configured.id)

    page = await text_of(await configured.browser.get(callback, 400))

    assert "has removed its single sign-on" in page
    assert await configured.events("sso.test") == []


async def test_a_test_whose_admin_signed_out_meanwhile_fails(configured: Company) -> None:
    callback = await begin(configured)
    configured.browser.session_cookie = ""

    page = await fail(configured, callback)

    assert "You are no longer signed in" in page
    assert "still signed in" not in page
    await configured.browser.get("/account", 303)


async def test_a_test_of_one_admin_is_not_completed_in_the_session_of_another(
    configured: Company, make: Factory, open_browser: OpenBrowser
) -> None:
    bobs = await open_browser(await make.member(configured.id, "Bob", "admin"))
    callback = await begin(configured)
    configured.browser.session_cookie = bobs.session_cookie

    await fail(configured, callback)


async def test_a_test_is_completed_only_in_the_browser_that_began_it(
    configured: Company, open_browser: OpenBrowser
) -> None:
    callback = await begin(configured)
    elsewhere: Browser = await open_browser(configured.admin)

    page = await text_of(await elsewhere.get(callback, 400))

    assert "was started in another browser" in page
    assert await configured.events("sso.test") == []


async def test_an_answer_for_another_organizations_connection_completes_no_test(
    configured: Company,
    company_provider: FakeOpenId,
    make: Factory,
    open_browser: OpenBrowser,
    runtime: Runtime,
) -> None:
    other = await new_company(make, open_browser, runtime, company_provider)
    own, others = (await configured.connection()).connector_id, await other.connect(Stage.CONFIGURED)
    callback = (await begin(configured)).replace(own, others)

    await configured.browser.get(callback, 400)

    assert await configured.events("sso.test") == await other.events("sso.test") == []
