"""Checks of pages: findings of axe in both color schemes, and their width on a phone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, ViewportSize

DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 360, "height": 720}

_SCRIPT = Axe().axe_script
_RUN = "options => axe.run(options).then(results => results.violations)"
# target-size (WCAG 2.2 AA) is off in axe by default. Dark mode differs in colors only.
_IN_LIGHT: dict[str, Any] = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
_IN_DARK: dict[str, Any] = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
}
# The elements are only for the message. Content that scrolls may extend past the edge.
_WIDEST = """() => {
  const limit = document.documentElement.clientWidth;
  const wide = [...document.querySelectorAll("body *")].filter((element) => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.right > limit + 1;
  });
  const culprits = wide.slice(0, 3).map((element) => element.outerHTML.slice(0, 120));
  return [document.documentElement.scrollWidth, limit, culprits];
}"""


async def findings_on(page: Page, tour: AsyncIterator[str]) -> list[str]:
    """Return what axe finds on each page of the tour, and what is wider than a phone."""
    found = []
    async for name in tour:
        found += await axe_findings(page, name)
        await page.set_viewport_size(PHONE)
        found += await excess_width(page, name, PHONE["width"])
        await page.set_viewport_size(DESKTOP)
    return found


async def axe_findings(page: Page, name: str) -> list[str]:
    """Return all violations with the page's name. Colors are checked in both schemes."""
    await page.evaluate(_SCRIPT)
    await page.emulate_media(color_scheme="light")
    found = [f"{name}: {_description(violation)}" for violation in await page.evaluate(_RUN, _IN_LIGHT)]
    await page.emulate_media(color_scheme="dark")
    found += [f"{name}, dark: {_description(violation)}" for violation in await page.evaluate(_RUN, _IN_DARK)]
    return found


async def excess_width(page: Page, name: str, width: int) -> list[str]:
    """Return why the page is wider than ``width`` pixels, or nothing."""
    needed, there_is, culprits = await page.evaluate(_WIDEST)
    is_fine = needed <= there_is <= width
    return [] if is_fine else [f"{name}: {needed} of {there_is} pixels: {culprits}"]


def _description(violation: dict[str, Any]) -> str:
    places = "; ".join(f"{node['target'][0]} ({node['failureSummary']})" for node in violation["nodes"])
    return f"{violation['id']}, {violation['help']}: {places}"
