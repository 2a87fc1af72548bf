"""An admin creates an API client, copies its secret, and revokes it; a program uses it in between."""

from __future__ import annotations

import asyncio
import json
import shutil

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.steps import create_project
from tests.clients import Person


async def make_client(page: Page, organization_id: str, name: str) -> str:
    """Create an API client with the form and return its secret, which the page shows."""
    await page.goto(f"/o/{organization_id}/")
    await page.get_by_role("link", name="API clients", exact=True).click()
    await page.get_by_role("link", name="Create API client").first.click()
    await page.get_by_label("Name").fill(name)
    await page.get_by_role("checkbox", name="View projects and their tasks").check()
    await page.get_by_role("button", name="Create API client").click()
    await expect(page.get_by_role("heading", name=f"{name} is ready")).to_be_visible()
    return await page.get_by_role("textbox", name="Client secret").input_value()


async def run(script: str) -> str:
    """Return the output of commands in a POSIX shell."""
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", script, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, errors = await process.communicate()
    return f"{out.decode()}{errors.decode()}"


@pytest.mark.skipif(shutil.which("curl") is None, reason="The page's commands need curl.")
async def test_the_copied_commands_work_until_the_client_is_revoked(
    open_page: OpenPage, alice: Person, acme: str
) -> None:
    """One scenario: the commands from the page call the API, and fail once the client is revoked."""
    page = await open_page(alice, permissions=["clipboard-read", "clipboard-write"])
    await create_project(page, acme, "Robot arm")
    await make_client(page, acme, "Nightly export")
    commands = []
    for label in ("Get a token", "Call the API"):
        button = page.get_by_role("button", name=f"Copy: {label}")
        await button.click()
        await expect(page.get_by_role("button", name="Copied")).to_have_count(len(commands) + 1)
        commands.append(await page.evaluate("navigator.clipboard.readText()"))
    get_token, call = commands
    listed = json.loads(await run(f"{get_token}\n{call}"))
    assert [item["name"] for item in listed["items"]] == ["Robot arm"]
    show_token = f'{get_token}\necho "$TOKEN"'
    token = await run(show_token)
    with_that_token = f"TOKEN={token.strip()}\n{call}"
    assert "Robot arm" in await run(with_that_token)

    await page.get_by_role("link", name="I have copied the secret").click()
    await page.get_by_role("link", name="Revoke Nightly export").click()
    await page.get_by_role("button", name="Revoke Nightly export").click()
    await expect(page.get_by_role("status")).to_contain_text("Nightly export was revoked.")
    await expect(page.get_by_role("heading", name="No API clients yet")).to_be_visible()
    assert json.loads(await run(with_that_token))["code"] == "invalid-token"
    assert "invalid_client" in await run(show_token)


async def test_the_secret_survives_a_reload_and_can_be_selected_without_a_script(
    open_page: OpenPage, alice: Person, acme: str
) -> None:
    page = await open_page(alice, java_script_enabled=False)
    secret = await make_client(page, acme, "Nightly export")
    assert secret
    assert secret not in page.url
    await page.reload()
    await expect(page.get_by_role("textbox", name="Client secret")).to_have_value(secret)
    await expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    await page.get_by_role("textbox", name="Client secret").select_text()
    await page.get_by_role("link", name="I have copied the secret").click()
    await expect(page.get_by_role("rowheader", name="Nightly export")).to_be_visible()
    assert secret not in await page.content()


async def test_after_signing_out_the_back_button_does_not_show_the_secret(page: Page, acme: str) -> None:
    secret = await make_client(page, acme, "Nightly export")
    await page.get_by_role("link", name="I have copied the secret").click()
    await page.locator("[data-menu] > summary").click()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_text("You are signed out")).to_be_visible()
    for _ in range(3):
        await page.go_back()
        assert secret not in await page.content()


async def test_rotating_shows_a_new_secret(page: Page, acme: str) -> None:
    secret = await make_client(page, acme, "Nightly export")
    await page.get_by_role("link", name="I have copied the secret").click()
    await page.get_by_role("link", name="Rotate the secret of Nightly export").click()
    await expect(page.get_by_text("The old secret is deleted immediately")).to_be_visible()
    await page.get_by_role("button", name="Rotate secret").click()
    await expect(page.get_by_role("heading", name="Nightly export has a new secret")).to_be_visible()
    assert await page.get_by_role("textbox", name="Client secret").input_value() != secret


async def test_a_name_that_is_taken_stays_in_the_focused_field(page: Page, acme: str) -> None:
    await make_client(page, acme, "Nightly export")
    await page.goto(f"/o/{acme}/api-clients/new")
    name = page.get_by_label("Name")
    await name.fill("Nightly export")
    await page.get_by_role("checkbox", name="View projects and their tasks").check()
    await page.get_by_role("button", name="Create API client").click()
    await expect(page.get_by_role("alert")).to_contain_text("already has an API client with this name")
    await expect(name).to_have_value("Nightly export")
    await expect(name).to_be_focused()
