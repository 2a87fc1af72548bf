"""Seeing Workroom as a demo person: a real sign-in, with the visitor's own session set aside."""

from __future__ import annotations

from tests.integration.lab.personas.scene import AS, OWN_COOKIE, Scene
from tests.integration.records import events_of


async def test_the_list_shows_the_demo_people_with_the_roles_they_began_with(scene: Scene) -> None:
    page = await scene.browser.text(f"{AS}?next={scene.root}/")

    assert page.count("viewer of Acme") == 3
    assert f'value="{scene.vic.username}"' in page
    assert f'value="{scene.ada.username}"' not in page  # she is herself already


async def test_the_list_has_no_password_in_it(scene: Scene) -> None:
    page = await scene.browser.text(AS)

    assert scene.vic.password not in page


async def test_the_list_speaks_the_language_of_the_reader(scene: Scene) -> None:
    page = await scene.browser.text(AS, headers={"Accept-Language": "es"})

    assert "viewer de Acme" in page


async def test_choosing_a_person_signs_in_as_them_and_leads_to_the_page(scene: Scene) -> None:
    led_to = await scene.play(scene.vic, f"{scene.root}/projects")

    assert led_to == f"{scene.root}/projects"
    assert await scene.who() == scene.vic.id


async def test_the_person_has_their_own_permissions_and_not_those_of_the_visitor(scene: Scene) -> None:
    await scene.browser.get(f"{scene.root}/projects/new")

    await scene.play(scene.vic)

    await scene.browser.get(f"{scene.root}/projects/new", 403)


async def test_the_visitors_own_session_stays_as_it_was(scene: Scene) -> None:
    own = scene.browser.session_cookie

    await scene.play(scene.vic)

    assert scene.browser.session_cookie != own
    assert await scene.is_live(own)


async def test_the_cookie_beside_the_session_hides_the_visitors_session(scene: Scene) -> None:
    own = scene.browser.session_cookie

    response = await scene.browser.post(AS, {"username": scene.vic.username})

    line = next(line for line in response.headers.getlist("Set-Cookie") if line.startswith(OWN_COOKIE))
    assert "HttpOnly" in line
    assert "SameSite=Lax" in line
    assert own not in line


async def test_every_page_says_whom_the_visitor_plays_and_leads_back(scene: Scene) -> None:
    await scene.play(scene.vic)

    for path, status in (
        (f"{scene.root}/", 200),
        (f"{scene.root}/access", 200),
        ("/account", 200),
        ("/api/docs", 200),
        (f"{scene.root}/audit", 403),
        (f"{scene.root}/nothing-here", 404),
    ):
        page = await scene.browser.text(path, status)
        assert "You see this as <strong>Vic</strong>" in page, path
        assert "Back to Ada" in page, path


async def test_pages_of_the_visitor_have_no_such_bar(scene: Scene) -> None:
    page = await scene.browser.text(f"{scene.root}/")

    assert "persona-bar" not in page


async def test_a_change_is_recorded_as_the_persons_own(scene: Scene) -> None:
    await scene.play(scene.ed)

    await scene.browser.post(f"{scene.root}/projects/new", {"name": "By Ed"})

    events = await events_of(scene.runtime, scene.organization_id)
    assert [event.actor_id for event in events] == [scene.ed.id]
