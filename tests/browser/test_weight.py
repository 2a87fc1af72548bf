"""A page with its style sheets and scripts weighs at most 60 KB, compressed as a proxy sends it."""

from __future__ import annotations

import gzip

import pytest
from playwright.async_api import Page, Response

from saas_app.lab.lessons import LESSONS
from tests.browser.conftest import OpenPage
from tests.browser.lab_steps import Learner
from tests.browser.steps import create_project
from tests.clients import Person
from tests.factories import Factory
from tests.integration.lab.tasks import ANSWERS

BUDGET = 60_000  # bytes of HTML, CSS and JavaScript
KINDS = ("document", "stylesheet", "script")


@pytest.fixture
async def page(open_page: OpenPage, alice: Person) -> Page:
    return await open_page(alice)


async def weight_of(page: Page, path: str) -> dict[str, int]:
    """Open a page and return the compressed size of each file that it loads."""
    answers = await loaded_by(page, path)
    return {
        answer.url: len(gzip.compress(await answer.body(), 6))
        for answer in answers
        if answer.request.resource_type in KINDS and answer.status in (200, 404)
    }


async def loaded_by(page: Page, path: str) -> list[Response]:
    """Open a page, and return the answers to all its requests."""
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    await page.goto(path, wait_until="load")
    return answers


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/projects",
        "/members",
        "/invitations",
        "/api-clients",
        "/audit",
        "/settings",
        "/access",
        "/search",
    ],
)
async def test_a_page_of_an_organization_is_light(page: Page, acme: str, path: str) -> None:
    await create_project(page, acme, "Rover")

    weight = await weight_of(page, f"/o/{acme}{path}")

    assert sum(weight.values()) <= BUDGET, weight


@pytest.mark.parametrize(
    "path", ["/account", "/account/settings", "/api/docs", "/lab/class", "/o", "/search"]
)
async def test_a_page_outside_organizations_is_light(page: Page, path: str) -> None:
    weight = await weight_of(page, path)

    assert sum(weight.values()) <= BUDGET, weight


@pytest.mark.parametrize("path", ["/", "/api/docs", "/no/such/page"])
async def test_a_page_for_visitors_is_light(open_page: OpenPage, path: str) -> None:
    weight = await weight_of(await open_page(), path)

    assert sum(weight.values()) <= BUDGET, weight


async def test_the_token_workbench_is_light(page: Page, people: Factory, alice: Person, acme: str) -> None:
    globex = await people.organization("Globex", viewer=alice)

    weight = await weight_of(page, f"/lab/tokens?left={acme}&right={globex}&role=admin&in={globex}")

    assert sum(weight.values()) <= BUDGET, weight


async def test_the_lab_is_light(open_page: OpenPage, people: Factory) -> None:
    """With every lesson listed, and with a result and all its evidence."""
    learner = Learner(await open_page(await people.person("Lena")))
    await learner.set_up()
    await learner.play(LESSONS[0], ANSWERS[LESSONS[0].slug])

    for path in ("/lab", f"/lab/lessons/{LESSONS[0].slug}"):
        weight = await weight_of(learner.page, path)
        assert sum(weight.values()) <= BUDGET, weight


async def test_style_sheets_and_scripts_are_sent_compressed(page: Page) -> None:
    answers = await loaded_by(page, "/o")

    texts = [answer for answer in answers if answer.request.resource_type in ("stylesheet", "script")]
    assert texts
    assert {await answer.header_value("content-encoding") for answer in texts} == {"gzip"}


async def test_nothing_moves_while_a_page_loads(page: Page, acme: str) -> None:
    """Cumulative layout shift, also of a page with a notice."""
    await page.add_init_script(
        "window.shift = 0; new PerformanceObserver(list => { for (const one of list.getEntries()) "
        "if (!one.hadRecentInput) window.shift += one.value; })"
        ".observe({type: 'layout-shift', buffered: true});"
    )
    await create_project(page, acme, "Rover")
    await page.get_by_role("status").get_by_text("Rover").wait_for()

    assert await page.evaluate("() => window.shift") < 0.01
