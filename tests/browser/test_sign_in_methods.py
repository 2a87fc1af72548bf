"""Every declared way in, through providers that behave as Mailgun, GatewayAPI and Naver do."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable

import pyotp
import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from saas_app.identity.management import ManagementClient
from saas_app.identity.management.client import connect
from tests.browser.conftest import DESKTOP, PATIENCE
from tests.browser.methods_site import MethodsSite, open_methods_site
from tests.browser.steps import (
    account_menu,
    address_of,
    create_project,
    enter_credentials,
    identifier_field,
    is_at,
    password_field,
    sign_in,
    sign_out,
)
from tests.browser.watch import Watch
from tests.clients import Person
from tests.factories import PASSWORD, Factory
from tests.providers.naver import NaverAccount

OpenVisitor = Callable[[], Awaitable[Page]]
NEW_PASSWORD = "Another-password-2"


@pytest.fixture(scope="session")
async def methods_site(
    chromium_path: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[MethodsSite]:
    """The site with every way in, once a process."""
    async with open_methods_site(tmp_path_factory.mktemp("methods")) as opened:
        yield opened


@pytest.fixture(scope="session")
async def management(methods_site: MethodsSite) -> AsyncIterator[ManagementClient]:
    """The Management API of this site's Logto."""
    async with connect(methods_site.site.management) as client:
        yield client


@pytest.fixture
def members(management: ManagementClient) -> Factory:
    """Makes people and organizations for this site."""
    return Factory(management)


@pytest.fixture
async def visitor(browser: Browser, methods_site: MethodsSite) -> AsyncIterator[OpenVisitor]:
    """Opens the front page for somebody new here; afterwards every provider is well again."""
    opened: list[tuple[BrowserContext, Watch]] = []

    async def open_one() -> Page:
        context = await browser.new_context(base_url=methods_site.site.url, viewport=DESKTOP)
        context.set_default_timeout(PATIENCE)
        opened.append((context, Watch(context, methods_site.origins)))
        page = await context.new_page()
        await page.goto("/")
        return page

    yield open_one
    methods_site.behave()
    for context, _watch in opened:
        await context.close()
    assert [complaint for _context, watch in opened for complaint in watch.complaints] == []


def new_address() -> str:
    return f"rosa_{secrets.token_hex(5)}@example.test"


def new_number() -> str:
    return f"4512{secrets.randbelow(10**6):06}"


def naver_account(**given: str) -> NaverAccount:
    """Somebody at Naver whom nobody here knows yet."""
    tag = secrets.token_hex(5)
    return NaverAccount(
        **{"id": f"naver-{tag}", "email": f"{tag}@naver.example", "nickname": "Sujin", **given}
    )


async def follow(page: Page, way: str) -> None:
    """Choose one of the ways that the front page offers beside a password."""
    await page.get_by_role("group", name="Other ways to sign in").get_by_role("link", name=way).click()


async def enter_code(page: Page, code: str) -> None:
    await page.get_by_label("Verification code").fill(code)
    await page.get_by_role("button", name="Continue").click()


async def subject(page: Page) -> str:
    """Whose account the browser is signed in to."""
    answer = await page.request.get("/api/v1/me")
    assert answer.status == 200
    return str((await answer.json())["subject"])


async def test_sign_up_by_a_code_from_mailgun(visitor: OpenVisitor, methods_site: MethodsSite) -> None:
    page, address = await visitor(), new_address()
    await page.get_by_role("main").get_by_role("link", name="Create account").click()
    await page.get_by_label("Email").fill(address)
    await page.get_by_role("button", name="Create account").click()
    await enter_code(page, await methods_site.mailgun.next_code(address))
    await password_field(page).fill(PASSWORD)
    await page.get_by_role("button", name="Save password").click()

    await expect(account_menu(page)).to_be_visible()
    await page.goto("/account")
    await expect(page.get_by_role("main")).to_contain_text(f"{address} verified")


