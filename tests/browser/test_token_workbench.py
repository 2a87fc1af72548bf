"""The token workbench: with the keyboard alone, without JavaScript, and from a denial."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.steps import path_of, press_tab_until
from tests.clients import Person
from tests.factories import Factory


@pytest.fixture
async def globex(people: Factory, alice: Person) -> str:
    """A second organization, in which Alice is a viewer."""
    return await people.organization("Globex", viewer=alice)


def section(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


async def test_two_organizations_are_compared_with_the_keyboard_alone(
    open_page: OpenPage, alice: Person, acme: str, globex: str
) -> None:
    """One scenario: from a denial to the workbench, a comparison, an explanation and a preview."""
    page = await open_page(alice)
    await page.goto(f"/o/{globex}/projects/new")
    await press_tab_until(page, page.get_by_role("link", name="Compare your tokens in the lab"))
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/lab/tokens?left={globex}")

    await press_tab_until(page, page.get_by_label("Compare with"))
    await page.keyboard.type("Acme")
    await press_tab_until(page, page.get_by_role("button", name="Compare", exact=True))
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/lab/tokens?left={globex}&right={acme}")

    tokens = section(page, "Organization token")
    await expect(tokens.get_by_text("Signature verified here")).to_have_count(2)
    await press_tab_until(page, tokens.locator("summary", has_text="Audience"))
    await page.keyboard.press("Enter")
    await expect(tokens.get_by_text("Whom the token is meant for.")).to_be_visible()

    await page.reload()
    await press_tab_until(page, page.get_by_role("link", name="What if"))
    await page.keyboard.press("Enter")
    await press_tab_until(page, page.get_by_role("button", name="Preview"))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name=re.compile("^If you were admin in Globex"))).to_be_visible()
    row = section(page, "What if").get_by_role("row", name=re.compile("members:invite"))
    await expect(row).to_contain_text("Comes with the next refresh")


async def test_the_workbench_needs_no_script(
    open_page: OpenPage, alice: Person, acme: str, globex: str
) -> None:
    """One scenario: compare, unfold, fetch again, and look at a raw token."""
    page = await open_page(alice, java_script_enabled=False)
    await page.goto(f"/lab/tokens?left={acme}&right={globex}")

    tokens = section(page, "Organization token")
    await tokens.get_by_text("The request that fetches it").click()
    await expect(tokens.get_by_text(f"organization_id={acme}")).to_be_visible()
    await tokens.get_by_text("How the signature was verified").click()
    await expect(tokens.get_by_text("P-384")).to_be_visible()
    await page.get_by_role("button", name="Fetch the tokens again").click()
    await expect(page.get_by_text("The tokens were fetched again.")).to_be_visible()

    await page.get_by_role("button", name=re.compile("^Show the organization token for Globex")).click()
    await expect(page.get_by_label("To copy")).to_have_value(re.compile(r"^ey.+\..+\..+$"))
    assert path_of(page) == "/lab/tokens/raw"
    await page.get_by_role("link", name="Hide the token").click()
    await expect(page.get_by_label("To copy")).to_have_count(0)


async def test_on_a_phone_the_values_of_a_field_stand_below_each_other(
    open_page: OpenPage, alice: Person, acme: str, globex: str
) -> None:
    page = await open_page(alice, viewport={"width": 320, "height": 720}, is_mobile=True)

    await page.goto(f"/lab/tokens?left={acme}&right={globex}")

    row = section(page, "Organization token").locator("tr", has=page.get_by_text("Audience"))
    left, right = [await cell.bounding_box() for cell in await row.get_by_role("cell").all()]
    assert left is not None
    assert right is not None
    assert left["x"] == right["x"]
    assert left["y"] < right["y"]
    await expect(row.get_by_role("cell").nth(0)).to_contain_text("Acme")
    await expect(row.get_by_role("cell").nth(1)).to_contain_text("Globex")
