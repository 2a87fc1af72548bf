"""Renewals and fresh sign-ins of a demo person go by script, not through the visitor's browser."""

from __future__ import annotations

import re

from saas_app.logto import ManagementClient
from tests.integration.lab.personas.scene import Scene


async def test_a_promotion_of_the_person_is_renewed_by_script_and_keeps_their_session(scene: Scene) -> None:
    await scene.play(scene.vic)
    await scene.browser.get(f"{scene.root}/projects/new", 403)
    played = scene.browser.session_cookie
    await scene.make.give_roles(scene.organization_id, scene.vic, "editor")
    await scene.browser.post(f"{scene.root}/access/read-again")

    page = await scene.browser.follow(f"{scene.root}/projects/new")

    assert page.status_code == 200
    assert await scene.who() == scene.vic.id
    assert scene.browser.session_cookie == played


async def test_a_renewal_by_script_needs_no_new_session_at_logto(
    scene: Scene, management: ManagementClient
) -> None:
    await scene.play(scene.vic)

    await scene.browser.get("/sign-in/renew?next=/account&for=test", 303)

    assert len(await management.list_user_sessions(scene.vic.id)) == 1


async def test_a_renewal_leads_to_the_page_and_never_to_logto(scene: Scene) -> None:
    await scene.play(scene.vic)

    response = await scene.browser.get("/sign-in/renew?next=/account&for=test", 303)

    assert response.headers["Location"] == "/account"


async def test_a_renewal_signs_in_again_if_the_session_at_logto_has_ended(
    scene: Scene, management: ManagementClient
) -> None:
    await scene.play(scene.vic)
    for at_logto in await management.list_user_sessions(scene.vic.id):
        await management._transport.call("DELETE", f"/users/{scene.vic.id}/sessions/{at_logto.uid}")

    await scene.browser.get("/sign-in/renew?next=/account&for=test", 303)

    assert await scene.who() == scene.vic.id


async def test_a_form_that_needs_a_renewal_is_sent_again_by_the_person(scene: Scene) -> None:
    await scene.play(scene.vic)
    await scene.browser.get(f"{scene.root}/projects")
    await scene.make.give_roles(scene.organization_id, scene.vic, "editor")
    await scene.browser.post(f"{scene.root}/access/read-again")
    asked = await scene.browser.submit(f"{scene.root}/projects/new", {"name": "Kept"}, expect=403)
    fields = dict(
        re.findall(r'name="([^"]+)" value="([^"]*)"', asked.partition('action="/sign-in/renew"')[2])
    )

    response = await scene.browser.post("/sign-in/renew", fields)

    assert response.headers["Location"].startswith("/sign-in/finish?form=")
    assert "Kept" in await scene.browser.text(response.headers["Location"])


async def test_a_fresh_sign_in_of_the_person_is_made_by_script(scene: Scene) -> None:
    await scene.make.give_roles(scene.organization_id, scene.vic, "admin")
    await scene.play(scene.vic)
    played = scene.browser.session_cookie

    page = await scene.browser.follow(f"{scene.root}/settings/delete")

    assert page.status_code == 200
    assert scene.browser.session_cookie != played
    assert await scene.who() == scene.vic.id


async def test_after_a_fresh_sign_in_of_the_person_one_click_still_leads_back(scene: Scene) -> None:
    own = scene.browser.session_cookie
    await scene.play(scene.vic)
    await scene.browser.get("/sign-in/fresh?next=/account", 303)

    await scene.back()

    assert scene.browser.session_cookie == own
