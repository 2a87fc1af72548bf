"""Projects and their tasks, and edit conflicts between two people."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from saas_app.rbac.permissions import Role
from tests.browser.conftest import OpenPage, alice_is, bob_is
from tests.browser.steps import create_project
from tests.clients import Person


@alice_is(Role.EDITOR)
async def test_a_project_is_created_edited_archived_and_unarchived(page: Page, acme: str) -> None:
    """One scenario: the life of a project, through the buttons of its pages."""
    await page.goto(f"/o/{acme}/projects")
    await page.get_by_role("link", name="Create first project").click()
    await page.get_by_label("Name").fill("Gripper")
    await page.get_by_label("Description").fill("Closes softly.")
    await page.get_by_role("button", name="Create project").click()
    await expect(page.get_by_role("status")).to_contain_text("“Gripper”")
    await expect(page.get_by_text("Closes softly.")).to_be_visible()

    await page.get_by_role("link", name="Edit").click()
    await expect(page.get_by_label("Name")).to_have_value("Gripper")
    await page.get_by_label("Name").fill("Gripper 3.2")
    await page.get_by_role("button", name="Save changes").click()
    await expect(page.get_by_role("heading", name="Gripper 3.2", level=1)).to_be_visible()
    await expect(page.get_by_role("status")).to_contain_text("Project saved.")

    await page.get_by_role("button", name="Archive").click()
    await expect(page.get_by_text("This project is archived")).to_be_visible()
    await expect(page.get_by_label("New task")).to_have_count(0)
    await page.goto(f"/o/{acme}/projects")
    await expect(page.get_by_text("No active projects")).to_be_visible()

    await page.get_by_label("Status").select_option("archived")  # the list changes without a button
    await page.get_by_role("link", name="Gripper 3.2").click()
    await page.get_by_role("button", name="Unarchive").click()
    await expect(page.get_by_label("New task")).to_be_visible()


@alice_is(Role.EDITOR)
async def test_a_task_is_added_started_finished_and_reopened(page: Page, acme: str) -> None:
    """One scenario: the life of a task, through the buttons of its project's page."""
    await create_project(page, acme, "Gripper")
    await page.get_by_label("New task").fill("Soak test")
    await page.get_by_role("button", name="Add").click()
    await expect(page.get_by_role("cell", name="To do", exact=True)).to_be_visible()

    await page.get_by_role("button", name="Start: Soak test").click()
    await expect(page.get_by_role("cell", name="In progress")).to_be_visible()
    await page.get_by_role("button", name="Mark as done: Soak test").click()
    await expect(page.get_by_text("All tasks are done")).to_be_visible()
    await expect(page.get_by_text("1 of 1 done")).to_be_visible()

    await page.get_by_role("link", name=re.compile("^Done")).click()
    await page.get_by_role("button", name="Reopen: Soak test").click()
    await page.get_by_role("link", name=re.compile("^Open")).click()
    await expect(page.get_by_role("link", name="Soak test")).to_be_visible()


@alice_is(Role.EDITOR)
async def test_a_rejected_form_keeps_its_input_and_focuses_the_invalid_field(page: Page, acme: str) -> None:
    await page.goto(f"/o/{acme}/projects/new")
    await page.get_by_label("Description").fill("Half a thought")
    await page.get_by_role("button", name="Create project").click()

    name = page.get_by_label("Name")
    await expect(name).to_be_focused()
    await expect(name).to_have_accessible_description(re.compile("Enter a name for the project"))
    await expect(page.get_by_label("Description")).to_have_value("Half a thought")


