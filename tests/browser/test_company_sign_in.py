"""Single sign-on from end to end: set up, used, required, and rescued when the provider is down."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from playwright.async_api import Browser, Page, expect

from saas_app.rbac.permissions import Role
from tests.browser.company_site import (
    CLAIM,
    SCOPE,
    Company,
    SsoSite,
    open_sso_site,
    origins,
    running_company,
)
from tests.browser.conftest import OpenPage, watched_pages
from tests.browser.page_checks import findings_on
from tests.browser.steps import (
    account_menu,
    enter_credentials,
    identifier_field,
    password_field,
    start_session,
)
from tests.clients import FRESH, Person
from tests.processes import Provider

PHONE = {"is_mobile": True, "reduced_motion": "reduce"}
SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])


@pytest.fixture(scope="module")
async def stage(chromium_path: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SsoSite]:
    async with open_sso_site(tmp_path_factory.mktemp("sso")) as opened:
        yield opened


@pytest.fixture
def switch_off(tmp_path: Path) -> Iterator[ExitStack]:
    """What runs the company's provider. Closing it stops the provider."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def provider(switch_off: ExitStack, tmp_path: Path) -> Provider:
    """The company's identity provider."""
    return switch_off.enter_context(running_company(tmp_path))


@pytest.fixture
async def acme(stage: SsoSite, provider: Provider) -> Company:
    return await stage.company(provider)


@pytest.fixture
async def open_here(browser: Browser, stage: SsoSite, provider: Provider) -> AsyncIterator[OpenPage]:
    """``await open_here(carol)``: a page of the site. The provider's pages may be visited too."""
    async with watched_pages(browser, stage.site, origins(stage, provider), stage.site.origins) as open_one:
        yield open_one


async def as_ada(
    open_here: OpenPage, stage: SsoSite, acme: Company, *, scripts: bool = True, **options: object
) -> Page:
    """Return a page of the admin, who has just signed in with her password."""
    page = await open_here(java_script_enabled=scripts, **options)
    await start_session(page, stage.site, acme.ada, FRESH)
    return page


async def set_up(page: Page, acme: Company) -> None:
    """Connect the provider, from the settings on, until it can be tested."""
    await page.goto(f"{acme.root}/settings")
    await page.get_by_role("link", name="Manage single sign-on").click()
    await page.get_by_role("button", name="Set up single sign-on").click()
    await page.get_by_label(acme.domain).check()
    await page.get_by_role("button", name="Save domains").click()
    redirect_uri = await page.get_by_label("Redirect URI").input_value()
    client = acme.provider.application(redirect_uri)
    await page.get_by_label("Name of the provider").fill("Acme Login")
    await page.get_by_label("Issuer").fill(acme.provider.issuer)
    await page.get_by_label("Client ID").fill(client.id)
    await page.get_by_label("Client secret").fill(client.secret)
    await page.get_by_label("Further scopes").fill(SCOPE)
    await page.get_by_role("button", name="Save provider").click()
    await expect(page.get_by_role("main")).to_contain_text("Provider saved. Test it now.")


async def try_it(page: Page, acme: Company) -> None:
    """Sign in through the provider as the admin, as the page asks."""
    await page.get_by_role("link", name="Test sign-in").click()
    await enter_credentials(page, acme.ada)
    await expect(page.get_by_role("main")).to_contain_text("Ada signed in through the provider on")


async def turn_on(page: Page) -> None:
    """Turn single sign-on on, on its page."""
    await page.get_by_text("Turn on…").click()
    await page.get_by_role("button", name="Turn on single sign-on").click()
    await expect(page.get_by_role("main")).to_contain_text("Single sign-on is on.")


async def let_people_join(page: Page, acme: Company) -> None:
    """Let everybody at the provider join, and map its group to a role."""
    await page.get_by_label("Everybody who can sign in at your provider").check()
    await page.get_by_role("button", name="Save", exact=True).click()
    await page.get_by_label("Claim with the groups").fill(CLAIM)
    await page.get_by_label("Group", exact=True).first.fill(acme.group)
    await page.get_by_label("Role", exact=True).first.select_option(Role.EDITOR.value)
    await page.get_by_role("button", name="Save groups").click()
    await expect(page.get_by_role("main")).to_contain_text("Roles of groups saved.")


