"""Pages of every sign-in method are accessible and fit a phone."""

from __future__ import annotations

import pytest

from tests.browser import tour_of_ways_in as tour
from tests.browser.conftest import OpenPage
from tests.browser.methods_site import MethodsSite
from tests.browser.page_checks import findings_on
from tests.factories import Factory


@pytest.mark.parametrize("part", ["codes", "naver", "second factor", "account"])
async def test_pages_of_every_sign_in_method_are_accessible_and_fit_a_phone(
    visitor: OpenPage, methods_site: MethodsSite, members: Factory, part: str
) -> None:
    page = await visitor()
    await page.emulate_media(reduced_motion="reduce")
    parts = {
        "codes": lambda: tour.codes(page, methods_site, members),
        "naver": lambda: tour.naver(page, methods_site, members),
        "second factor": lambda: tour.second_factor(page, members),
        "account": lambda: tour.account(page, methods_site, members),
    }
    assert await findings_on(page, parts[part]()) == []
