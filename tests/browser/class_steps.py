"""Steps that teachers and learners take in a class of the lab."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect

from saas_app.lab.lesson import Answer, Lesson


async def start_class(page: Page, title: str = "RBAC in an hour") -> str:
    """Start a class, and return its code as the page shows it."""
    await page.goto("/lab/class")
    await page.get_by_label("Title").fill(title)
    await page.get_by_role("button", name="Start class").click()
    return await page.locator(".the-code [aria-hidden]").inner_text()


async def join_class(page: Page, code: str) -> None:
    """Join a class with its code."""
    await page.goto("/lab/class")
    await page.get_by_label("Join code").fill(code)
    await page.get_by_role("button", name="Join class").click()
    await expect(page.get_by_role("heading", name="What your teacher sees")).to_be_visible()


async def set_up_lab(page: Page) -> None:
    """Make the learner's practice organizations."""
    await page.goto("/lab")
    await page.get_by_role("button", name="Set up my practice organizations").click()
    await expect(page.get_by_role("heading", name="Start over")).to_be_visible()


async def predict(page: Page, lesson: Lesson, answer: Answer) -> None:
    """Open a lesson, and predict."""
    await page.goto(f"/lab/lessons/{lesson.slug}")
    await page.get_by_label(str(answer.text)).check()
    await page.get_by_role("button", name="Predict").click()
    await expect(page.get_by_role("heading", name="2. Act")).to_be_visible()


async def act(page: Page, lesson: Lesson) -> None:
    """Make the requests of a lesson, and see what happened."""
    await page.get_by_role("button", name=str(lesson.act_label)).click()
    await expect(page.get_by_role("heading", name="What happened")).to_be_visible()


def bar_of(page: Page, answer: Answer) -> Locator:
    """Return the row with the bar of an answer."""
    return page.get_by_role("row").filter(has_text=str(answer.text))
