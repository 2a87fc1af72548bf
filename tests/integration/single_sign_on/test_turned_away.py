"""What a person sees whom the identity provider of their company turned away, and how they go on."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from structlog.testing import capture_logs

from tests.clients import Browser
from tests.factories import Factory
from tests.integration.single_sign_on.company import Company


async def turned_away(company: Company, browser: Browser, error: str = "access_denied") -> str:
    """Go to the provider, which says no, and come back. Return the page."""
    connector_id = (await company.connection()).connector_id
    app_url = company.runtime.settings.app_url
    here = await browser.logto.authorize(await company.way(browser), None, f"{app_url}/sso/")
    departed = await browser.get(here.removeprefix(app_url), 303)
    (state,) = parse_qs(urlsplit(departed.headers["Location"]).query)["state"]
    return await browser.text(f"/sso/{connector_id}/callback?state={state}&error={error}", 400)


def ways_on(page: str) -> list[str]:
    """Return the ways to sign in that a page offers in its main part."""
    main = page[page.index("<main") : page.index("</main>")]
    return [link for link in ("/sign-in?direct_sign_in=sso%3A", '/sign-in"') if link in main]


async def test_a_person_whom_the_provider_denies_can_try_again_or_sign_in_another_way(
    connection_on: Company, browser: Browser
) -> None:
    page = await turned_away(connection_on, browser)

    assert "You cancelled, or it does not let you in." in page
    assert ways_on(page) == ["/sign-in?direct_sign_in=sso%3A", '/sign-in"']
    await browser.get("/account", 303)


async def test_trying_again_leads_through_the_provider(connection_on: Company, browser: Browser) -> None:
    page = await turned_away(connection_on, browser)
    connection_on.asserts()
    (way,) = [part.partition('"')[0] for part in page.split('href="') if "direct_sign_in" in part]

    await browser.come_back((await browser.get(way, 303)).headers["Location"], None)

    await browser.get("/account")


async def test_another_way_is_any_that_logto_offers(
    connection_on: Company, browser: Browser, make: Factory
) -> None:
    person = await make.person()
    await turned_away(connection_on, browser)

    await browser.sign_in(person)

    await browser.get("/account")


async def test_what_the_provider_said_is_logged_for_the_operator(
    connection_on: Company, browser: Browser
) -> None:
    with capture_logs() as logs:
        await turned_away(connection_on, browser, "unauthorized_client")

    (line,) = [line for line in logs if line["event"] == "a provider signed nobody in"]
    assert (line["reason"], line["organization_id"]) == ("unauthorized_client", connection_on.id)


async def test_an_address_that_does_not_count_leaves_both_ways_open(
    connection_on: Company, browser: Browser
) -> None:
    connection_on.asserts("carol@elsewhere.example")

    page = await connection_on.refusal(browser)

    assert ways_on(page) == ["/sign-in?direct_sign_in=sso%3A", '/sign-in"']


async def test_a_provider_that_is_down_leaves_both_ways_open(
    connection_on: Company, browser: Browser
) -> None:
    connection_on.provider.metadata = {"issuer": "https://login.other.example"}

    page = await connection_on.refusal(browser)

    assert ways_on(page) == ["/sign-in?direct_sign_in=sso%3A", '/sign-in"']


async def test_a_connection_that_is_off_is_not_offered_again(
    connection_on: Company, browser: Browser
) -> None:
    await connection_on.change(on_at=None)

    page = await connection_on.refusal(browser)

    assert ways_on(page) == ['/sign-in"']
