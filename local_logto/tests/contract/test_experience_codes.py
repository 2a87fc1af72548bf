"""The Experience API with verification codes: sign in, sign up with an email address, reset a password.

These tests run only on a Logto of ours, because another one sends the codes to real addresses.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import pytest

from contract.client import LogtoBrowser, Reply
from contract.conftest import Server, put_back
from contract.fixtures import LikeRecording, NewBrowser
from contract.mailbox import EmailRecord, Mailbox, MessagesPage, other_code
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
    """The messages of a server with the recorded sign-in settings, which include codes."""
    (await api.patch("/sign-in-exp", load("100-sign-in-exp-patch")["request"]["body"])).expect(200)
    try:
        yield MessagesPage(oidc) if server.started_here else EmailRecord()
    finally:
        await put_back(api, sign_in_settings)


@dataclass(slots=True)
class CodeSession:
    """An interaction in which codes are asked for and typed back."""

    browser: LogtoBrowser
    mailbox: Mailbox
    event: str
    email: str
    verification_id: str = ""

    @property
    def proof(self) -> dict[str, str]:
        return {"verificationId": self.verification_id}

    async def ask(self) -> Reply:
        body = {"identifier": {"type": "email", "value": self.email}, "interactionEvent": self.event}
        reply = await self.browser.experience("POST", "/verification/verification-code", body)
        self.verification_id = reply.expect(200).body["verificationId"]
        return reply

    async def code(self) -> str:
        """Return the newest code that was sent to the address."""
        return await self.mailbox.code_for(self.email)

    async def type_back(self, code: str) -> Reply:
        body = {"identifier": {"type": "email", "value": self.email}, **self.proof, "code": code}
        return await self.browser.experience("POST", "/verification/verification-code/verify", body)

    async def prove(self) -> None:
        """Ask for a code and type it back."""
        await self.ask()
        (await self.type_back(await self.code())).expect(200)

    async def change_event(self, event: str) -> None:
        body = {"interactionEvent": event}
        (await self.browser.experience("PUT", "/interaction-event", body)).expect(204)

    async def identify(self) -> Reply:
        return await self.browser.experience("POST", "/identification", self.proof)


class BeginByCode(Protocol):
    """A function that begins an interaction in which codes are sent to an address."""

    def __call__(self, email: str, event: str = "SignIn") -> Awaitable[CodeSession]: ...


@pytest.fixture
def begin(browser: LogtoBrowser, mailbox: Mailbox, world: World) -> BeginByCode:
    """A function that begins an interaction in the test's browser."""

    async def run(email: str, event: str = "SignIn") -> CodeSession:
        await browser.begin(world.web, event)
        return CodeSession(browser, mailbox, event, email)

    return run


@pytest.fixture
async def session(begin: BeginByCode, nina: Person) -> CodeSession:
    """Nina's sign-in, before she asks for a code."""
    return await begin(nina.email)


@pytest.mark.usefixtures("mailbox")
async def test_changed_settings_are_as_recorded(api: ManagementApi, like_recording: LikeRecording) -> None:
    recorded = load("100-sign-in-exp-patch")["request"]["body"]
    like_recording("100-sign-in-exp-patch", await api.patch("/sign-in-exp", recorded))


@pytest.mark.usefixtures("mailbox")
async def test_settings_for_the_sign_in_page_are_as_recorded(
    oidc: Oidc, world: World, like_recording: LikeRecording
) -> None:
    reply = await oidc.send("GET", f"/api/.well-known/sign-in-exp?appId={world.web.id}")
    like_recording("107-well-known-sign-in-exp", reply)


async def test_sign_in_by_code_is_as_recorded(
    browser: LogtoBrowser, session: CodeSession, world: World, like_recording: LikeRecording
) -> None:
    """One flow: each reply was recorded in this order."""
    like_recording("103-sign-in-email-code", await session.ask())
    code = await session.code()
    like_recording("103-sign-in-email-code-verify", await session.type_back(code))
    like_recording("103-sign-in-email-code-verify-twice", await session.type_back(code))
    like_recording("103-sign-in-identification", await session.identify())
    assert "code" in await browser.follow(await browser.finish(), world.web.redirect_uri)


