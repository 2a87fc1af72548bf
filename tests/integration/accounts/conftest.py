"""A person whose account is shown and changed."""

from __future__ import annotations

import pytest

from tests.clients import Browser, Person
from tests.factories import Factory


@pytest.fixture
async def pia(make: Factory) -> Person:
    return await make.person("Pia")


def cookies_of(browser: Browser) -> dict[str, str]:
    """Return the choices that a browser carries."""
    chosen = {"workroom_language", "workroom_zone", "workroom_theme"}
    jar = browser.app.cookie_jar or ()
    return {cookie.name: str(cookie.value).strip('"') for cookie in jar if cookie.name in chosen}
