"""The Experience API with verification codes: sign in, sign up with an email, reset a password.

Codes of a named Logto go to real addresses, so these run only where the server is ours alone.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from contract.client import LogtoBrowser, Reply
from contract.conftest import Server, put_back
from contract.fixtures import LikeRecording, NewBrowser
from contract.mailbox import EmailRecord, Mailbox, MessagesPage
from contract.management import ManagementApi, Workshop
from contract.oidc import Oidc
from contract.people import Person
from contract.recordings import load
from contract.world import World


@pytest.fixture
async def mailbox(
    server: Server,
    api: ManagementApi,
    oidc: Oidc,
    sign_in_settings: dict[str, Any],
    message_connectors: None,
) -> AsyncIterator[Mailbox]:
    """The recorded sign-in settings with codes, put back as they were at the end."""
    (await api.patch("/sign-in-exp", load("100-sign-in-exp-patch")["request"]["body"])).expect(200)
    try:
        yield MessagesPage(oidc) if server.started_here else EmailRecord()
    finally:
        await put_back(api, sign_in_settings)


@dataclass(slots=True)
class CodeSession:
    """An interaction in which codes are asked for and typed back."""

    browser: LogtoBrowser
    event: str
    email: str
    verification_id: str = ""

    async def begin(self, world: World) -> None:
        await self.browser.authorize(world.web)
        (await self.browser.experience("PUT", "", {"interactionEvent": self.event})).expect(204)

    async def ask(self) -> Reply:
        body = {"identifier": {"type": "email", "value": self.email}, "interactionEvent": self.event}
        reply = await self.browser.experience("POST", "/verification/verification-code", body)
        self.verification_id = reply.expect(200).body["verificationId"]
        return reply

    async def type_back(self, code: str) -> Reply:
        body = {
            "identifier": {"type": "email", "value": self.email},
            "verificationId": self.verification_id,
            "code": code,
        }
        return await self.browser.experience("POST", "/verification/verification-code/verify", body)

    async def change_event(self, event: str) -> None:
        body = {"interactionEvent": event}
        (await self.browser.experience("PUT", "/interaction-event", body)).expect(204)

    async def identify(self) -> Reply:
        body = {"verificationId": self.verification_id}
        return await self.browser.experience("POST", "/identification", body)


async def test_settings_change_is_as_recorded(
    mailbox: Mailbox, api: ManagementApi, like_recording: LikeRecording
) -> None:
    recorded = load("100-sign-in-exp-patch")["request"]["body"]
    like_recording("100-sign-in-exp-patch", await api.patch("/sign-in-exp", recorded))


async def test_what_the_page_reads_follows_the_settings(
    mailbox: Mailbox, oidc: Oidc, world: World, like_recording: LikeRecording
) -> None:
    reply = await oidc.send("GET", f"/api/.well-known/sign-in-exp?appId={world.web.id}")
    like_recording("107-well-known-sign-in-exp", reply)


async def test_sign_in_by_code_is_as_recorded(
    browser: LogtoBrowser, mailbox: Mailbox, nina: Person, world: World, like_recording: LikeRecording
) -> None:
    session = CodeSession(browser, "SignIn", nina.email)
    await session.begin(world)
    like_recording("103-sign-in-email-code", await session.ask())
    code = await mailbox.code_for(nina.email)
    like_recording("103-sign-in-email-code-verify", await session.type_back(code))
    like_recording("103-sign-in-email-code-verify-twice", await session.type_back(code))
    like_recording("103-sign-in-identification", await session.identify())
    submitted = (await browser.experience("POST", "/submit")).expect(200)
    assert "code" in await browser.follow(submitted.body["redirectTo"], world.web.redirect_uri)


async def test_wrong_code_is_refused_and_the_right_one_still_works(
    browser: LogtoBrowser, mailbox: Mailbox, nina: Person, world: World, like_recording: LikeRecording
) -> None:
    session = CodeSession(browser, "SignIn", nina.email)
    await session.begin(world)
    await session.ask()
    code = await mailbox.code_for(nina.email)
    wrong = "000000" if code != "000000" else "000001"
    like_recording("101-register-email-code-wrong", await session.type_back(wrong))
    assert (await session.type_back(code)).status == 200


async def test_code_is_exhausted_by_ten_wrong_tries(
    browser: LogtoBrowser, mailbox: Mailbox, nina: Person, world: World
) -> None:
    session = CodeSession(browser, "SignIn", nina.email)
    await session.begin(world)
    await session.ask()
    code = await mailbox.code_for(nina.email)
    wrong = "000000" if code != "000000" else "000001"
    for _ in range(10):
        assert (await session.type_back(wrong)).expect(400).body["code"] == "verification_code.code_mismatch"
    assert (await session.type_back(code)).expect(400).body["code"] == "verification_code.exceed_max_try"
    await session.ask()
    (await session.type_back(await mailbox.code_for(nina.email))).expect(200)


async def test_new_code_takes_the_place_of_the_old_one_at_once(
    browser: LogtoBrowser, mailbox: Mailbox, nina: Person, world: World
) -> None:
    """That people wait 59 seconds for it is a rule of the pages alone."""
    session = CodeSession(browser, "SignIn", nina.email)
    await session.begin(world)
    await session.ask()
    old = session.verification_id
    await session.ask()
    code = await mailbox.code_for(nina.email)
    body = {"identifier": {"type": "email", "value": nina.email}, "verificationId": old, "code": code}
    reply = await browser.experience("POST", "/verification/verification-code/verify", body)
    assert reply.expect(404).body["code"] == "session.verification_session_not_found"
    (await session.type_back(code)).expect(200)


async def test_eleventh_code_in_ten_minutes_is_refused(
    browser: LogtoBrowser, mailbox: Mailbox, nina: Person, world: World
) -> None:
    session = CodeSession(browser, "SignIn", nina.email)
    await session.begin(world)
    for _ in range(10):
        await session.ask()
    body = {"identifier": {"type": "email", "value": nina.email.upper()}, "interactionEvent": "SignIn"}
    refused = await browser.experience("POST", "/verification/verification-code", body)
    assert refused.expect(429).body["code"] == "request.message_rate_limited"


async def test_unknown_address_that_was_verified_may_register(
    browser: LogtoBrowser, mailbox: Mailbox, workshop: Workshop, world: World
) -> None:
    session = CodeSession(browser, "SignIn", workshop.email("nobody"))
    await session.begin(world)
    await session.ask()
    (await session.type_back(await mailbox.code_for(session.email))).expect(200)
    assert (await session.identify()).expect(404).body["code"] == "user.user_not_exist"
    await session.change_event("Register")
    incomplete = (await session.identify()).expect(422)
    assert incomplete.body["code"] == "user.missing_profile"
    assert incomplete.body["data"]["missingProfile"] == ["username", "password"]


async def test_known_address_that_was_verified_to_register_may_sign_in(
    browser: LogtoBrowser, mailbox: Mailbox, nina: Person, world: World
) -> None:
    session = CodeSession(browser, "Register", nina.email)
    await session.begin(world)
    await session.ask()
    (await session.type_back(await mailbox.code_for(nina.email))).expect(200)
    assert (await session.identify()).expect(422).body["code"] == "user.email_already_in_use"
    await session.change_event("SignIn")
    (await session.identify()).expect(204)
    submitted = (await browser.experience("POST", "/submit")).expect(200)
    assert "code" in await browser.follow(submitted.body["redirectTo"], world.web.redirect_uri)


async def test_unproved_code_identifies_nobody(
    browser: LogtoBrowser, mailbox: Mailbox, nina: Person, world: World
) -> None:
    session = CodeSession(browser, "SignIn", nina.email)
    await session.begin(world)
    await session.ask()
    assert (await session.identify()).status in (400, 422)


async def test_unknown_address_is_answered_like_a_known_one(
    browser: LogtoBrowser,
    mailbox: Mailbox,
    workshop: Workshop,
    world: World,
    like_recording: LikeRecording,
) -> None:
    session = CodeSession(browser, "SignIn", workshop.email("nobody"))
    await session.begin(world)
    like_recording("104-sign-in-unknown-email-code", await session.ask())


async def test_sign_in_by_email_and_password_is_as_recorded(
    browser: LogtoBrowser, mailbox: Mailbox, nina: Person, world: World, like_recording: LikeRecording
) -> None:
    await CodeSession(browser, "SignIn", nina.email).begin(world)
    body = {"identifier": {"type": "email", "value": nina.email}, "password": nina.password}
    reply = await browser.experience("POST", "/verification/password", body)
    like_recording("105-sign-in-email-password", reply)


async def test_interaction_lists_what_was_tried(
    browser: LogtoBrowser,
    mailbox: Mailbox,
    nina: Person,
    workshop: Workshop,
    world: World,
    like_recording: LikeRecording,
) -> None:
    session = CodeSession(browser, "SignIn", workshop.email("nobody"))
    await session.begin(world)
    await session.ask()
    body = {"identifier": {"type": "email", "value": nina.email}, "password": nina.password}
    (await browser.experience("POST", "/verification/password", body)).expect(200)
    like_recording("105-interaction", await browser.experience("GET", "/interaction"))


async def test_weak_password_is_refused_as_recorded(
    browser: LogtoBrowser,
    mailbox: Mailbox,
    workshop: Workshop,
    world: World,
    like_recording: LikeRecording,
) -> None:
    await CodeSession(browser, "Register", "").begin(world)
    body = {"identifier": {"type": "username", "value": workshop.unique("nina")}, "password": "1234"}
    reply = await browser.experience("POST", "/verification/new-password-identity", body)
    like_recording("102-register-weak", reply)


async def test_sign_up_that_also_wants_an_email_is_as_recorded(
    browser: LogtoBrowser,
    mailbox: Mailbox,
    workshop: Workshop,
    api: ManagementApi,
    world: World,
    like_recording: LikeRecording,
) -> None:
    username = workshop.unique("nina")
    session = CodeSession(browser, "Register", workshop.email("nina"))
    await session.begin(world)
    identity = {"identifier": {"type": "username", "value": username}, "password": "Kestrel-4711-Moor"}
    proof = await browser.experience("POST", "/verification/new-password-identity", identity)
    like_recording("101-register-new-password-identity", proof)
    incomplete = await browser.experience("POST", "/identification", proof.body)
    like_recording("101-register-identification-missing-email", incomplete)
    like_recording("101-register-email-code", await session.ask())
    verified = await session.type_back(await mailbox.code_for(session.email))
    like_recording("101-register-email-code-verify", verified)
    added = await browser.experience(
        "POST", "/profile", {"type": "email", "verificationId": session.verification_id}
    )
    like_recording("101-register-profile-email", added)
    identified = await browser.experience("POST", "/identification", proof.body)
    like_recording("101-register-identification", identified)
    query = {"search.username": username, "mode.username": "exact"}
    created = (await api.get("/users", **query)).expect(200).body[0]
    workshop.will_delete(f"/users/{created['id']}")
    assert created["primaryEmail"] == session.email
    submitted = (await browser.experience("POST", "/submit")).expect(200)
    assert "code" in await browser.follow(submitted.body["redirectTo"], world.web.redirect_uri)


@pytest.fixture
async def joinable(api: ManagementApi, workshop: Workshop, world: World) -> tuple[str, str]:
    """An organization that new accounts of its email domain join as members, and that domain."""
    organization = await workshop.organization()
    domain = f"{workshop.unique('joinable').replace('_', '-')}.example.test"
    jit = f"/organizations/{organization}/jit"
    (await api.post(f"{jit}/email-domains", {"emailDomain": domain})).expect(201)
    (await api.put(f"{jit}/roles", {"organizationRoleIds": [world.member]})).expect(204)
    return organization, domain


async def sign_up_by_email(
    browser: LogtoBrowser, mailbox: Mailbox, api: ManagementApi, workshop: Workshop, world: World, email: str
) -> str:
    """Sign up with a username, a password and this verified email; returns the account's id."""
    username = workshop.unique("nina")
    session = CodeSession(browser, "Register", email)
    await session.begin(world)
    identity = {"identifier": {"type": "username", "value": username}, "password": "Kestrel-4711-Moor"}
    proof = (await browser.experience("POST", "/verification/new-password-identity", identity)).expect(200)
    (await browser.experience("POST", "/identification", proof.body)).expect(422)
    await session.ask()
    (await session.type_back(await mailbox.code_for(email))).expect(200)
    addition = {"type": "email", "verificationId": session.verification_id}
    (await browser.experience("POST", "/profile", addition)).expect(204)
    await browser.identify_and_submit(proof.body["verificationId"])
    query = {"search.username": username, "mode.username": "exact"}
    identifier: str = (await api.get("/users", **query)).expect(200).body[0]["id"]
    workshop.will_delete(f"/users/{identifier}")
    return identifier


