"""The Experience API answers as Logto 1.42 was recorded: signing in, and what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from unit.experience_app import CODES_AND_PASSWORDS, PASSWORD, ExperienceApp, experience_app
from unit.experience_calls import (
    VERIFY,
    begin,
    email,
    prove_password,
    send_code,
    username,
    verification,
)


@pytest.fixture
async def logto(tmp_path: Path) -> AsyncIterator[ExperienceApp]:
    async with experience_app(tmp_path) as app:
        yield app


async def test_password_sign_in_ends_with_the_url_that_resumes_the_request(logto: ExperienceApp) -> None:
    user_id = await logto.add_user("alice")
    await begin(logto, "SignIn")
    proof = await prove_password(logto, "alice")
    assert await logto.call("POST", "/identification", {"verificationId": proof}) == (204, None)
    status, body = await logto.call("POST", "/submit")
    assert status == 200
    assert body == {"redirectTo": f"http://localhost/oidc/auth/{logto.interaction.uid}"}
    assert await logto.signed_in_user() == user_id
    assert (await logto.user(user_id))["last_sign_in_at"] is not None


@pytest.mark.parametrize("name", ["alice", "nobody"])
async def test_wrong_password_and_unknown_user_are_told_apart_by_nothing(
    logto: ExperienceApp, name: str
) -> None:
    await logto.add_user("alice")
    await begin(logto, "SignIn")
    body = {"identifier": username(name), "password": "not-this-one"}
    assert await logto.call("POST", "/verification/password", body) == (
        422,
        {
            "code": "session.invalid_credentials",
            "message": "Incorrect account or password. Please check your input.",
        },
    )


async def test_username_matters_in_case_but_email_does_not(logto: ExperienceApp) -> None:
    await logto.add_user("alice", primary_email="Alice@example.test")
    await begin(logto, "SignIn")
    for identifier, expected in ((username("Alice"), 422), (email("aLICE@example.test"), 200)):
        body = {"identifier": identifier, "password": PASSWORD}
        assert (await logto.call("POST", "/verification/password", body))[0] == expected


async def test_suspended_user_is_refused_once_the_password_is_right(logto: ExperienceApp) -> None:
    await logto.add_user("alice", is_suspended=True)
    await begin(logto, "SignIn")
    for password, expected in (
        (PASSWORD, (401, "user.suspended")),
        ("x", (422, "session.invalid_credentials")),
    ):
        body = {"identifier": username("alice"), "password": password}
        status, answer = await logto.call("POST", "/verification/password", body)
        assert (status, answer["code"]) == expected


async def test_without_interaction_cookie_there_is_no_session(logto: ExperienceApp) -> None:
    stranger = logto.app.test_client()
    response = await stranger.put("/api/experience", json={"interactionEvent": "SignIn"})
    assert response.status_code == 400
    assert await response.get_json() == {
        "code": "session.not_found",
        "message": "Session not found. Please go back and sign in again.",
        "error": "invalid_request",
        "error_description": "interaction session not found",
    }


async def test_submit_before_identifying_is_404(logto: ExperienceApp) -> None:
    await begin(logto, "SignIn")
    assert await logto.call("POST", "/submit") == (
        404,
        {
            "code": "session.identifier_not_found",
            "message": "User identifier not found. Please go back and sign in again.",
        },
    )
    assert await logto.signed_in_user() is None


async def test_nothing_can_be_done_before_an_event_is_set(logto: ExperienceApp) -> None:
    status, body = await logto.call("POST", "/submit")
    assert (status, body["code"]) == (404, "session.interaction_not_found")


async def test_unknown_identifier_type_is_answered_as_recorded(logto: ExperienceApp) -> None:
    await begin(logto, "SignIn")
    body = {"identifier": {"type": "banana", "value": "a"}, "password": "x"}
    message = "Invalid enum value. Expected 'username' | 'email' | 'phone', received 'banana'"
    issue = {
        "received": "banana",
        "code": "invalid_enum_value",
        "options": ["username", "email", "phone"],
        "path": ["identifier", "type"],
        "message": message,
    }
    assert await logto.call("POST", "/verification/password", body) == (
        400,
        {
            "code": "guard.invalid_input",
            "data": {"issues": [issue], "name": "ZodError"},
            "details": f'Error in key path "identifier.type": (invalid_enum_value) {message}',
            "message": "The request body is invalid.",
        },
    )


async def test_missing_member_names_its_path(logto: ExperienceApp) -> None:
    await begin(logto, "SignIn")
    status, body = await logto.call("POST", "/verification/password", {"identifier": username("a")})
    assert status == 400
    assert (
        body["details"]
        == 'Error in key path "password": (invalid_type) Expected string but received undefined.'
    )


async def test_another_persons_proof_cannot_be_added_to_an_identified_session(logto: ExperienceApp) -> None:
    await logto.add_user("alice")
    await logto.add_user("bob")
    await begin(logto, "SignIn")
    alice = await prove_password(logto, "alice")
    await logto.call("POST", "/identification", {"verificationId": alice})
    bob = await prove_password(logto, "bob")
    status, body = await logto.call("POST", "/identification", {"verificationId": bob})
    assert (status, body["code"]) == (409, "session.identity_conflict")


async def test_switched_off_method_is_refused_at_identification(logto: ExperienceApp) -> None:
    await logto.add_user("alice", primary_email="alice@example.test")
    await begin(logto, "SignIn")
    body = {"identifier": email("alice@example.test"), "password": PASSWORD}
    _, answer = await logto.call("POST", "/verification/password", body)
    status, refused = await logto.call("POST", "/identification", answer)
    assert (status, refused["code"]) == (422, "user.sign_in_method_not_enabled")


async def test_state_of_the_interaction_shows_proofs_but_no_secret(logto: ExperienceApp) -> None:
    await logto.configure(**CODES_AND_PASSWORDS)
    await begin(logto, "Register")
    body = {"identifier": username("nina"), "password": PASSWORD}
    _, proof = await logto.call("POST", "/verification/new-password-identity", body)
    await logto.call("POST", "/identification", proof)
    sent = await send_code(logto, "nina@example.test", "Register")
    status, state = await logto.call("GET", "/interaction")
    assert status == 200
    assert state == {
        "interactionEvent": "Register",
        "profile": {"username": "nina"},
        "verificationRecords": [
            {
                "id": proof["verificationId"],
                "type": "NewPasswordIdentity",
                "identifier": username("nina"),
            },
            {
                "id": sent,
                "templateType": "Register",
                "verified": False,
                "type": "EmailVerificationCode",
                "identifier": email("nina@example.test"),
            },
        ],
        "mfa": {},
        "signInContext": state["signInContext"],
        "captcha": {"verified": False, "skipped": False},
    }
    assert set(state["signInContext"]) == {"ip", "userAgent"}


async def test_event_may_change_between_sign_in_and_register_only(logto: ExperienceApp) -> None:
    await begin(logto, "SignIn")
    path = "/interaction-event"
    assert await logto.call("PUT", path, {"interactionEvent": "Register"}) == (204, None)
    status, body = await logto.call("PUT", path, {"interactionEvent": "ForgotPassword"})
    assert (status, body["code"]) == (400, "session.not_supported_for_forgot_password")
    assert (await logto.call("GET", "/interaction"))[1]["interactionEvent"] == "Register"


@pytest.mark.parametrize(
    ("method", "path", "body", "issue"),
    [
        (
            "POST",
            "/verification/new-password-identity",
            {"identifier": {"type": "email", "value": "nina"}, "password": "x"},
            {
                "received": "email",
                "code": "invalid_literal",
                "expected": "username",
                "path": ["identifier", "type"],
                "message": 'Invalid literal value, expected "username"',
            },
        ),
        (
            "POST",
            "/profile",
            {"type": "shoe-size"},
            {
                "code": "invalid_union_discriminator",
                "options": ["username", "password", "email", "phone", "social"],
                "path": ["type"],
                "message": "Invalid discriminator value. "
                "Expected 'username' | 'password' | 'email' | 'phone' | 'social'",
            },
        ),
        (
            "POST",
            "/verification/verification-code",
            {"identifier": {"type": "email", "value": "no-address"}, "interactionEvent": "SignIn"},
            {
                "validation": "regex",
                "code": "invalid_string",
                "path": ["identifier", "value"],
                "message": "Invalid",
            },
        ),
        (
            "PUT",
            "",
            {},
            {
                "code": "invalid_type",
                "expected": "'SignIn' | 'Register' | 'ForgotPassword'",
                "received": "undefined",
                "path": ["interactionEvent"],
                "message": "Required",
            },
        ),
    ],
)
async def test_malformed_body_names_its_fault(
    logto: ExperienceApp, method: str, path: str, body: object, issue: dict[str, object]
) -> None:
    await begin(logto, "Register")
    status, answer = await logto.call(method, path, body)
    assert (status, answer["code"]) == (400, "guard.invalid_input")
    assert answer["data"] == {"issues": [issue], "name": "ZodError"}


async def test_proof_of_another_interaction_is_not_found(logto: ExperienceApp) -> None:
    await begin(logto, "SignIn")
    body = {"verificationId": "of-somebody-else"}
    status, answer = await logto.call("POST", "/identification", body)
    assert (status, answer["code"]) == (404, "session.verification_session_not_found")
    status, answer = await logto.call("POST", VERIFY, verification("n@example.test", "other", "123456"))
    assert (status, answer["code"]) == (404, "session.verification_session_not_found")


async def test_beginning_again_forgets_who_was_identified(logto: ExperienceApp) -> None:
    await logto.add_user("alice")
    await begin(logto, "SignIn")
    await logto.call("POST", "/identification", {"verificationId": await prove_password(logto, "alice")})
    await begin(logto, "SignIn")
    status, answer = await logto.call("POST", "/submit")
    assert (status, answer["code"]) == (404, "session.identifier_not_found")
    assert await logto.signed_in_user() is None
