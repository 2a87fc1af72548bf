"""Sessions that end, people who are gone, and a Logto that is down."""

from __future__ import annotations

import pytest

from saas_app.logto import ManagementClient
from tests.factories import Factory
from tests.integration.lab.personas.scene import AS, OWN_COOKIE, Scene


async def test_a_person_whose_session_ended_leads_back_with_a_message(scene: Scene) -> None:
    own = scene.browser.session_cookie
    await scene.play(scene.vic)
    await scene.runtime.sessions.end_all(scene.vic.id)

    response = await scene.browser.get(f"{scene.root}/projects", 303)

    assert response.headers["Location"] == "/"
    assert scene.browser.session_cookie == own
    assert "has ended. You are yourself again" in await scene.browser.text("/account")


async def test_a_person_who_is_deleted_while_played_leads_back_with_a_message(
    scene: Scene, management: ManagementClient
) -> None:
    await scene.play(scene.vic)
    await management._transport.call("DELETE", f"/users/{scene.vic.id}")

    page = await scene.browser.follow(f"{scene.root}/projects")

    assert page.status_code == 200
    assert await scene.who() == scene.ada.id


async def test_a_public_page_says_that_the_persons_session_ended(scene: Scene) -> None:
    await scene.play(scene.vic)
    await scene.runtime.sessions.end_all(scene.vic.id)

    page = await scene.browser.text("/")

    assert "whose pages you saw has ended" in page
    assert "Back to Ada" in page


async def test_a_visitor_whose_own_session_ended_meanwhile_is_told_to_sign_in(scene: Scene) -> None:
    await scene.play(scene.vic)
    played = scene.browser.session_cookie
    await scene.runtime.sessions.end_all(scene.ada.id)

    led_to = await scene.back()

    assert led_to == "/"
    assert "Your own session has ended. Sign in again." in await scene.browser.text("/")
    assert scene.cookie("workroom_session") is None
    assert scene.cookie(OWN_COOKIE) is None
    assert not await scene.is_live(played)


async def test_a_person_with_another_password_cannot_be_played(
    scene: Scene, management: ManagementClient
) -> None:
    own = scene.browser.session_cookie
    await management._transport.call(
        "PATCH", f"/users/{scene.vic.id}/password", body={"password": "Another-password-2"}
    )

    page = await scene.browser.submit(AS, {"username": scene.vic.username}, expect=409)

    assert "The password may have changed, or the account was deleted." in page
    assert scene.browser.session_cookie == own
    assert await scene.who() == scene.ada.id


async def test_a_failed_choice_keeps_the_person_that_is_played(
    scene: Scene, management: ManagementClient
) -> None:
    await scene.play(scene.vic)
    await management._transport.call("DELETE", f"/users/{scene.ed.id}")

    await scene.browser.post(AS, {"username": scene.ed.username}, expect=409)

    assert await scene.who() == scene.vic.id


async def test_a_username_that_is_no_demo_person_is_not_found(scene: Scene, make: Factory) -> None:
    stranger = await make.person("Stranger")

    await scene.browser.post(AS, {"username": stranger.username}, expect=404)

    assert await scene.who() == scene.ada.id


async def test_without_logto_the_visitor_stays_who_they_are(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = await scene.runtime.provider.core()
    monkeypatch.setattr(core.metadata, "authorization_endpoint", "http://localhost:9/oidc/auth")

    page = await scene.browser.submit(AS, {"username": scene.vic.username}, expect=503)

    assert "Logto did not respond" in page
    assert await scene.who() == scene.ada.id


async def test_a_renewal_that_cannot_sign_the_person_in_says_why_and_offers_the_way_back(
    scene: Scene, management: ManagementClient
) -> None:
    await scene.play(scene.vic)
    for at_logto in await management.list_user_sessions(scene.vic.id):
        await management._transport.call("DELETE", f"/users/{scene.vic.id}/sessions/{at_logto.uid}")
    await management._transport.call(
        "PATCH", f"/users/{scene.vic.id}/password", body={"password": "Another-password-2"}
    )

    page = await scene.browser.text("/sign-in/renew?next=/account&for=test", 409)

    assert "The password may have changed" in page
    assert "Back to Ada" in page


async def test_a_renewal_without_logto_keeps_the_person(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.play(scene.vic)
    core = await scene.runtime.provider.core()
    monkeypatch.setattr(core.metadata, "authorization_endpoint", "http://localhost:9/oidc/auth")

    page = await scene.browser.text("/sign-in/renew?next=/account&for=test", 503)

    assert "Back to Ada" in page
    assert await scene.who() == scene.vic.id


async def test_a_second_factor_that_the_person_lacks_is_not_set_up_as_the_visitor(
    scene: Scene, management: ManagementClient
) -> None:
    await management._transport.call(
        "PATCH", f"/organizations/{scene.organization_id}", body={"isMfaRequired": True}
    )
    await scene.play(scene.vic)

    page = await scene.browser.text(f"{scene.root}/projects", 403)

    assert "Workroom signed you in as them by script" in page
    assert scene.runtime.settings.account_center not in page


async def test_pages_of_the_person_do_not_lead_to_the_visitors_account_at_logto(scene: Scene) -> None:
    assert scene.runtime.settings.account_center in await scene.browser.text("/account")

    await scene.play(scene.vic)

    assert scene.runtime.settings.account_center not in await scene.browser.text("/account")
