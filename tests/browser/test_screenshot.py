"""The README's picture, made from the demo. Collected only with ``UPDATE_SCREENSHOTS=1``."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.async_api import expect

from saas_app.demo.people import PASSWORD
from tests.browser.conftest import OpenPage
from tests.browser.site import Site
from tests.browser.steps import switcher
from tests.clients import Person

_PICTURE = Path(__file__).resolve().parents[2] / "docs" / "images" / "projects.png"
_LARGEST = 200_000  # bytes


@pytest.fixture
def demo(site: Site) -> None:
    """The people, organizations and projects of the demo."""
    if site.environment is None:
        pytest.skip("The picture needs demo data, which tests do not add to a running site.")
    command = [sys.executable, "-m", "saas_app", "seed-demo"]
    subprocess.run(command, env={**os.environ, **site.environment}, check=True, capture_output=True)


@pytest.mark.usefixtures("demo")
async def test_picture_of_the_project_list_with_the_switcher_open(open_page: OpenPage) -> None:
    page = await open_page(Person("", "alice", PASSWORD), color_scheme="light", reduced_motion="reduce")
    await page.goto("/o")
    await page.get_by_role("link", name="Acme Robotics").click()
    await page.get_by_role("link", name="Projects", exact=True).click()
    await switcher(page).click()
    await expect(page.get_by_role("option", name=re.compile("Globex"))).to_be_visible()
    await expect(page.get_by_role("table").get_by_role("rowheader").nth(6)).to_be_in_viewport()
    await page.screenshot(path=_PICTURE)
    assert _PICTURE.stat().st_size < _LARGEST
