"""Checks of pages: axe in both color schemes, their width on a phone and enlarged, and their Spanish."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, ViewportSize

DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 320, "height": 720}
ENLARGED: ViewportSize = {"width": 640, "height": 400}
"""What a desktop shows at 200 % zoom."""

_SCRIPT = Axe().axe_script
_RUN = "options => axe.run(options).then(results => results.violations)"
# target-size (WCAG 2.2 AA) is off in axe by default. Dark mode differs in colors only.
_IN_LIGHT: dict[str, Any] = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
_IN_DARK: dict[str, Any] = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
}
# What depends on the size of the screen. Everything else in a page is the same on a phone.
_ON_A_PHONE: dict[str, Any] = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "rule", "values": ["target-size", "scrollable-region-focusable"]},
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


# Names are cut with an ellipsis where they would not fit. Labels, headings and buttons are not.
_CUT = """() => [...document.querySelectorAll("body *")].filter((element) => {
  const style = getComputedStyle(element);
  const hides = ["hidden", "clip"].includes(style.overflowX) && style.textOverflow !== "ellipsis";
  const isShown = element.clientWidth > 1 && element.innerText; // one pixel: only read aloud
  return hides && isShown && element.scrollWidth > element.clientWidth + 1;
}).slice(0, 3).map((element) => element.outerHTML.slice(0, 120))"""

# A select shows its chosen option and an empty field its placeholder, both in one line without an ellipsis.
_CUT_IN_FIELDS = """() => {
  const pen = document.createElement("canvas").getContext("2d");
  return [...document.querySelectorAll("select, input[placeholder]")].filter((field) => {
    const style = getComputedStyle(field);
    const text = field.matches("select") ? field.selectedOptions[0]?.label : field.placeholder;
    const room = field.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    pen.font = style.font;
    return field.checkVisibility() && room > 1 && pen.measureText(text ?? "").width > room + 1;
  }).slice(0, 3).map((field) => field.outerHTML.slice(0, 120));
}"""


async def findings_on(page: Page, tour: AsyncIterator[str]) -> list[str]:
    """Return what is wrong with each page of the tour: found by axe, too wide, or cut off in Spanish."""
    found = []
    spanish = await page.context.new_page()
    await spanish.set_extra_http_headers({"Accept-Language": "es"})
    async for name in tour:
        found += await axe_findings(page, name)
        found += await widths(page, name)
        if name.startswith("/"):
            await spanish.goto(page.url)
            await spanish.evaluate(_SCRIPT)
            found += await widths(spanish, f"{name} in Spanish")
    await spanish.close()
    return found


async def widths(page: Page, name: str) -> list[str]:
    """Return what is too wide, cut off, or too small to touch on a phone and at 200 % zoom.

    The page has loaded axe. It is left as wide as on a desktop.
    """
    found = []
    for size in (PHONE, ENLARGED):
        await page.set_viewport_size(size)
        found += await excess_width(page, name, size["width"])
        found += [
            f"{name}, {size['width']} pixels wide: {_description(violation)}"
            for violation in await page.evaluate(_RUN, _ON_A_PHONE)
        ]
        cut = await page.evaluate(_CUT) + await page.evaluate(_CUT_IN_FIELDS)
        found += [f"{name}, {size['width']} pixels wide, cuts {element}" for element in cut]
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
