"""What webhooks are told of sign-in, sign-up, a new password, and of organizations joined on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from local_logto.management.tables import organization_jit_email_domains
from local_logto.store import new_id, now_ms
from local_logto.tables import applications, organizations
from local_logto.webhooks import hooks
from unit.experience_app import (
    CODES_AND_PASSWORDS,
    PASSWORD,
    ExperienceApp,
    experience_app,
)
from unit.webhook_listener import Listener, listening

EVENTS = [
    "PostRegister",
    "PostSignIn",
    "PostResetPassword",
    "User.Created",
    "User.Data.Updated",
    "Organization.Membership.Updated",
]


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    async with listening() as listener:
        yield listener


@pytest.fixture
async def logto(tmp_path: Path, listener: Listener) -> AsyncIterator[ExperienceApp]:
    """The sign-in pages, with a webhook for everything and a registered application."""
    async with experience_app(tmp_path) as logto:
        hook = {"id": new_id(), "name": "all", "events": EVENTS, "config": {"url": listener.url}}
        hook |= {"signing_key": "key", "enabled": True, "created_at": now_ms()}
        app = {"id": "client", "name": "Workroom", "type": "Traditional", "created_at": now_ms()}
        async with logto.store.begin() as connection:
            await connection.execute(hooks.insert().values(**hook))
            await connection.execute(applications.insert().values(**app))
        await logto.configure(**CODES_AND_PASSWORDS)
        yield logto


async def told(listener: Listener, *events: str) -> dict[str, dict[str, Any]]:
    """The next deliveries by event; they must be of exactly these, in any order."""
    bodies = [await listener.next() for _ in events]
    assert sorted(body["event"] for body in bodies) == sorted(events)
    return {body["event"]: body for body in bodies}


async def make_joinable(logto: ExperienceApp, domain: str) -> set[str]:
    """Two organizations that new accounts of this domain join; returns their ids."""
    ids = {new_id(12), new_id(12)}
    async with logto.store.begin() as connection:
        for organization_id in ids:
            values = {"id": organization_id, "name": "Acme", "created_at": now_ms()}
            await connection.execute(organizations.insert().values(**values))
            jit = {"organization_id": organization_id, "email_domain": domain}
            await connection.execute(organization_jit_email_domains.insert().values(**jit))
    return ids


async def prove_email(logto: ExperienceApp, event: str, email: str) -> str:
    recipient = {"identifier": {"type": "email", "value": email}}
    body = {**recipient, "interactionEvent": event}
    _, sent = await logto.call("POST", "/verification/verification-code", body)
    code = (await logto.messages())[0].code
    typed = {**recipient, **sent, "code": code}
    status, _ = await logto.call("POST", "/verification/verification-code/verify", typed)
    assert status == 200
    return str(sent["verificationId"])


async def sign_up(logto: ExperienceApp, email: str) -> None:
    await logto.call("PUT", "", {"interactionEvent": "Register"})
    identity = {"identifier": {"type": "username", "value": "nina"}, "password": PASSWORD}
    _, proof = await logto.call("POST", "/verification/new-password-identity", identity)
    await logto.call("POST", "/identification", proof)
    proved = {"type": "email", "verificationId": await prove_email(logto, "Register", email)}
    assert (await logto.call("POST", "/profile", proved))[0] == 204
    assert (await logto.call("POST", "/identification", proof))[0] == 201


async def test_sign_up_tells_each_joined_organization_once(logto: ExperienceApp, listener: Listener) -> None:
    ids = await make_joinable(logto, "acme.test")
    await sign_up(logto, "nina@acme.test")
    bodies = [await listener.next() for _ in range(3)]
    created = next(body for body in bodies if body["event"] == "User.Created")
    joined = [body for body in bodies if body["event"] == "Organization.Membership.Updated"]
    assert {body["organizationId"] for body in joined} == ids
    for body in joined:
        assert body["addedUserIds"] == [created["data"]["id"]]
        assert (body["interactionEvent"], body["applicationId"]) == ("Register", "client")
    assert created["data"]["primaryEmail"] == "nina@acme.test"
    assert "hasPassword" not in created["data"]
    assert (await logto.call("POST", "/submit"))[0] == 200
    await told(listener, "PostRegister")


async def test_domain_is_compared_letter_by_letter(logto: ExperienceApp, listener: Listener) -> None:
    await make_joinable(logto, "acme.test")
    await sign_up(logto, "nina@Acme.test")
    await told(listener, "User.Created")
    assert listener.deliveries.empty()


async def test_sign_in_tells_who_and_to_what(logto: ExperienceApp, listener: Listener) -> None:
    user_id = await logto.add_user("ada", primary_email="ada@example.test")
    await logto.post("/sign-in", {"identifier": "ada"})
    await logto.post("/sign-in/password", {"password": PASSWORD})
    body = (await told(listener, "PostSignIn"))["PostSignIn"]
    assert (body["userId"], body["sessionId"]) == (user_id, logto.interaction.uid)
    assert body["user"]["lastSignInAt"] == (await logto.user(user_id))["last_sign_in_at"]
    assert body["application"] == {
        "id": "client",
        "type": "Traditional",
        "name": "Workroom",
        "description": None,
    }


async def test_completed_profile_is_told_with_the_sign_in(logto: ExperienceApp, listener: Listener) -> None:
    await logto.add_user("ada")
    await logto.call("PUT", "", {"interactionEvent": "SignIn"})
    by_password = {"identifier": {"type": "username", "value": "ada"}, "password": PASSWORD}
    _, proof = await logto.call("POST", "/verification/password", by_password)
    await logto.call("POST", "/identification", proof)
    assert (await logto.call("POST", "/submit"))[0] == 422
    assert listener.deliveries.empty()
    proved = {"type": "email", "verificationId": await prove_email(logto, "SignIn", "ada@example.test")}
    await logto.call("POST", "/profile", proved)
    assert (await logto.call("POST", "/submit"))[0] == 200
    bodies = await told(listener, "PostSignIn", "User.Data.Updated")
    assert bodies["User.Data.Updated"]["data"]["primaryEmail"] == "ada@example.test"


async def test_new_password_is_told_without_a_sign_in(logto: ExperienceApp, listener: Listener) -> None:
    user_id = await logto.add_user("ada", primary_email="ada@example.test")
    await logto.call("PUT", "", {"interactionEvent": "ForgotPassword"})
    proof = {"verificationId": await prove_email(logto, "ForgotPassword", "ada@example.test")}
    await logto.call("POST", "/identification", proof)
    await logto.call("PUT", "/profile/password", {"password": "Another-horse-8"})
    assert (await logto.call("POST", "/submit"))[0] == 204
    bodies = await told(listener, "PostResetPassword", "User.Data.Updated")
    assert bodies["PostResetPassword"]["interactionEvent"] == "ForgotPassword"
    assert bodies["PostResetPassword"]["userId"] == bodies["User.Data.Updated"]["data"]["id"] == user_id
