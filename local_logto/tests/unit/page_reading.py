"""Helpers that read the replies of the pages."""

from __future__ import annotations

from quart import Response

from unit.experience_app import ExperienceApp


async def page(logto: ExperienceApp, path: str) -> str:
    """Return the HTML of a page that exists."""
    response = await logto.browser.get(path)
    assert response.status_code == 200, response.headers.get("Location")
    return (await response.get_data()).decode()


async def text_of(response: Response) -> str:
    return (await response.get_data(as_text=True)) or ""


def leads_to(response: Response) -> str:
    """Return where a form redirects the browser."""
    assert response.status_code == 303
    return str(response.headers["Location"])