async def test_sign_in_by_a_code_from_gatewayapi(
    visitor: OpenVisitor, methods_site: MethodsSite, management: ManagementClient
) -> None:
    number = new_number()
    person = await management.create_user(
        username=f"rosa_{number}", email=new_address(), name="Rosa", password=PASSWORD, phone=number
    )
    page = await visitor()
    await follow(page, "Code by SMS")
    await identifier_field(page).fill(f"+{number}")
    await page.get_by_role("button", name="Sign in").click()
    await enter_code(page, await methods_site.gatewayapi.next_code(number))

    await expect(account_menu(page)).to_have_accessible_name("Account menu of Rosa")
    assert await subject(page) == person.id


async def test_another_code_can_be_asked_for_when_the_page_has_counted_down(
    visitor: OpenVisitor, methods_site: MethodsSite
) -> None:
    page, address = await visitor(), new_address()
    await page.clock.install()
    await follow(page, "Code by e-mail")
    await identifier_field(page).fill(address)
    await page.get_by_role("button", name="Sign in").click()

    resend = page.get_by_role("button", name="Resend verification code")
    await expect(page.get_by_text("Resend after")).to_be_visible()
    await expect(resend).to_be_hidden()
    await page.clock.run_for(60_000)
    await expect(page.get_by_text("Resend after")).to_be_hidden()
    await resend.click()  # for the server, whose clock is another, this is early
    await expect(page.get_by_role("alert")).to_contain_text("for a new code")


async def test_naver_makes_an_account_and_knows_it_the_next_time(
    visitor: OpenVisitor, methods_site: MethodsSite
) -> None:
    methods_site.naver.account = naver_account()
    page = await visitor()
    await follow(page, "Continue with Naver")
    assert is_at(page, methods_site.naver.base_url)  # nobody had to look at Logto's page
    await page.get_by_role("button", name="Agree").click()
    await expect(account_menu(page)).to_have_accessible_name("Account menu of Sujin")
    first = await subject(page)
    await page.goto("/account")
    await expect(page.get_by_role("region", name="Linked identities")).to_contain_text("Naver")
    await sign_out(page)

    await follow(page, "Continue with Naver")  # Naver does not ask again, and there is nothing to type
    await expect(account_menu(page)).to_be_visible()
    assert await subject(page) == first


async def test_who_cancels_at_naver_can_go_another_way(
    visitor: OpenVisitor, methods_site: MethodsSite
) -> None:
    methods_site.naver.account = naver_account()
    page = await visitor()
    await follow(page, "Continue with Naver")
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.get_by_role("heading", name="You did not continue with Naver")).to_be_visible()
    await page.get_by_role("link", name="Try another way").click()
    await expect(identifier_field(page)).to_be_visible()


async def test_a_naver_identity_is_linked_to_the_account_of_its_address(
    visitor: OpenVisitor, methods_site: MethodsSite, members: Factory
) -> None:
    person = await members.person("Rosa")
    methods_site.naver.account = naver_account(email=address_of(person), nickname="Another name")
    page = await visitor()
    await follow(page, "Continue with Naver")
    await page.get_by_role("button", name="Agree").click()
    await page.get_by_role("button", name="Link").first.click()

    await expect(account_menu(page)).to_have_accessible_name("Account menu of Rosa")
    assert await subject(page) == person.id
    await page.goto("/account")
    await expect(page.get_by_role("region", name="Linked identities")).to_contain_text("Naver")