async def require(page: Page) -> None:
    """Require single sign-on. Ada, who has a username and a password, is the recovery admin."""
    await page.get_by_role("link", name="Require…").click()
    await page.get_by_role("radio", name="Ada").check()
    await page.get_by_role("button", name="Require single sign-on").click()
    await expect(page.get_by_role("main")).to_contain_text("Ada is the recovery admin")


async def connect_fully(open_here: OpenPage, stage: SsoSite, acme: Company, *, scripts: bool = True) -> Page:
    """Set single sign-on up, test it and turn it on. Returns the admin's page."""
    page = await as_ada(open_here, stage, acme, scripts=scripts)
    await set_up(page, acme)
    await try_it(page, acme)
    await let_people_join(page, acme)
    await turn_on(page)
    return page


async def go_to_company(page: Page, acme: Company, person: Person) -> None:
    """Enter the address on Logto's page, which sends the browser to the company."""
    await page.goto("/sign-in")
    await identifier_field(page).fill(acme.address(person.username))
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("link", name="Acme Login").click()
    await expect(password_field(page)).to_be_visible()


async def sign_in_by_address(page: Page, acme: Company, person: Person) -> None:
    """Sign in at the company, and come back through Logto."""
    await go_to_company(page, acme, person)
    await enter_credentials(page, person)
    await expect(account_menu(page)).to_be_visible()


@SCRIPTS
async def test_an_admin_connects_the_company_and_a_new_employee_comes_in(
    open_here: OpenPage, stage: SsoSite, acme: Company, scripts: bool
) -> None:
    """One scenario: set up, tested and turned on; an engineer without an account gets the mapped role."""
    await connect_fully(open_here, stage, acme, scripts=scripts)
    erin = acme.employ("erin", is_engineer=True)

    page = await open_here(java_script_enabled=scripts)
    await sign_in_by_address(page, acme, erin)

    await page.goto(f"{acme.root}/access")
    await expect(page.get_by_role("main")).to_contain_text("editor")
    await page.goto("/account")
    main = page.get_by_role("main")
    await expect(main).to_contain_text("Accepted by Workroom")
    await expect(main).to_contain_text(acme.address("erin"))
    await expect(main).to_contain_text("Signed in through Acme Login.")


async def test_a_colleague_with_an_account_is_linked_and_comes_in_where_it_is_required(
    open_here: OpenPage, stage: SsoSite, acme: Company
) -> None:
    """One scenario: a session with a password is refused, and the button leads through the provider."""
    admin = await connect_fully(open_here, stage, acme)
    await require(admin)
    page = await open_here(acme.carol)

    await page.goto(f"{acme.root}/projects")

    await expect(
        page.get_by_role("heading", name="This organization requires single sign-on")
    ).to_be_visible()
    await page.get_by_role("link", name="Sign in with Acme Login").click()
    await enter_credentials(page, acme.carol)
    await expect(page.get_by_role("heading", name="Projects", level=1)).to_be_visible()
    [linked] = (await stage.people.management.get_user_with_sso(acme.carol.id)).sso_identities
    assert linked.issuer.startswith(f"{stage.site.url}/sso/")


async def test_a_false_address_is_rejected_on_a_page_that_leads_back(
    open_here: OpenPage, stage: SsoSite, acme: Company
) -> None:
    """One scenario: mallory claims the address of alice, and ada finds that in the audit log."""
    admin = await connect_fully(open_here, stage, acme)
    alice = await stage.people.person("Alice")
    mallory = acme.employ("mallory", email=f"{alice.username}@example.test")
    page = await open_here()

    await go_to_company(page, acme, mallory)
    await enter_credentials(page, mallory)

    await expect(page.get_by_role("main")).to_contain_text("outside your organization’s verified domains")
    assert (await stage.people.management.get_user_with_sso(alice.id)).sso_identities == ()
    await admin.goto(f"{acme.root}/audit")
    await expect(admin.get_by_role("main")).to_contain_text("rejected a sign-in through single sign-on")
    await page.get_by_role("link", name="Sign in another way").click()
    await expect(identifier_field(page)).to_be_visible()


