"""Steps of learners in the lab, in a browser. Tasks are done through the pages of the product."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

from playwright.async_api import Locator, Page, expect

from saas_app.lab.lesson import Lesson
from tests.browser.steps import press_tab_until


class Hand(Protocol):
    """How a learner presses buttons and follows links, and chooses boxes."""

    async def press(self, page: Page, target: Locator) -> None: ...

    async def choose(self, page: Page, target: Locator) -> None: ...

    async def clear(self, page: Page, target: Locator) -> None: ...


class Keyboard:
    """Tab, Enter and Space, and nothing else."""

    async def press(self, page: Page, target: Locator) -> None:
        await target.wait_for()
        await press_tab_until(page, target, limit=120)
        await page.keyboard.press("Enter")

    async def choose(self, page: Page, target: Locator) -> None:
        """Check a box or a radio button. Of radio buttons, Tab reaches one, and arrows reach the others."""
        name = await target.get_attribute("name")
        if await target.get_attribute("type") == "radio":
            group = page.locator(f"input[type=radio][name={name}]")
            values = [await one.get_attribute("value") for one in await group.all()]
            await press_tab_until(page, group.first)
            await page.keyboard.press("Space")
            for _step in range(values.index(await target.get_attribute("value"))):
                await page.keyboard.press("ArrowDown")
        else:
            await press_tab_until(page, target, limit=120)
            await page.keyboard.press("Space")
        await expect(target).to_be_checked()

    async def clear(self, page: Page, target: Locator) -> None:
        await press_tab_until(page, target, limit=120)
        await page.keyboard.press("Space")
        await expect(target).not_to_be_checked()


class Mouse:
    """Clicks, which need no script."""

    async def press(self, page: Page, target: Locator) -> None:
        await target.click()

    async def choose(self, page: Page, target: Locator) -> None:
        await target.check()

    async def clear(self, page: Page, target: Locator) -> None:
        await target.uncheck()


KEYBOARD: Final = Keyboard()
MOUSE: Final = Mouse()


@dataclass(frozen=True, slots=True)
class Learner:
    """A learner at the page of a lesson, or on the way there."""

    page: Page
    hand: Hand = MOUSE

    async def press(self, name: str | re.Pattern[str], page: Page | None = None) -> None:
        """Press a button or follow a link of the page."""
        page = page or self.page
        main = page.get_by_role("main")
        target = main.get_by_role("button", name=name).or_(main.get_by_role("link", name=name)).first
        await self.hand.press(page, target)

    async def set_up(self) -> None:
        """Set up the practice organizations on the contents page."""
        await self.page.goto("/lab")
        await self.press("Set up my practice organizations")
        await expect(self.page.get_by_role("heading", name="Start here")).to_be_visible()

    async def predict(self, lesson: Lesson, answer: str) -> None:
        """Open a lesson and predict."""
        await self.page.goto(f"/lab/lessons/{lesson.slug}")
        await self.hand.choose(self.page, self.page.locator(f"input[name=answer][value='{answer}']"))
        await self.press("Predict")
        await expect(self.page.get_by_role("heading", name="2. Act")).to_be_visible()

    async def do_tasks(self, lesson: Lesson) -> None:
        """Do each task in the tab that its link opens."""
        links = self.page.locator(".tasks a")
        do = TASKS.get(lesson.slug, look)
        for position in range(await links.count()):
            async with self.page.context.expect_page() as opened:
                await self.hand.press(self.page, links.nth(position))
            tab = await opened.value
            await tab.wait_for_load_state()
            await do(self, tab, position)
            await tab.close()
            await self.page.bring_to_front()

    async def act(self, lesson: Lesson) -> None:
        """Press the button that makes the requests of the lesson."""
        await self.press(lesson.act_label)
        await expect(self.page.get_by_role("heading", name="What happened")).to_be_visible()

    async def play(self, lesson: Lesson, answer: str) -> None:
        """Play a lesson from its question to its result."""
        await self.predict(lesson, answer)
        await self.do_tasks(lesson)
        await self.act(lesson)


Do = Callable[[Learner, Page, int], Awaitable[None]]
"""Does the task with this position, in its own tab."""


async def look(learner: Learner, tab: Page, position: int) -> None:
    """Look at the page, which is all that most tasks ask for."""
    await expect(tab.get_by_role("heading", level=1)).to_be_visible()


def give(role: str) -> Do:
    """Return how the open form of roles is used to give this role, and no other."""

    async def do(learner: Learner, tab: Page, position: int) -> None:
        for box in await tab.get_by_role("checkbox").all():
            is_wanted = await box.get_attribute("value") == role
            if is_wanted != await box.is_checked():
                await (learner.hand.choose if is_wanted else learner.hand.clear)(tab, box)
        await learner.press("Preview changes", tab)
        await learner.press("Save roles", tab)
        await expect(tab.get_by_text("changed to")).to_be_visible()

    return do


async def give_editor_for_an_hour(learner: Learner, tab: Page, position: int) -> None:
    """Add the role editor for an hour, in the open form of roles."""
    await learner.hand.choose(tab, tab.get_by_role("checkbox", name="editor"))
    await learner.hand.choose(tab, tab.get_by_role("radio", name="1 hour"))
    await learner.press("Preview changes", tab)
    await learner.press("Save roles", tab)
    await expect(tab.get_by_text("changed to")).to_be_visible()


async def remove(learner: Learner, tab: Page, position: int) -> None:
    """Remove the member whose removal the page asks to confirm."""
    await learner.press(re.compile("^Remove "), tab)
    await expect(tab.get_by_text("is no longer a member")).to_be_visible()


TASKS: Final[dict[str, Do]] = {
    "two-speeds": give("admin"),
    "issued-tokens-live": give("viewer"),
    "ended-role": give_editor_for_an_hour,
    "removal": remove,
}
"""How the tasks of a lesson are done, by its slug. Tasks of the others only ask for a look at a page."""