async def test_sign_up_joins_the_organizations_of_its_email_domain(
    browser: LogtoBrowser,
    mailbox: Mailbox,
    api: ManagementApi,
    workshop: Workshop,
    world: World,
    joinable: tuple[str, str],
) -> None:
    organization, domain = joinable
    person = await sign_up_by_email(browser, mailbox, api, workshop, world, f"nina@{domain}")
    [joined] = (await api.get(f"/users/{person}/organizations")).expect(200).body
    assert joined["id"] == organization
    assert [role["id"] for role in joined["organizationRoles"]] == [world.member]


async def test_sign_up_with_another_domain_joins_nothing(
    browser: LogtoBrowser,
    mailbox: Mailbox,
    api: ManagementApi,
    workshop: Workshop,
    world: World,
    joinable: tuple[str, str],
) -> None:
    email = f"nina@other-{joinable[1]}"
    person = await sign_up_by_email(browser, mailbox, api, workshop, world, email)
    assert (await api.get(f"/users/{person}/organizations")).expect(200).body == []


async def test_account_made_by_an_admin_joins_nothing(
    api: ManagementApi, workshop: Workshop, joinable: tuple[str, str]
) -> None:
    person = await workshop.person(primaryEmail=f"nina@{joinable[1]}")
    assert (await api.get(f"/users/{person.id}/organizations")).expect(200).body == []


async def test_forgotten_password_is_reset_as_recorded(
    browser: LogtoBrowser,
    new_browser: NewBrowser,
    mailbox: Mailbox,
    nina: Person,
    world: World,
    like_recording: LikeRecording,
) -> None:
    session = CodeSession(browser, "ForgotPassword", nina.email)
    await session.begin(world)
    like_recording("106-forgot-code", await session.ask())
    code = await mailbox.code_for(nina.email)
    like_recording("106-forgot-verify", await session.type_back(code))
    like_recording("106-forgot-identification", await session.identify())
    password = f"Curlew-{secrets.token_hex(6)}-Fen"
    changed = await browser.experience("PUT", "/profile/password", {"password": password})
    like_recording("106-forgot-new-password", changed)
    like_recording("106-forgot-submit", await browser.experience("POST", "/submit"))
    await new_browser().sign_in(world.web, Person(nina.id, nina.username, password))


async def test_reset_for_an_unknown_address_is_answered_and_sends_nothing(
    browser: LogtoBrowser, mailbox: Mailbox, workshop: Workshop, world: World
) -> None:
    session = CodeSession(browser, "ForgotPassword", workshop.email("nobody"))
    await session.begin(world)
    await session.ask()
    assert await mailbox.is_empty_for(session.email)