@alice_is(Role.EDITOR)
@bob_is(Role.EDITOR)
async def test_an_edit_conflict_shows_both_versions_and_saves_the_chosen_one(
    open_page: OpenPage, page: Page, acme: str, bob: Person
) -> None:
    hers, his = page, await open_page(bob)
    project = await create_project(hers, acme, "Gripper", "As it was")
    await hers.goto(f"{project}/edit")
    await his.goto(f"{project}/edit")

    await his.get_by_label("Name").fill("Gripper of Bob")
    await his.get_by_role("button", name="Save changes").click()
    await expect(his.get_by_role("status")).to_contain_text("Project saved.")
    await hers.get_by_label("Name").fill("Gripper of Alice")
    await hers.get_by_role("button", name="Save changes").click()

    await expect(hers.get_by_role("heading", name="This has changed since you opened it")).to_be_visible()
    sides = hers.get_by_role("group", name="Name")
    await expect(sides.get_by_role("radio", name="Latest version Gripper of Bob")).not_to_be_checked()
    await expect(sides.get_by_role("radio", name="Your version Gripper of Alice")).to_be_checked()
    await hers.get_by_role("button", name="Save selection").click()
    await expect(hers.get_by_role("heading", name="Gripper of Alice", level=1)).to_be_visible()
    await his.reload()
    await expect(his.get_by_role("heading", name="Gripper of Alice", level=1)).to_be_visible()


async def test_deleting_can_be_canceled(page: Page, acme: str) -> None:
    await create_project(page, acme, "Gripper")
    await page.get_by_role("link", name="Delete…").click()
    await page.get_by_role("link", name="Cancel").click()
    await expect(page.get_by_role("heading", name="Gripper", level=1)).to_be_visible()


async def test_a_project_is_deleted_after_one_confirmation(page: Page, acme: str) -> None:
    project = await create_project(page, acme, "Gripper")
    await page.get_by_role("link", name="Delete…").click()
    await page.get_by_role("button", name="Delete “Gripper”").click()
    await expect(page.get_by_text("“Gripper” was deleted.")).to_be_visible()
    answer = await page.goto(project)
    assert answer is not None
    assert answer.status == 404


@pytest.mark.parametrize("width", [1280, 320])
@alice_is(Role.EDITOR)
async def test_the_headings_sort_the_list_with_the_keyboard_on_any_screen(
    page: Page, acme: str, width: int
) -> None:
    for name in ("Gripper", "Warehouse"):
        await create_project(page, acme, name)
    await page.set_viewport_size({"width": width, "height": 720})
    await page.goto(f"/o/{acme}/projects?status=all")
    rows = page.get_by_role("rowheader").get_by_role("link")
    await expect(rows).to_have_text(["Warehouse", "Gripper"])

    for order in (["Gripper", "Warehouse"], ["Warehouse", "Gripper"]):
        heading = page.get_by_role("columnheader").get_by_role("link", name="Project")
        await expect(heading).to_be_in_viewport(ratio=1)
        await heading.press("Enter")
        await expect(rows).to_have_text(order)

    assert page.url.endswith("?status=all&sort=-name")


@alice_is(Role.EDITOR)
async def test_a_search_finds_names_and_says_if_nothing_matches(page: Page, acme: str) -> None:
    for name in ("Gripper", "Warehouse"):
        await create_project(page, acme, name)
    await page.goto(f"/o/{acme}/projects")
    search = page.get_by_label("Search projects by name")
    await search.fill("grip")
    await search.press("Enter")
    await expect(page.get_by_role("rowheader").get_by_role("link")).to_have_text(["Gripper"])
    await search.fill("nothing like it")
    await search.press("Enter")
    await expect(page.get_by_text("No projects match “nothing like it”")).to_be_visible()


async def test_the_export_contains_every_task(page: Page, acme: str, tmp_path: Path) -> None:
    await create_project(page, acme, "Gripper")
    await page.get_by_label("New task").fill("Soak test")
    await page.get_by_role("button", name="Add").click()
    await expect(page.get_by_role("status")).to_contain_text("Soak test")
    await page.goto(f"/o/{acme}/projects")
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Export CSV").click()
    file = tmp_path / "export.csv"
    await (await download.value).save_as(file)
    with file.open(encoding="utf-8-sig", newline="") as opened:
        cells = [cell for row in csv.reader(opened) for cell in row]
    assert {"Gripper", "Soak test"} <= set(cells)