async def test_a_forgotten_password_is_replaced_by_way_of_a_code(
    visitor: OpenVisitor, methods_site: MethodsSite, members: Factory
) -> None:
    person = await members.person()
    page = await visitor()
    await page.get_by_role("main").get_by_role("link", name="Sign in", exact=True).click()
    await identifier_field(page).fill(address_of(person))
    await page.get_by_role("button", name="Sign in").click()
    await methods_site.mailgun.next_code(address_of(person))  # offered first; this person wants the password
    await page.get_by_role("link", name="Sign in with password").click()
    await page.get_by_role("link", name="Forgot your password?").click()
    await page.get_by_role("button", name="Continue").click()
    await enter_code(page, await methods_site.mailgun.next_code(address_of(person)))
    await password_field(page).fill(NEW_PASSWORD)
    await page.get_by_role("button", name="Save password").click()

    await expect(identifier_field(page)).to_be_visible()
    await page.goto("/")
    await sign_in(page, Person(person.id, person.username, NEW_PASSWORD))


async def test_an_organization_that_asks_for_a_second_factor_opens_once_there_is_one(
    visitor: OpenVisitor, members: Factory
) -> None:
    alice = await members.person("Alice")
    acme = await members.organization("Acme", admin=alice)
    page = await visitor()
    await sign_in(page, alice, f"/o/{acme}/settings")
    await page.get_by_text("Require a second factor…").click()
    await page.get_by_role("button", name="Require a second factor").click()
    await page.goto(f"/o/{acme}/projects")
    await expect(
        page.get_by_role("heading", name="This organization asks for a second factor")
    ).to_be_visible()

    await page.get_by_role("link", name="Set up a second factor").click()
    await enter_credentials(page, alice)
    app = pyotp.TOTP(await page.locator("li code").text_content() or "")
    await page.get_by_label("Enter the one-time code").fill(app.now())
    await page.get_by_role("button", name="Continue").click()
    await expect(page.get_by_role("heading", name="Save your backup code")).to_be_visible()
    backup_code = await page.locator("li code").first.text_content()
    await page.get_by_role("button", name="Continue").click()

    await expect(page.get_by_role("heading", name="Projects", exact=True)).to_be_visible()
    await create_project(page, acme, "Behind two locks")
    await sign_out(page)
    await page.get_by_role("main").get_by_role("link", name="Sign in", exact=True).click()
    await enter_credentials(page, alice)
    await page.get_by_role("link", name="Try another method to verify").click()
    await page.get_by_text("Backup code", exact=True).click()
    await page.get_by_label("Backup code").fill(backup_code or "")
    await page.get_by_role("button", name="Continue").click()
    await expect(account_menu(page)).to_be_visible()


@pytest.mark.parametrize("bad_day", ["wrong key", "hangs up"])
async def test_a_code_that_cannot_be_sent_leaves_another_way(
    visitor: OpenVisitor, methods_site: MethodsSite, members: Factory, bad_day: str
) -> None:
    person = await members.person()
    if bad_day == "wrong key":
        methods_site.mailgun.refuse(401, "Forbidden")
    else:
        methods_site.mailgun.drop_connections()
    page = await visitor()
    await follow(page, "Code by e-mail")
    await identifier_field(page).fill(address_of(person))
    await page.get_by_role("button", name="Sign in").click()

    await expect(page.get_by_role("alert")).to_contain_text("The message could not be sent")
    await page.get_by_role("link", name="Sign in with password").click()
    await password_field(page).fill(person.password)
    await page.get_by_role("button", name="Continue").click()
    await expect(account_menu(page)).to_be_visible()


@pytest.mark.parametrize("address", ["/oauth2.0/token", "/v1/nid/me"])
async def test_a_naver_that_stammers_leaves_another_way(
    visitor: OpenVisitor, methods_site: MethodsSite, members: Factory, address: str
) -> None:
    person = await members.person()
    methods_site.naver.account = naver_account()
    methods_site.naver.answer_malformed(path=address)
    page = await visitor()
    await follow(page, "Continue with Naver")
    await page.get_by_role("button", name="Agree").click()

    await expect(page.get_by_role("heading", name="Naver did not answer as it should")).to_be_visible()
    await page.get_by_role("link", name="Try another way").click()
    await enter_credentials(page, person)
    await expect(account_menu(page)).to_be_visible()
