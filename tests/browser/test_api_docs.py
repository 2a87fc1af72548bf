"""The page of the API works under the security policy of every page: to read it, and to send requests."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from saas_app.logto.http import open_http
from saas_app.operations.client_credentials import ClientCredentials, TokenRequest, fetch_token
from saas_app.rbac.permissions import Role
from tests.browser.conftest import OpenPage, alice_is
from tests.browser.page_checks import axe_findings, excess_width
from tests.browser.site import Site
from tests.browser.steps import account_menu, switcher
from tests.clients import Person
from tests.factories import Factory

RESOURCE = "https://api.workroom.example"
DOCS, SCHEMAS = "/api/docs", "/api/docs/schemas"
_OPEN_ALL = "() => document.querySelectorAll('details.operation').forEach(each => { each.open = true; })"


async def test_every_operation_and_schema_is_shown(open_page: OpenPage) -> None:
    page = await open_page()
    await page.goto("/")
    await page.get_by_role("contentinfo").get_by_role("link", name="API").click()
    await expect(page.get_by_role("heading", name="Workroom API")).to_be_visible()

    document = await (await page.request.get("/api/openapi.json")).json()
    names = [name for methods in document["paths"].values() for name in _operation_ids(methods)]
    shown = await page.locator("details[data-path] > .operation-body").evaluate_all(
        "bodies => bodies.map(body => body.id)"
    )
    assert sorted(shown) == sorted(names)
    await page.get_by_role("navigation", name="Contents").get_by_role("link", name="Schemas").click()
    for schema in document["components"]["schemas"]:
        assert await page.locator(f"#schema-{schema}").count() == 1


@pytest.mark.parametrize("width", [390, 320])
async def test_the_page_fits_a_phone_with_everything_open(open_page: OpenPage, width: int) -> None:
    page = await open_page(viewport={"width": width, "height": 844}, is_mobile=True)
    await page.goto(DOCS)

    await page.evaluate(_OPEN_ALL)

    await expect(page.get_by_role("button", name="Send request").last).to_be_visible()
    assert await excess_width(page, "the open page", width) == []
    await page.goto(SCHEMAS)
    await page.evaluate(_OPEN_ALL)
    assert await excess_width(page, "the open schemas", width) == []


async def test_the_operations_are_accessible(open_page: OpenPage) -> None:
    page = await open_page(reduced_motion="reduce")
    await page.goto(DOCS)
    for operation_id in ("list_projects", "change_project"):
        await _operation(page, operation_id).locator("summary").click()
    await expect(page.get_by_role("button", name="Send request")).to_have_count(2)

    assert await axe_findings(page, "the operations") == []


async def test_errors_and_schemas_are_accessible(open_page: OpenPage) -> None:
    page = await open_page(reduced_motion="reduce")
    await page.goto(SCHEMAS)
    for part in ("problem-403", "schema-TaskView", "schema-Role"):
        await _operation(page, part).locator("summary").click()

    assert await axe_findings(page, "errors and schemas") == []


async def test_dark_mode_belongs_to_the_page(open_page: OpenPage) -> None:
    page = await open_page(color_scheme="light")
    await page.goto(DOCS)
    await page.evaluate(_OPEN_ALL)
    light = await _background(page)

    await page.emulate_media(color_scheme="dark")

    dark = await _background(page)
    assert len(dark) == len(light)
    assert not set(dark) & set(light)


async def test_a_link_opens_what_it_names_without_scripts(open_page: OpenPage) -> None:
    page = await open_page(java_script_enabled=False, reduced_motion="reduce")
    await page.goto(f"{DOCS}#create_project")
    operation = _operation(page, "create_project")
    await expect(operation.get_by_text("--json")).to_be_visible()

    await operation.get_by_role("link", name="NewProject").click()

    await expect(page.locator("#schema-NewProject").get_by_text("description", exact=True)).to_be_visible()


async def test_without_scripts_only_the_commands_are_offered(open_page: OpenPage) -> None:
    page = await open_page(java_script_enabled=False)

    await page.goto(DOCS)

    await expect(page.get_by_text("switch on JavaScript")).to_be_visible()
    await expect(page.get_by_label("Bearer token")).to_be_hidden()


async def test_the_header_is_that_of_every_page(page: Page, acme: str) -> None:
    await page.goto(f"/o/{acme}/projects")

    await page.goto(DOCS)

    await expect(switcher(page)).to_have_accessible_name(re.compile("Acme"))
    await expect(account_menu(page)).to_have_accessible_name(re.compile("Alice"))
    await switcher(page).click()
    await expect(page.get_by_role("option", name="Acme")).to_be_visible()


async def test_somebody_who_is_not_signed_in_is_offered_to_sign_in_and_come_back(
    open_page: OpenPage,
) -> None:
    page = await open_page()
    await page.goto(DOCS)

    link = page.get_by_role("main").get_by_role("link", name="Sign in")

    await expect(link).to_have_attribute("href", f"/sign-in?next={DOCS}")


@alice_is(Role.EDITOR)
async def test_a_signed_in_person_calls_the_api_with_their_session(page: Page, acme: str) -> None:
    await page.goto(f"/o/{acme}/projects")
    await page.goto(DOCS)

    assert await _try(page, "create_project") == "201 Created"
    assert await _try(page, "list_projects") == "200 OK"

    answer = _operation(page, "list_projects").get_by_role("group", name="Response body")
    await expect(answer).to_contain_text("Gripper firmware 4.2")


async def test_a_request_is_sent_with_the_keyboard(page: Page, acme: str) -> None:
    await page.goto(f"/o/{acme}/projects")
    await page.goto(DOCS)

    await _operation(page, "get_access").locator("summary").focus()
    await page.keyboard.press("Enter")
    await _operation(page, "get_access").get_by_label("organization_id").focus()
    await page.keyboard.press("Enter")

    await expect(_operation(page, "get_access").get_by_role("status")).to_contain_text("200 OK")


async def test_a_pasted_token_is_used_instead_of_the_session_and_stored_nowhere(
    open_page: OpenPage, alice: Person, people: Factory, site: Site, acme: str
) -> None:
    token = await _token_of_a_machine(people, site, acme)
    page = await open_page(alice)
    await page.goto(f"/o/{acme}/projects")
    await page.goto(DOCS)

    await page.get_by_label("Bearer token").fill(token)
    assert await _try(page, "get_me") == "200 OK"

    answer = _operation(page, "get_me").get_by_role("group", name="Response body")
    await expect(answer).to_contain_text('"type": "machine"')
    kept = await page.evaluate("() => JSON.stringify([localStorage, sessionStorage, document.cookie])")
    assert token not in kept
    await page.reload()
    await expect(page.get_by_label("Bearer token")).to_have_value("")


async def test_a_pasted_token_is_gone_when_the_page_is_left_even_if_the_browser_keeps_it(
    open_page: OpenPage,
) -> None:
    page = await open_page()
    await page.goto(DOCS)
    await page.get_by_label("Bearer token").fill("a token")

    await page.evaluate("() => dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")

    await expect(page.get_by_label("Bearer token")).to_have_value("")


async def test_what_the_api_returns_is_shown_as_text(
    open_page: OpenPage, alice: Person, people: Factory, acme: str
) -> None:
    page = await open_page(alice)
    await page.goto(f"/o/{acme}/projects")
    await page.goto(DOCS)
    body = _operation(page, "create_project").get_by_label("Body", exact=True)
    await _operation(page, "create_project").locator("summary").click()
    await body.fill('{"name": "<img src=x>"}')

    await _send(page, "create_project")

    answer = _operation(page, "create_project").get_by_role("group", name="Response body")
    await expect(answer).to_contain_text("<img src=x>")
    assert await answer.locator("img").count() == 0


async def _token_of_a_machine(people: Factory, site: Site, organization_id: str) -> str:
    machine = await people.machine(organization_id)
    async with open_http(30) as http:
        credentials = ClientCredentials(machine.id, machine.secret)
        wanted = TokenRequest(RESOURCE, organization_id, ["projects:read", "projects:write"])
        return await fetch_token(http, site.logto, credentials, wanted)


async def _try(page: Page, operation_id: str) -> str:
    """Open an operation, send its example, and return the status of the response."""
    await _operation(page, operation_id).locator("summary").click()
    return await _send(page, operation_id)


async def _send(page: Page, operation_id: str) -> str:
    operation = _operation(page, operation_id)
    await operation.get_by_role("button", name="Send request").click()
    status = operation.get_by_role("status").locator("strong")
    await expect(status).to_have_text(re.compile(r"^\d{3}"))
    return await status.inner_text()


def _operation(page: Page, operation_id: str) -> Locator:
    return page.locator("details.operation", has=page.locator(f"#{operation_id}"))


def _operation_ids(methods: dict[str, Any]) -> list[str]:
    return [operation["operationId"] for operation in methods.values()]


async def _background(page: Page) -> list[str]:
    """Return the background of the page, of a card, of an open operation's line, and of its example."""
    colors: list[str] = await page.evaluate(
        """() => ["body", "main .card", ".operation > summary", ".operation pre"].map(
             (part) => getComputedStyle(document.querySelector(part)).backgroundColor)"""
    )
    return colors
