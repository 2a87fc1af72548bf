"""Who cannot see Workroom as somebody else, and where it is not offered."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from saas_app.identity.vault import fingerprint
from tests.clients import SAME_ORIGIN
from tests.conftest import OpenApp, OpenBrowser
from tests.integration.lab.personas.scene import AS, BACK, OWN_COOKIE, Scene, WritePeople


async def test_a_visitor_who_is_not_signed_in_cannot_play_anybody(
    scene: Scene, open_browser: OpenBrowser
) -> None:
    browser = await open_browser(at=scene.app)

    response = await browser.post(AS, {"username": scene.vic.username})

    assert response.headers["Location"].startswith("/sign-in")
    assert scene.cookie(OWN_COOKIE) is None


@pytest.mark.parametrize("path", [AS, BACK])
async def test_another_site_can_start_or_end_nothing(scene: Scene, path: str) -> None:
    if path == BACK:
        await scene.play(scene.vic)
    before = scene.browser.session_cookie

    response = await scene.browser.app.post(
        path, form={"username": scene.vic.username}, headers={"Sec-Fetch-Site": "cross-site"}
    )

    assert response.status_code == 403
    assert scene.browser.session_cookie == before


async def test_the_cookie_of_one_session_counts_for_no_other(scene: Scene, open_browser: OpenBrowser) -> None:
    await scene.play(scene.vic)
    other = await open_browser(scene.ed, at=scene.app)
    other.app.set_cookie("localhost", OWN_COOKIE, scene.cookie(OWN_COOKIE) or "")
    before = other.session_cookie

    await other.post(BACK)

    assert other.session_cookie == before
    assert "persona-bar" not in await other.text("/account")


@pytest.mark.parametrize("value", ["", "made-up", "gAAAAA=="])
async def test_a_cookie_that_was_made_up_counts_for_nothing(scene: Scene, value: str) -> None:
    scene.browser.app.set_cookie("localhost", OWN_COOKIE, value)

    assert "persona-bar" not in await scene.browser.text("/account")


async def test_a_sealed_text_of_another_kind_counts_for_nothing(scene: Scene) -> None:
    sealed = scene.runtime.vault.seal(json.dumps({"session": fingerprint("x").hex()})).decode()
    scene.browser.app.set_cookie("localhost", OWN_COOKIE, sealed)

    assert "persona-bar" not in await scene.browser.text("/account")


@pytest.mark.parametrize(("method", "path"), [("GET", AS), ("POST", AS), ("POST", BACK)])
@pytest.mark.parametrize("changed", [{"lab_people_file": None}, {"lab": False}])
async def test_without_demo_people_or_without_the_lab_every_route_is_not_found(
    scene: Scene,
    open_app: OpenApp,
    write_people: WritePeople,
    method: str,
    path: str,
    changed: dict[str, Any],
) -> None:
    app = await open_app(**{"lab_people_file": write_people(scene.vic), **changed})
    browser = scene.browser.at(app)

    response = await browser.app.open(
        path, method=method, form={"username": scene.vic.username}, headers=SAME_ORIGIN
    )

    assert response.status_code == 404


async def test_without_demo_people_no_page_offers_them_and_no_cookie_counts(
    scene: Scene, open_app: OpenApp
) -> None:
    await scene.play(scene.vic)

    browser = scene.browser.at(await open_app(lab_people_file=None))

    for path, status in ((f"{scene.root}/access", 200), (f"{scene.root}/audit", 403)):
        page = await browser.text(path, status)
        assert "persona-bar" not in page
        assert "/lab/as" not in page


@pytest.mark.parametrize("content", [None, "", "{}", '[{"identifier": 1}]', "\x00"])
async def test_a_file_that_is_missing_or_unreadable_has_no_people(
    scene: Scene, open_app: OpenApp, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "other.json"
    if content is not None:
        file.write_text(content, encoding="utf-8")

    browser = scene.browser.at(await open_app(lab_people_file=file))

    assert "No demo people" in await browser.text(AS)
    assert "/lab/as" not in await browser.text("/account")


async def test_pages_offer_the_people_from_the_menu_my_access_and_a_denial(scene: Scene) -> None:
    await scene.play(scene.vic)

    for path, status, text in (
        ("/account", 200, "See this as…"),
        (f"{scene.root}/access", 200, "See this page as…"),
        (f"{scene.root}/audit", 403, "See this page as…"),
    ):
        page = await scene.browser.text(path, status)
        (link,) = re.findall(rf'href="(/lab/as[^"]*)"[^>]*>(?:<svg.*?</svg>)?{text}', page)
        assert 'value="' + path in await scene.browser.text(link)
