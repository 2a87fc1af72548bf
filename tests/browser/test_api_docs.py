"""The page of the API works under the security policy of every page, with a session and with a token."""

from __future__ import annotations

import re

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from saas_app.logto.http import open_http
from saas_app.operations.client_credentials import ClientCredentials, TokenRequest, fetch_token
from saas_app.rbac.permissions import Role
from tests.browser.conftest import OpenPage, alice_is
from tests.browser.site import Site
from tests.factories import Factory

RESOURCE = "https://api.workroom.example"
_CONTRAST = (
    """axe.run({runOnly: {type: "rule", values: ["color-contrast"]}}).then(found => found.violations)"""
)
LIST, CREATE = "#operations-projects-list_projects", "#operations-projects-create_project"


async def test_every_operation_is_shown_in_light_and_in_dark_mode(open_page: OpenPage) -> None:
    page = await open_page(color_scheme="light")
    await page.goto("/")
    await page.get_by_role("contentinfo").get_by_role("link", name="API").click()
    await expect(page.get_by_role("heading", name="Workroom API")).to_be_visible()
    document = await (await page.request.get("/api/openapi.json")).json()
    count = sum(len(methods) for methods in document["paths"].values())
    await expect(page.locator(".opblock")).to_have_count(count)

    light = await _background(page)
    await page.emulate_media(color_scheme="dark")
    assert await _background(page) != light


async def test_the_text_has_enough_contrast_and_fits_a_phone(open_page: OpenPage) -> None:
    page = await open_page(reduced_motion="reduce", viewport={"width": 390, "height": 844})
    await page.goto("/api/docs")
    await page.locator(f"{CREATE} .opblock-summary-control").click()
    await page.locator(CREATE).get_by_role("button", name="Try it out").click()
    await page.evaluate(Axe().axe_script)
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        await expect(page.locator("html")).to_have_class("dark-mode" if scheme == "dark" else "")
        found = await page.evaluate(_CONTRAST)
        assert [node["html"] for violation in found for node in violation["nodes"]] == [], scheme
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@alice_is(Role.EDITOR)
async def test_a_signed_in_person_calls_the_api_with_their_session(page: Page, acme: str) -> None:
    await page.goto(f"/o/{acme}/projects")

    await page.goto("/api/docs")
    await page.get_by_role("button", name="Authorize").click()
    await expect(page.get_by_text("Nothing to enter")).to_be_visible()
    await page.get_by_role("button", name="Close").last.click()
    assert await _try(page, CREATE, acme) == "201"
    assert await _try(page, LIST, acme) == "200"
    await expect(page.locator(LIST).get_by_text("Gripper firmware 4.2").first).to_be_visible()


async def test_a_pasted_token_is_used(open_page: OpenPage, people: Factory, site: Site, acme: str) -> None:
    machine = await people.machine(acme)
    async with open_http(30) as http:
        credentials = ClientCredentials(machine.id, machine.secret)
        wanted = TokenRequest(RESOURCE, acme, ["projects:read", "projects:write"])
        token = await fetch_token(http, site.logto, credentials, wanted)
    page = await open_page()
    await page.goto("/api/docs")

    await page.get_by_role("button", name="Authorize").click()
    form = page.locator(".auth-container").filter(has_text="apiToken")
    await form.get_by_role("textbox").fill(token)
    await form.get_by_role("button", name="Apply credentials").click()
    await page.get_by_role("button", name="Close").last.click()

    assert await _try(page, CREATE, acme) == "201"


async def _try(page: Page, operation: str, organization_id: str) -> str:
    """Open an operation, send its example, and return the status of the response."""
    block = page.locator(operation)
    await block.locator(".opblock-summary-control").click()
    await block.get_by_role("button", name="Try it out").click()
    await block.get_by_placeholder("organization_id").fill(organization_id)
    await block.get_by_role("button", name="Execute").click()
    status = block.locator(".live-responses-table .response-col_status").last
    await expect(status).to_have_text(re.compile(r"^\d{3}"))
    return (await status.inner_text())[:3]


async def _background(page: Page) -> str:
    color: str = await page.locator(".opblock").first.evaluate(
        "block => getComputedStyle(block).backgroundColor"
    )
    return color