async def test_whoever_cancels_at_the_provider_can_sign_in_again(
    open_here: OpenPage, stage: SsoSite, acme: Company
) -> None:
    """The development provider has no button for that, so the test opens what a provider redirects to."""
    await connect_fully(open_here, stage, acme)
    page = await open_here()
    async with page.expect_request(re.compile(r"/oidc/auth\?.*redirect_uri=.*%2Fsso%2F")) as asked:
        await go_to_company(page, acme, acme.carol)
    question = dict(parse_qsl(urlsplit((await asked.value).url).query))
    answer = {"error": "access_denied", "state": question["state"], "iss": acme.provider.issuer}

    await page.goto(f"{question['redirect_uri']}?{urlencode(answer)}")

    await expect(page.get_by_role("main")).to_contain_text("You cancelled, or it does not let you in.")
    await page.get_by_role("link", name="Try again").click()
    await enter_credentials(page, acme.carol)
    await expect(account_menu(page)).to_be_visible()


async def test_a_provider_that_is_down_locks_nobody_out_for_long(
    open_here: OpenPage, stage: SsoSite, acme: Company, switch_off: ExitStack
) -> None:
    """One scenario: the recovery admin comes in with her password, and makes single sign-on optional."""
    await require(await connect_fully(open_here, stage, acme))
    switch_off.close()
    member = await open_here(acme.carol)
    await member.goto(f"{acme.root}/projects")
    await expect(member.get_by_role("link", name="Sign in with Acme Login")).to_be_visible()

    admin = await as_ada(open_here, stage, acme)
    await admin.goto(acme.page)
    await admin.get_by_role("button", name="Make optional").click()

    await expect(admin.get_by_text("Not required")).to_be_visible()
    await member.reload()
    await expect(member.get_by_role("heading", name="Projects", level=1)).to_be_visible()


async def test_the_page_can_be_used_with_the_keyboard(
    open_here: OpenPage, stage: SsoSite, acme: Company
) -> None:
    """The confirmation opens on *Cancel*, and the step back leads to the button that turns it on."""
    page = await as_ada(open_here, stage, acme)
    await set_up(page, acme)
    await try_it(page, acme)

    await page.get_by_text("Turn on…").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Cancel").and_(page.locator(":focus"))).to_be_visible()
    await page.keyboard.press("Shift+Tab")
    await expect(page.get_by_role("button", name="Turn on single sign-on")).to_be_focused()
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("main")).to_contain_text("Single sign-on is on.")


async def test_pages_of_single_sign_on_are_accessible_and_fit_a_phone(
    open_here: OpenPage, stage: SsoSite, acme: Company
) -> None:
    page = await as_ada(open_here, stage, acme, **PHONE)
    assert await findings_on(page, _steps(page, acme)) == []


async def _steps(page: Page, acme: Company) -> AsyncIterator[str]:
    await page.goto(acme.page)
    yield acme.page
    await set_up(page, acme)
    yield acme.page
    await page.get_by_label("Client ID").clear()
    await page.get_by_role("button", name="Save provider").click()
    await expect(page.get_by_role("alert").first).to_be_visible()
    yield "a form with errors"
    await page.goto(acme.page)
    await try_it(page, acme)
    await let_people_join(page, acme)
    await turn_on(page)
    yield acme.page
    await page.goto(f"{acme.page}/require")
    yield f"{acme.page}/require"
    await page.goto("/account")
    yield "/account"


async def test_pages_between_provider_and_logto_are_accessible_and_fit_a_phone(
    open_here: OpenPage, stage: SsoSite, acme: Company
) -> None:
    await connect_fully(open_here, stage, acme)
    page = await open_here(**PHONE)
    assert await findings_on(page, _pages_between(page, stage, acme)) == []


async def _pages_between(page: Page, stage: SsoSite, acme: Company) -> AsyncIterator[str]:
    """The first page moves on at once, but stays if Logto answers without a page."""
    await page.context.route(f"{stage.site.logto}/callback/**", lambda route: route.fulfill(status=204))
    await go_to_company(page, acme, acme.carol)
    await enter_credentials(page, acme.carol)
    await expect(page.get_by_role("link", name="Continue")).to_be_visible()
    yield "the way to Logto"
    await page.reload()
    await expect(page.get_by_role("heading", name="Sign-in failed")).to_be_visible()
    yield "a refused sign-in"