async def test_wrong_code_is_refused_and_the_right_one_still_works(
    session: CodeSession, like_recording: LikeRecording
) -> None:
    await session.ask()
    code = await session.code()
    like_recording("101-register-email-code-wrong", await session.type_back(other_code(code)))
    assert (await session.type_back(code)).status == 200


async def test_right_code_is_refused_after_ten_wrong_ones(session: CodeSession) -> None:
    await session.ask()
    code = await session.code()
    for _ in range(10):
        reply = await session.type_back(other_code(code))
        assert reply.refusal == (400, "verification_code.code_mismatch")
    assert (await session.type_back(code)).refusal == (400, "verification_code.exceed_max_try")
    await session.prove()


async def test_new_code_replaces_the_old_one_at_once(session: CodeSession) -> None:
    """Only the pages make people wait 59 seconds for it."""
    await session.ask()
    old = replace(session)
    await session.ask()
    code = await session.code()
    reply = await old.type_back(code)
    assert reply.refusal == (404, "session.verification_session_not_found")
    (await session.type_back(code)).expect(200)


async def test_eleventh_code_in_ten_minutes_is_refused(session: CodeSession) -> None:
    for _ in range(10):
        await session.ask()
    body = {"identifier": {"type": "email", "value": session.email.upper()}, "interactionEvent": "SignIn"}
    refused = await session.browser.experience("POST", "/verification/verification-code", body)
    assert refused.refusal == (429, "request.message_rate_limited")


async def test_sign_in_with_an_unknown_address_can_become_a_sign_up(
    begin: BeginByCode, workshop: Workshop
) -> None:
    session = await begin(workshop.email("nobody"))
    await session.prove()
    assert (await session.identify()).refusal == (404, "user.user_not_exist")
    await session.change_event("Register")
    incomplete = await session.identify()
    assert incomplete.refusal == (422, "user.missing_profile")
    assert incomplete.body["data"]["missingProfile"] == ["username", "password"]


async def test_sign_up_with_a_known_address_can_become_a_sign_in(
    browser: LogtoBrowser, begin: BeginByCode, nina: Person, world: World
) -> None:
    session = await begin(nina.email, "Register")
    await session.prove()
    assert (await session.identify()).refusal == (422, "user.email_already_in_use")
    await session.change_event("SignIn")
    (await session.identify()).expect(204)
    assert "code" in await browser.follow(await browser.finish(), world.web.redirect_uri)


async def test_code_that_was_not_typed_back_identifies_nobody(session: CodeSession) -> None:
    await session.ask()
    assert (await session.identify()).status in (400, 422)


async def test_unknown_address_gets_the_same_reply_as_a_known_one(
    begin: BeginByCode, workshop: Workshop, like_recording: LikeRecording
) -> None:
    session = await begin(workshop.email("nobody"))
    like_recording("104-sign-in-unknown-email-code", await session.ask())


@pytest.mark.usefixtures("session")
async def test_sign_in_by_email_and_password_is_as_recorded(
    browser: LogtoBrowser, nina: Person, like_recording: LikeRecording
) -> None:
    like_recording("105-sign-in-email-password", await browser.offer_password(nina, "email"))


async def test_interaction_lists_what_was_tried(
    browser: LogtoBrowser,
    begin: BeginByCode,
    nina: Person,
    workshop: Workshop,
    like_recording: LikeRecording,
) -> None:
    session = await begin(workshop.email("nobody"))
    await session.ask()
    (await browser.offer_password(nina, "email")).expect(200)
    like_recording("105-interaction", await browser.experience("GET", "/interaction"))


async def test_weak_password_is_refused_as_recorded(
    browser: LogtoBrowser, begin: BeginByCode, workshop: Workshop, like_recording: LikeRecording
) -> None:
    await begin("", "Register")
    reply = await browser.offer_identity(workshop.unique("nina"), "1234")
    like_recording("102-register-weak", reply)


