"""One click back, and every way to sign out as a demo person."""

from __future__ import annotations

import re

from saas_app.logto import ManagementClient
from tests.conftest import OpenBrowser
from tests.integration.lab.personas.scene import OWN_COOKIE, Scene


async def test_one_click_leads_back_to_the_visitors_session_and_page(scene: Scene) -> None:
    own = scene.browser.session_cookie
    await scene.play(scene.vic)

    led_to = await scene.back(f"{scene.root}/projects")

    assert led_to == f"{scene.root}/projects"
    assert scene.browser.session_cookie == own
    assert await scene.who() == scene.ada.id
    assert scene.cookie(OWN_COOKIE) is None


async def test_going_back_ends_the_session_of_the_person_here_and_at_logto(
    scene: Scene, management: ManagementClient
) -> None:
    await scene.play(scene.vic)
    played = scene.browser.session_cookie

    await scene.back()

    assert not await scene.is_live(played)
    assert await management.list_user_sessions(scene.vic.id) == []


async def test_going_back_twice_changes_nothing(scene: Scene) -> None:
    await scene.play(scene.vic)
    await scene.back()

    assert await scene.back("/account") == "/account"
    assert await scene.who() == scene.ada.id


async def test_the_way_back_leads_to_pages_of_this_site_only(scene: Scene) -> None:
    await scene.play(scene.vic)

    assert await scene.back("https://elsewhere.example/") == "/"


async def test_signing_out_as_the_person_leads_back_and_keeps_the_visitor_signed_in(scene: Scene) -> None:
    own = scene.browser.session_cookie
    await scene.play(scene.vic)
    played = scene.browser.session_cookie

    response = await scene.browser.post("/sign-out")

    assert response.headers["Location"] == "/"  # not Logto's sign-out, which would end Ada's session there
    assert scene.browser.session_cookie == own
    assert not await scene.is_live(played)
    assert "You are yourself again" in await scene.browser.text("/account")


async def test_signing_out_the_current_device_of_the_person_leads_back(scene: Scene) -> None:
    await scene.play(scene.vic)
    page = await scene.browser.text("/account")
    (device,) = re.findall(r'action="(/account/sessions/[^"]+/end)"', page)

    response = await scene.browser.post(device)

    assert response.headers["Location"] == "/"
    assert await scene.who() == scene.ada.id


async def test_signing_the_person_out_everywhere_leads_back(
    scene: Scene, open_browser: OpenBrowser, management: ManagementClient
) -> None:
    elsewhere = await open_browser(scene.vic, at=scene.app)
    await scene.play(scene.vic)

    response = await scene.browser.post("/account/sign-out-everywhere")

    assert response.headers["Location"] == "/"
    assert await scene.who() == scene.ada.id
    assert not await scene.is_live(elsewhere.session_cookie)
    assert await management.list_user_sessions(scene.vic.id) == []


async def test_leaving_the_person_keeps_the_visitor_signed_in_at_logto(
    scene: Scene, management: ManagementClient
) -> None:
    await scene.play(scene.vic)

    await scene.browser.post("/sign-out")

    assert len(await management.list_user_sessions(scene.ada.id)) == 1
