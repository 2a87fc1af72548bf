"""Webhook events of signing in, signing up, resetting a password, and joining organizations on the way."""

from __future__ import annotations

import pytest

from local_logto.management.tables import organization_jit_email_domains
from local_logto.store import new_id, now_ms
from local_logto.tables import applications, organizations
from unit.experience_app import CODES_AND_PASSWORDS, PASSWORD, ExperienceApp
from unit.experience_calls import begin, identify, offer_identity, prove_code
from unit.webhook_listener import Listener

EVENTS = [
    "PostRegister",
    "PostSignIn",
    "PostResetPassword",
    "User.Created",
    "User.Data.Updated",
    "Organization.Membership.Updated",
]


@pytest.fixture
async def logto(logto: ExperienceApp, listener: Listener) -> ExperienceApp:
    """The sign-in pages, with a webhook for all these events and a registered application."""
    await listener.register(logto.store, *EVENTS)
    app = {"id": "client", "name": "Workroom", "type": "Traditional", "created_at": now_ms()}
    with logto.store.begin() as connection:
        connection.execute(applications.insert().values(**app))
    await logto.configure(**CODES_AND_PASSWORDS)
    return logto


def make_joinable(logto: ExperienceApp, domain: str) -> set[str]:
    """Create two organizations that new accounts of this domain join. Returns their ids."""
    ids = {new_id(12), new_id(12)}
    with logto.store.begin() as connection:
        for organization_id in ids:
            values = {"id": organization_id, "name": "Acme", "created_at": now_ms()}
            connection.execute(organizations.insert().values(**values))
            jit = {"organization_id": organization_id, "email_domain": domain}
            connection.execute(organization_jit_email_domains.insert().values(**jit))
    return ids


async def sign_up(logto: ExperienceApp, email: str) -> None:
    await begin(logto, "Register")
    proof = await offer_identity(logto)
    await logto.call("POST", "/identification", proof)
    proved = {"type": "email", "verificationId": await prove_code(logto, email, "Register")}
    assert (await logto.call("POST", "/profile", proved))[0] == 204
    assert (await logto.call("POST", "/identification", proof))[0] == 201


async def test_sign_up_sends_one_event_for_each_joined_organization(
    logto: ExperienceApp, listener: Listener
) -> None:
    ids = make_joinable(logto, "acme.test")
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
    await listener.receive_all("PostRegister")


async def test_case_of_the_email_domain_matters(logto: ExperienceApp, listener: Listener) -> None:
    make_joinable(logto, "acme.test")
    await sign_up(logto, "nina@Acme.test")
    await listener.receive_all("User.Created")
    assert listener.deliveries.empty()


async def test_sign_in_event_names_the_person_and_the_application(
    logto: ExperienceApp, listener: Listener
) -> None:
    user_id = await logto.add_user("ada", primary_email="ada@example.test")
    await logto.post("/sign-in", {"identifier": "ada"})
    await logto.post("/sign-in/password", {"password": PASSWORD})
    body = await listener.next()
    assert body["event"] == "PostSignIn"
    assert (body["userId"], body["sessionId"]) == (user_id, logto.interaction.uid)
    assert body["user"]["lastSignInAt"] == (await logto.user(user_id))["last_sign_in_at"]
    assert body["application"] == {
        "id": "client",
        "type": "Traditional",
        "name": "Workroom",
        "description": None,
    }


async def test_completed_profile_is_sent_with_the_sign_in(logto: ExperienceApp, listener: Listener) -> None:
    await logto.add_user("ada")
    await identify(logto, "ada")
    assert (await logto.call("POST", "/submit"))[0] == 422
    assert listener.deliveries.empty()
    proved = {"type": "email", "verificationId": await prove_code(logto, "ada@example.test", "SignIn")}
    await logto.call("POST", "/profile", proved)
    assert (await logto.call("POST", "/submit"))[0] == 200
    bodies = await listener.receive_all("PostSignIn", "User.Data.Updated")
    assert bodies["User.Data.Updated"]["data"]["primaryEmail"] == "ada@example.test"


async def test_password_reset_sends_no_sign_in_event(logto: ExperienceApp, listener: Listener) -> None:
    user_id = await logto.add_user("ada", primary_email="ada@example.test")
    await begin(logto, "ForgotPassword")
    proof = {"verificationId": await prove_code(logto, "ada@example.test", "ForgotPassword")}
    await logto.call("POST", "/identification", proof)
    await logto.call("PUT", "/profile/password", {"password": "Another-horse-8"})
    assert (await logto.call("POST", "/submit"))[0] == 204
    bodies = await listener.receive_all("PostResetPassword", "User.Data.Updated")
    assert bodies["PostResetPassword"]["interactionEvent"] == "ForgotPassword"
    assert bodies["PostResetPassword"]["userId"] == bodies["User.Data.Updated"]["data"]["id"] == user_id