async def test_sign_up_that_requires_an_email_address_is_as_recorded(
    browser: LogtoBrowser,
    begin: BeginByCode,
    workshop: Workshop,
    world: World,
    like_recording: LikeRecording,
) -> None:
    """One flow: each reply was recorded in this order."""
    username = workshop.unique("nina")
    session = await begin(workshop.email("nina"), "Register")
    proof = await browser.offer_identity(username)
    like_recording("101-register-new-password-identity", proof)
    incomplete = await browser.experience("POST", "/identification", proof.body)
    like_recording("101-register-identification-missing-email", incomplete)
    like_recording("101-register-email-code", await session.ask())
    verified = await session.type_back(await session.code())
    like_recording("101-register-email-code-verify", verified)
    added = await browser.experience("POST", "/profile", {"type": "email", **session.proof})
    like_recording("101-register-profile-email", added)
    identified = await browser.experience("POST", "/identification", proof.body)
    like_recording("101-register-identification", identified)
    assert (await workshop.adopt_user(username))["primaryEmail"] == session.email
    assert "code" in await browser.follow(await browser.finish(), world.web.redirect_uri)


# --- auto-join by email domain


@pytest.fixture
async def joinable(api: ManagementApi, workshop: Workshop, world: World) -> tuple[str, str]:
    """An organization that new accounts join by email domain with the role *member*, and the domain."""
    organization = await workshop.organization()
    domain = f"{workshop.unique('joinable').replace('_', '-')}.example.test"
    jit = f"/organizations/{organization}/jit"
    (await api.post(f"{jit}/email-domains", {"emailDomain": domain})).expect(201)
    (await api.put(f"{jit}/roles", {"organizationRoleIds": [world.member]})).expect(204)
    return organization, domain


async def sign_up_by_email(begin: BeginByCode, workshop: Workshop, email: str) -> str:
    """Sign up with a username, a password and this address. Returns the account's id."""
    username = workshop.unique("nina")
    session = await begin(email, "Register")
    proof = (await session.browser.offer_identity(username)).expect(200)
    (await session.browser.experience("POST", "/identification", proof.body)).expect(422)
    await session.prove()
    (await session.browser.experience("POST", "/profile", {"type": "email", **session.proof})).expect(204)
    await session.browser.identify_and_submit(proof.body["verificationId"])
    identifier: str = (await workshop.adopt_user(username))["id"]
    return identifier


async def test_new_account_joins_the_organizations_of_its_email_domain(
    begin: BeginByCode, api: ManagementApi, workshop: Workshop, world: World, joinable: tuple[str, str]
) -> None:
    organization, domain = joinable
    person = await sign_up_by_email(begin, workshop, f"nina@{domain}")
    [joined] = (await api.get(f"/users/{person}/organizations")).expect(200).body
    assert joined["id"] == organization
    assert [role["id"] for role in joined["organizationRoles"]] == [world.member]


async def test_new_account_with_another_domain_joins_nothing(
    begin: BeginByCode, api: ManagementApi, workshop: Workshop, joinable: tuple[str, str]
) -> None:
    person = await sign_up_by_email(begin, workshop, f"nina@other-{joinable[1]}")
    assert (await api.get(f"/users/{person}/organizations")).expect(200).body == []


async def test_account_created_by_the_management_api_joins_nothing(
    api: ManagementApi, workshop: Workshop, joinable: tuple[str, str]
) -> None:
    person = await workshop.person(primaryEmail=f"nina@{joinable[1]}")
    assert (await api.get(f"/users/{person.id}/organizations")).expect(200).body == []


# --- forgotten passwords


async def test_forgotten_password_is_reset_as_recorded(
    browser: LogtoBrowser,
    new_browser: NewBrowser,
    begin: BeginByCode,
    nina: Person,
    world: World,
    like_recording: LikeRecording,
) -> None:
    """One flow: each reply was recorded in this order, and the new password signs in."""
    session = await begin(nina.email, "ForgotPassword")
    like_recording("106-forgot-code", await session.ask())
    like_recording("106-forgot-verify", await session.type_back(await session.code()))
    like_recording("106-forgot-identification", await session.identify())
    password = f"Curlew-{secrets.token_hex(6)}-Fen"
    changed = await browser.experience("PUT", "/profile/password", {"password": password})
    like_recording("106-forgot-new-password", changed)
    like_recording("106-forgot-submit", await browser.experience("POST", "/submit"))
    await new_browser().sign_in(world.web, Person(nina.id, nina.username, password))


async def test_reset_for_an_unknown_address_is_accepted_and_sends_nothing(
    begin: BeginByCode, mailbox: Mailbox, workshop: Workshop
) -> None:
    session = await begin(workshop.email("nobody"), "ForgotPassword")
    await session.ask()
    assert await mailbox.is_empty_for(session.email)
