"""Helpers that read the replies of the pages."""

from __future__ import annotations

import re
from html import unescape

from quart import Response

from unit.experience_app import ExperienceApp

_REFRESH = re.compile(r'http-equiv="refresh" content="0; url=([^"]+)"')


async def page(logto: ExperienceApp, path: str) -> str:
    """Return the HTML of a page that exists."""
    response = await logto.browser.get(path)
    assert response.status_code == 200, response.headers.get("Location")
    return (await response.get_data()).decode()


async def text_of(response: Response) -> str:
    return (await response.get_data(as_text=True)) or ""


async def moves_on_to(response: Response) -> str:
    """Return where a page sends the browser by itself."""
    assert response.status_code == 200
    found = _REFRESH.search(await text_of(response))
    assert found is not None
    return unescape(found[1])


def leads_to(response: Response) -> str:
    """Return where a form redirects the browser."""
    assert response.status_code == 303
    return str(response.headers["Location"])
