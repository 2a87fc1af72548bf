"""Another person, oneself, the same person again, and two tabs."""

from __future__ import annotations

import re

from tests.integration.lab.personas.scene import OWN_COOKIE, Scene


async def test_choosing_another_person_replaces_the_first_and_keeps_the_visitor(scene: Scene) -> None:
    own = scene.browser.session_cookie
    await scene.play(scene.vic)
    first = scene.browser.session_cookie

    await scene.play(scene.ed)

    assert await scene.who() == scene.ed.id
    assert not await scene.is_live(first)
    await scene.back()
    assert scene.browser.session_cookie == own


async def test_choosing_oneself_as_a_person_leads_back(scene: Scene) -> None:
    own = scene.browser.session_cookie
    await scene.play(scene.vic)

    await scene.play(scene.ada, "/account")

    assert scene.browser.session_cookie == own
    assert scene.cookie(OWN_COOKIE) is None


async def test_choosing_oneself_changes_nothing(scene: Scene) -> None:
    own = scene.browser.session_cookie

    await scene.play(scene.ada)

    assert scene.browser.session_cookie == own
    assert scene.cookie(OWN_COOKIE) is None


async def test_choosing_the_same_person_again_changes_nothing(scene: Scene) -> None:
    await scene.play(scene.vic)
    played = scene.browser.session_cookie

    await scene.play(scene.vic)

    assert scene.browser.session_cookie == played


async def test_a_form_of_the_visitor_in_another_tab_does_not_act_as_the_person(scene: Scene) -> None:
    page = await scene.browser.text(f"{scene.root}/projects/new")
    (mark,) = set(re.findall(r'name="_owner" value="([^"]+)"', page))
    await scene.play(scene.ed)

    refused = await scene.browser.submit(
        f"{scene.root}/projects/new", {"name": "By Ada", "_owner": mark}, expect=409
    )

    assert "Another account was signed in" in refused
    waiting = re.findall(r'action="/lab/as/back">.*?name="next" value="(/sign-in/finish[^"]+)"', refused)
    assert "By Ada" in await scene.browser.text(await scene.back(waiting[0]))


async def test_a_form_of_the_person_does_not_act_as_the_visitor_after_the_return(scene: Scene) -> None:
    await scene.play(scene.ed)
    page = await scene.browser.text(f"{scene.root}/projects/new")
    (mark,) = set(re.findall(r'name="_owner" value="([^"]+)"', page))
    await scene.back()

    await scene.browser.post(f"{scene.root}/projects/new", {"name": "By Ed", "_owner": mark}, expect=409)


async def test_an_ordinary_sign_in_ends_the_play(scene: Scene) -> None:
    await scene.play(scene.vic)

    await scene.browser.sign_in(scene.ada)

    assert await scene.who() == scene.ada.id
    assert "persona-bar" not in await scene.browser.text("/account")
