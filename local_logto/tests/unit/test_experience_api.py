"""The Experience API, as recorded with Logto 1.42: how people sign in, and what is refused."""

from __future__ import annotations

import pytest

from unit.experience_app import CODES_AND_PASSWORDS, PASSWORD, ExperienceApp
from unit.experience_calls import (
    VERIFY,
    begin,
    email,
    identify,
    offer_identity,
    prove_password,
    refusal,
    send_code,
    username,
    verification,
)


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
async def test_wrong_password_and_unknown_user_get_the_same_reply(logto: ExperienceApp, name: str) -> None:
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


@pytest.mark.parametrize(
    ("identifier", "status"), [(username("Alice"), 422), (email("aLICE@example.test"), 200)]
)
async def test_case_matters_in_a_username_but_not_in_an_email_address(
    logto: ExperienceApp, identifier: dict[str, str], status: int
) -> None:
    await logto.add_user("alice", primary_email="Alice@example.test")
    await begin(logto, "SignIn")
    body = {"identifier": identifier, "password": PASSWORD}
    assert (await logto.call("POST", "/verification/password", body))[0] == status


@pytest.mark.parametrize(
    ("password", "expected"),
    [(PASSWORD, (401, "user.suspended")), ("x", (422, "session.invalid_credentials"))],
    ids=["right password", "wrong password"],
)
async def test_suspension_is_revealed_only_with_the_right_password(
    logto: ExperienceApp, password: str, expected: tuple[int, str]
) -> None:
    await logto.add_user("alice", is_suspended=True)
    await begin(logto, "SignIn")
    body = {"identifier": username("alice"), "password": password}
    assert await refusal(logto, "POST", "/verification/password", body) == expected


async def test_browser_without_the_interaction_cookie_has_no_session(logto: ExperienceApp) -> None:
    stranger = logto.app.test_client()
    response = await stranger.put("/api/experience", json={"interactionEvent": "SignIn"})
    assert response.status_code == 400
    assert await response.get_json() == {
        "code": "session.not_found",
        "message": "Session not found. Please go back and sign in again.",
        "error": "invalid_request",
        "error_description": "interaction session not found",
    }


async def test_submitting_before_identifying_is_refused(logto: ExperienceApp) -> None:
    await begin(logto, "SignIn")
    assert await logto.call("POST", "/submit") == (
        404,
        {
            "code": "session.identifier_not_found",
            "message": "User identifier not found. Please go back and sign in again.",
        },
    )
    assert await logto.signed_in_user() is None


async def test_submitting_before_an_event_is_set_is_refused(logto: ExperienceApp) -> None:
    assert await refusal(logto, "POST", "/submit") == (404, "session.interaction_not_found")


async def test_refusal_of_an_unknown_identifier_type_is_as_recorded(logto: ExperienceApp) -> None:
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


async def test_refusal_of_a_missing_member_names_its_path(logto: ExperienceApp) -> None:
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
    await identify(logto, "alice")
    bob = {"verificationId": await prove_password(logto, "bob")}
    assert await refusal(logto, "POST", "/identification", bob) == (409, "session.identity_conflict")


async def test_disabled_sign_in_method_is_refused_at_identification(logto: ExperienceApp) -> None:
    await logto.add_user("alice", primary_email="alice@example.test")
    await begin(logto, "SignIn")
    body = {"identifier": email("alice@example.test"), "password": PASSWORD}
    _, answer = await logto.call("POST", "/verification/password", body)
    refused = await refusal(logto, "POST", "/identification", answer)
    assert refused == (422, "user.sign_in_method_not_enabled")


async def test_state_of_the_interaction_shows_proofs_but_no_secret(logto: ExperienceApp) -> None:
    await logto.configure(**CODES_AND_PASSWORDS)
    await begin(logto, "Register")
    proof = await offer_identity(logto)
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


async def test_event_can_change_from_sign_in_to_register(logto: ExperienceApp) -> None:
    await begin(logto, "SignIn")
    assert await logto.call("PUT", "/interaction-event", {"interactionEvent": "Register"}) == (204, None)
    assert (await logto.call("GET", "/interaction"))[1]["interactionEvent"] == "Register"


async def test_event_cannot_change_to_a_password_reset(logto: ExperienceApp) -> None:
    await begin(logto, "SignIn")
    refused = await refusal(logto, "PUT", "/interaction-event", {"interactionEvent": "ForgotPassword"})
    assert refused == (400, "session.not_supported_for_forgot_password")
    assert (await logto.call("GET", "/interaction"))[1]["interactionEvent"] == "SignIn"


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
async def test_refusal_of_a_malformed_body_names_what_is_wrong(
    logto: ExperienceApp, method: str, path: str, body: object, issue: dict[str, object]
) -> None:
    await begin(logto, "Register")
    status, answer = await logto.call(method, path, body)
    assert (status, answer["code"]) == (400, "guard.invalid_input")
    assert answer["data"] == {"issues": [issue], "name": "ZodError"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/identification", {"verificationId": "other"}),
        (VERIFY, verification("n@example.test", "other", "123456")),
    ],
)
async def test_proof_of_another_interaction_is_not_found(
    logto: ExperienceApp, path: str, body: dict[str, object]
) -> None:
    await begin(logto, "SignIn")
    assert await refusal(logto, "POST", path, body) == (404, "session.verification_session_not_found")


async def test_beginning_again_forgets_who_was_identified(logto: ExperienceApp) -> None:
    await logto.add_user("alice")
    await identify(logto, "alice")
    await begin(logto, "SignIn")
    assert await refusal(logto, "POST", "/submit") == (404, "session.identifier_not_found")
    assert await logto.signed_in_user() is None
