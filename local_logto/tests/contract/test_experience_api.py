"""The Experience API: how a program signs a person in, signs them up, and resets a password."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

import pytest

from contract.client import LogtoBrowser, Reply
from contract.fixtures import LikeRecording, NewBrowser
from contract.management import ManagementApi, Workshop
from contract.oidc import Oidc
from contract.people import App, Person
from contract.world import World

UNKNOWN = Person("", "nobodyhere", "Heron-Quay-4711")


async def begin(browser: LogtoBrowser, app: App, event: str = "SignIn") -> Reply:
    """Open an interaction and say what it is for."""
    await browser.authorize(app)
    return await browser.experience("PUT", "", {"interactionEvent": event})


async def offer_password(browser: LogtoBrowser, person: Person, kind: str = "username") -> Reply:
    identifier = {"type": kind, "value": getattr(person, kind)}
    body = {"identifier": identifier, "password": person.password}
    return await browser.experience("POST", "/verification/password", body)


async def offer_identity(browser: LogtoBrowser, username: str, password: str) -> Reply:
    body = {"identifier": {"type": "username", "value": username}, "password": password}
    return await browser.experience("POST", "/verification/new-password-identity", body)


# --- signing in


async def test_beginning_is_as_recorded(
    browser: LogtoBrowser, world: World, like_recording: LikeRecording
) -> None:
    like_recording("51-exp-init", await begin(browser, world.web))


async def test_nothing_works_without_an_interaction(
    browser: LogtoBrowser, like_recording: LikeRecording
) -> None:
    reply = await browser.experience("PUT", "", {"interactionEvent": "SignIn"})
    like_recording("51-exp-error-no-session", reply)


async def test_submitting_before_identifying_is_refused(
    browser: LogtoBrowser, world: World, like_recording: LikeRecording
) -> None:
    await begin(browser, world.web)
    like_recording("51-exp-error-submit-unidentified", await browser.experience("POST", "/submit"))


async def test_wrong_password_is_refused(
    browser: LogtoBrowser, world: World, like_recording: LikeRecording
) -> None:
    await begin(browser, world.web)
    reply = await offer_password(browser, Person("", world.alice.username, "wrong"))
    like_recording("51-exp-error-wrong-password", reply)


async def test_unknown_person_is_refused_in_the_same_words(
    browser: LogtoBrowser, world: World, like_recording: LikeRecording
) -> None:
    await begin(browser, world.web)
    like_recording("105-sign-in-unknown-user", await offer_password(browser, UNKNOWN))


async def test_unknown_kind_of_identifier_is_refused(
    browser: LogtoBrowser, world: World, like_recording: LikeRecording
) -> None:
    await begin(browser, world.web)
    body = {"identifier": {"type": "banana", "value": "a"}, "password": "a"}
    reply = await browser.experience("POST", "/verification/password", body)
    like_recording("105-bad-identifier-type", reply)


async def test_sign_in_goes_on_after_a_wrong_password(browser: LogtoBrowser, world: World) -> None:
    await browser.authorize(world.web)
    await browser.experience("PUT", "", {"interactionEvent": "SignIn"})
    await offer_password(browser, Person("", world.alice.username, "wrong"))
    resume = await browser.prove_password(world.alice)
    assert "code" in await browser.follow(resume, world.web.redirect_uri)


async def test_identification_wants_a_known_proof(browser: LogtoBrowser, world: World) -> None:
    await begin(browser, world.web)
    reply = await browser.experience("POST", "/identification", {"verificationId": "unknown"})
    assert reply.refusal == (404, "session.verification_session_not_found")


async def test_proof_of_one_browser_is_unknown_to_another(
    browser: LogtoBrowser, new_browser: NewBrowser, world: World
) -> None:
    await begin(browser, world.web)
    proof = (await offer_password(browser, world.alice)).expect(200).body
    other = new_browser()
    await begin(other, world.web)
    assert (await other.experience("POST", "/identification", proof)).status == 404


async def test_interaction_tells_what_was_proved_and_no_secret(browser: LogtoBrowser, world: World) -> None:
    await begin(browser, world.web)
    proof = (await offer_password(browser, world.alice)).expect(200).body
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
    await begin(browser, world.web)
    proof = await offer_password(browser, person)
    if proof.status == 200:
        proof = await browser.experience("POST", "/identification", proof.body)
    assert proof.refusal == (401, "user.suspended")


async def test_new_password_works_and_the_old_one_does_not(
    browser: LogtoBrowser, world: World, workshop: Workshop, api: ManagementApi
) -> None:
    person = await workshop.person()
    renewed = Person(person.id, person.username, f"Plover-{secrets.token_hex(6)}-Reed")
    (await api.patch(f"/users/{person.id}/password", {"password": renewed.password})).expect(200)
    await begin(browser, world.web)
    assert (await offer_password(browser, person)).status == 422
    assert (await offer_password(browser, renewed)).status == 200


async def test_last_sign_in_is_noted_on_the_user(
    browser: LogtoBrowser, world: World, workshop: Workshop, api: ManagementApi
) -> None:
    person = await workshop.person()
    before = (await api.get(f"/users/{person.id}")).expect(200).body
    assert (before["lastSignInAt"], before["applicationId"]) == (None, None)
    await browser.sign_in(world.web, person)
    after = (await api.get(f"/users/{person.id}")).expect(200).body
    assert after["lastSignInAt"] >= before["createdAt"]
    assert after["applicationId"] == world.web.id


async def test_what_the_page_reads_is_public(oidc: Oidc, world: World) -> None:
    reply = await oidc.send("GET", f"/api/.well-known/sign-in-exp?appId={world.web.id}")
    methods = reply.expect(200).body["signIn"]["methods"]
    assert any(method["identifier"] == "username" and method["password"] for method in methods)
    assert not {"forgotPasswordMethods", "emailBlocklistPolicy"} & set(reply.body)


# --- signing up


async def sign_up(browser: LogtoBrowser, app: App, username: str, password: str) -> Reply:
    """Everything up to the identification, which creates the account."""
    (await begin(browser, app, "Register")).expect(204)
    proof = (await offer_identity(browser, username, password)).expect(200)
    return await browser.experience("POST", "/identification", proof.body)


@pytest.mark.usefixtures("sign_up_by_username")
async def test_sign_up_by_username_ends_signed_in(
    browser: LogtoBrowser,
    world: World,
    workshop: Workshop,
    api: ManagementApi,
    like_recording: LikeRecording,
) -> None:
    username = workshop.unique("nina")
    like_recording("101-register-init", await begin(browser, world.web, "Register"))
    proof = await offer_identity(browser, username, f"Kestrel-{secrets.token_hex(6)}-Moor")
    like_recording("101-register-new-password-identity", proof)
    identified = await browser.experience("POST", "/identification", proof.body)
    like_recording("101-register-identification", identified)
    users = await api.get("/users", **{"search.username": username, "mode.username": "exact"})
    workshop.will_delete(f"/users/{users.body[0]['id']}")
    submitted = await browser.experience("POST", "/submit")
    assert submitted.expect(200).body.keys() == {"redirectTo"}
    assert "code" in await browser.follow(submitted.body["redirectTo"], world.web.redirect_uri)


@pytest.mark.usefixtures("sign_up_by_username")
async def test_account_made_by_signing_up_can_sign_in_again(
    browser: LogtoBrowser,
    new_browser: NewBrowser,
    world: World,
    workshop: Workshop,
    api: ManagementApi,
) -> None:
    username, password = workshop.unique("nina"), f"Kestrel-{secrets.token_hex(6)}-Moor"
    (await sign_up(browser, world.web, username, password)).expect(201)
    users = await api.get("/users", **{"search.username": username, "mode.username": "exact"})
    created = users.expect(200).body[0]
    workshop.will_delete(f"/users/{created['id']}")
    assert (created["primaryEmail"], created["name"], created["lastSignInAt"]) == (None, None, None)
    await new_browser().sign_in(world.web, Person(created["id"], username, password))


@pytest.mark.usefixtures("sign_up_by_username")
async def test_taken_username_is_refused(
    browser: LogtoBrowser, world: World, like_recording: LikeRecording
) -> None:
    await begin(browser, world.web, "Register")
    reply = await offer_identity(browser, world.alice.username, "Kestrel-4711-Moor")
    like_recording("102-register-duplicate", reply)


@pytest.mark.usefixtures("sign_up_by_username")
async def test_weak_password_is_refused_with_every_reason(
    browser: LogtoBrowser, world: World, workshop: Workshop
) -> None:
    await begin(browser, world.web, "Register")
    reply = (await offer_identity(browser, workshop.unique("nina"), "123")).expect(422)
    assert reply.body["code"] == "password.rejected"
    reasons = {reason["code"]: reason.get("interpolation") for reason in reply.body["data"]}
    assert reasons["password_rejected.too_short"] == {"min": 8}
    assert "password_rejected.restricted.sequence" in reasons


@pytest.mark.usefixtures("sign_up_by_username")
async def test_abandoned_sign_up_leaves_no_account(
    browser: LogtoBrowser, world: World, workshop: Workshop, api: ManagementApi
) -> None:
    username = workshop.unique("nina")
    await begin(browser, world.web, "Register")
    (await offer_identity(browser, username, "Kestrel-4711-Moor")).expect(200)
    users = await api.get("/users", **{"search.username": username, "mode.username": "exact"})
    assert users.expect(200).body == []


async def test_register_page_is_reached_by_first_screen(browser: LogtoBrowser, world: World) -> None:
    reply = await browser.authorize(world.web, first_screen="register")
    assert urlsplit(reply.location).path == "/register"
    assert (await browser.experience("PUT", "", {"interactionEvent": "Register"})).status == 204
