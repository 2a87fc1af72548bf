"""The Experience API: how a program signs people in and up."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

import pytest

from contract.client import LogtoBrowser
from contract.fixtures import LikeRecording, NewBrowser
from contract.management import ManagementApi, Workshop
from contract.oidc import Oidc
from contract.people import Person
from contract.world import World

UNKNOWN = Person("", "nobodyhere", "Heron-Quay-4711")


# --- signing in


async def test_beginning_is_as_recorded(
    browser: LogtoBrowser, world: World, like_recording: LikeRecording
) -> None:
    like_recording("51-exp-init", await browser.begin(world.web))


async def test_browser_without_an_interaction_is_refused(
    browser: LogtoBrowser, like_recording: LikeRecording
) -> None:
    reply = await browser.experience("PUT", "", {"interactionEvent": "SignIn"})
    like_recording("51-exp-error-no-session", reply)


async def test_submitting_before_identifying_is_refused(
    browser: LogtoBrowser, world: World, like_recording: LikeRecording
) -> None:
    await browser.begin(world.web)
    like_recording("51-exp-error-submit-unidentified", await browser.experience("POST", "/submit"))


async def test_wrong_password_is_refused(
    browser: LogtoBrowser, world: World, like_recording: LikeRecording
) -> None:
    await browser.begin(world.web)
    reply = await browser.offer_password(Person("", world.alice.username, "wrong"))
    like_recording("51-exp-error-wrong-password", reply)


async def test_unknown_person_is_refused_in_the_same_words(
    browser: LogtoBrowser, world: World, like_recording: LikeRecording
) -> None:
    await browser.begin(world.web)
    like_recording("105-sign-in-unknown-user", await browser.offer_password(UNKNOWN))


async def test_unknown_kind_of_identifier_is_refused(
    browser: LogtoBrowser, world: World, like_recording: LikeRecording
) -> None:
    await browser.begin(world.web)
    body = {"identifier": {"type": "banana", "value": "a"}, "password": "a"}
    reply = await browser.experience("POST", "/verification/password", body)
    like_recording("105-bad-identifier-type", reply)


async def test_sign_in_succeeds_after_a_wrong_password(browser: LogtoBrowser, world: World) -> None:
    await browser.begin(world.web)
    await browser.offer_password(Person("", world.alice.username, "wrong"))
    resume = await browser.prove_password(world.alice)
    assert "code" in await browser.follow(resume, world.web.redirect_uri)


async def test_unknown_proof_identifies_nobody(browser: LogtoBrowser, world: World) -> None:
    await browser.begin(world.web)
    reply = await browser.experience("POST", "/identification", {"verificationId": "unknown"})
    assert reply.refusal == (404, "session.verification_session_not_found")


async def test_proof_of_one_browser_is_unknown_to_another(
    browser: LogtoBrowser, new_browser: NewBrowser, world: World
) -> None:
    await browser.begin(world.web)
    proof = (await browser.offer_password(world.alice)).expect(200).body
    other = new_browser()
    await other.begin(world.web)
    assert (await other.experience("POST", "/identification", proof)).status == 404


async def test_interaction_shows_what_was_proven_and_no_secret(browser: LogtoBrowser, world: World) -> None:
    await browser.begin(world.web)
    proof = (await browser.offer_password(world.alice)).expect(200).body
    state = (await browser.experience("GET", "/interaction")).expect(200).body
    assert state["interactionEvent"] == "SignIn"
    assert state["verificationRecords"] == [
        {
            "id": proof["verificationId"],
            "type": "Password",
            "identifier": {"type": "username", "value": world.alice.username},
            "verified": True,
        }
    ]
    assert world.alice.password not in str(state)


async def test_suspended_person_cannot_sign_in(
    browser: LogtoBrowser, world: World, workshop: Workshop, api: ManagementApi
) -> None:
    person = await workshop.person()
    (await api.patch(f"/users/{person.id}/is-suspended", {"isSuspended": True})).expect(200)
    await browser.begin(world.web)
    proof = await browser.offer_password(person)
    if proof.status == 200:
        proof = await browser.experience("POST", "/identification", proof.body)
    assert proof.refusal == (401, "user.suspended")


@pytest.mark.parametrize(("password", "status"), [("old", 422), ("new", 200)])
async def test_only_the_new_password_signs_in_after_a_change(
    browser: LogtoBrowser, world: World, otto: Person, api: ManagementApi, password: str, status: int
) -> None:
    renewed = Person(otto.id, otto.username, f"Plover-{secrets.token_hex(6)}-Reed")
    (await api.patch(f"/users/{otto.id}/password", {"password": renewed.password})).expect(200)
    await browser.begin(world.web)
    assert (await browser.offer_password(renewed if password == "new" else otto)).status == status


async def test_user_who_never_signed_in_shows_no_sign_in(api: ManagementApi, otto: Person) -> None:
    user = (await api.get(f"/users/{otto.id}")).expect(200).body
    assert (user["lastSignInAt"], user["applicationId"]) == (None, None)


async def test_user_shows_the_last_sign_in_and_its_application(
    browser: LogtoBrowser, world: World, otto: Person, api: ManagementApi
) -> None:
    await browser.sign_in(world.web, otto)
    user = (await api.get(f"/users/{otto.id}")).expect(200).body
    assert user["lastSignInAt"] >= user["createdAt"]
    assert user["applicationId"] == world.web.id


async def test_settings_for_the_sign_in_page_are_public(oidc: Oidc, world: World) -> None:
    reply = await oidc.send("GET", f"/api/.well-known/sign-in-exp?appId={world.web.id}")
    methods = reply.expect(200).body["signIn"]["methods"]
    assert any(method["identifier"] == "username" and method["password"] for method in methods)
    assert not {"forgotPasswordMethods", "emailBlocklistPolicy"} & set(reply.body)


# --- signing up


@pytest.mark.usefixtures("sign_up_by_username")
async def test_sign_up_by_username_is_as_recorded_and_ends_signed_in(
    browser: LogtoBrowser, world: World, workshop: Workshop, like_recording: LikeRecording
) -> None:
    """One flow: each reply was recorded in this order."""
    username = workshop.unique("nina")
    like_recording("101-register-init", await browser.begin(world.web, "Register"))
    proof = await browser.offer_identity(username, f"Kestrel-{secrets.token_hex(6)}-Moor")
    like_recording("101-register-new-password-identity", proof)
    identified = await browser.experience("POST", "/identification", proof.body)
    like_recording("101-register-identification", identified)
    await workshop.adopt_user(username)
    assert "code" in await browser.follow(await browser.finish(), world.web.redirect_uri)


@pytest.mark.usefixtures("sign_up_by_username")
async def test_account_created_by_signing_up_can_sign_in(
    browser: LogtoBrowser, new_browser: NewBrowser, world: World, workshop: Workshop
) -> None:
    username, password = workshop.unique("nina"), f"Kestrel-{secrets.token_hex(6)}-Moor"
    await browser.begin(world.web, "Register")
    proof = (await browser.offer_identity(username, password)).expect(200)
    (await browser.experience("POST", "/identification", proof.body)).expect(201)
    created = await workshop.adopt_user(username)
    assert (created["primaryEmail"], created["name"], created["lastSignInAt"]) == (None, None, None)
    await new_browser().sign_in(world.web, Person(created["id"], username, password))


@pytest.mark.usefixtures("sign_up_by_username")
async def test_taken_username_is_refused(
    browser: LogtoBrowser, world: World, like_recording: LikeRecording
) -> None:
    await browser.begin(world.web, "Register")
    reply = await browser.offer_identity(world.alice.username)
    like_recording("102-register-duplicate", reply)


@pytest.mark.usefixtures("sign_up_by_username")
async def test_weak_password_is_refused_with_every_reason(
    browser: LogtoBrowser, world: World, workshop: Workshop
) -> None:
    await browser.begin(world.web, "Register")
    reply = (await browser.offer_identity(workshop.unique("nina"), "123")).expect(422)
    assert reply.body["code"] == "password.rejected"
    reasons = {reason["code"]: reason.get("interpolation") for reason in reply.body["data"]}
    assert reasons["password_rejected.too_short"] == {"min": 8}
    assert "password_rejected.restricted.sequence" in reasons


@pytest.mark.usefixtures("sign_up_by_username")
async def test_abandoned_sign_up_leaves_no_account(
    browser: LogtoBrowser, world: World, workshop: Workshop, api: ManagementApi
) -> None:
    username = workshop.unique("nina")
    await browser.begin(world.web, "Register")
    (await browser.offer_identity(username)).expect(200)
    users = await api.get("/users", **{"search.username": username, "mode.username": "exact"})
    assert users.expect(200).body == []


async def test_register_page_is_reached_by_first_screen(browser: LogtoBrowser, world: World) -> None:
    reply = await browser.authorize(world.web, first_screen="register")
    assert urlsplit(reply.location).path == "/register"
    assert (await browser.experience("PUT", "", {"interactionEvent": "Register"})).status == 204
