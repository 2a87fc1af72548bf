"""The Experience API answers as Logto 1.42 was recorded: statuses, codes, bodies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from local_logto.errors import RequestError
from local_logto.experience.state import PendingProfile
from local_logto.experience.users import create_user
from tests.unit.local_logto.experience_app import (
    CODES_AND_PASSWORDS,
    PASSWORD,
    ExperienceApp,
    experience_app,
)


@pytest.fixture
async def logto(tmp_path: Path) -> AsyncIterator[ExperienceApp]:
    async with experience_app(tmp_path) as app:
        yield app


def username(value: str) -> dict[str, str]:
    return {"type": "username", "value": value}


def email(value: str) -> dict[str, str]:
    return {"type": "email", "value": value}


async def begin(logto: ExperienceApp, event: str) -> None:
    assert await logto.call("PUT", "", {"interactionEvent": event}) == (204, None)


async def prove_password(logto: ExperienceApp, name: str) -> str:
    body = {"identifier": username(name), "password": PASSWORD}
    status, answer = await logto.call("POST", "/verification/password", body)
    assert status == 200
    return str(answer["verificationId"])


async def send_code(logto: ExperienceApp, address: str, event: str) -> str:
    body = {"identifier": email(address), "interactionEvent": event}
    status, answer = await logto.call("POST", "/verification/verification-code", body)
    assert status == 200
    return str(answer["verificationId"])


async def last_code(logto: ExperienceApp) -> str:
    code = (await logto.messages())[0].code
    assert code is not None
    return code


def verification(address: str, verification_id: str, code: str) -> dict[str, object]:
    return {"identifier": email(address), "verificationId": verification_id, "code": code}


VERIFY = "/verification/verification-code/verify"


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


async def test_sign_up_by_username(logto: ExperienceApp) -> None:
    await begin(logto, "Register")
    body = {"identifier": username("nina"), "password": PASSWORD}
    status, proof = await logto.call("POST", "/verification/new-password-identity", body)
    assert status == 200
    assert await logto.call("POST", "/identification", proof) == (201, "Created")
    assert (await logto.call("POST", "/submit"))[0] == 200
    user_id = await logto.signed_in_user()
    assert user_id is not None
    assert (await logto.user(user_id))["username"] == "nina"
    await begin(logto, "SignIn")
    await prove_password(logto, "nina")


async def test_taken_username_and_weak_password_are_refused_as_recorded(logto: ExperienceApp) -> None:
    await logto.add_user("nina")
    await begin(logto, "Register")
    path = "/verification/new-password-identity"
    taken = await logto.call("POST", path, {"identifier": username("nina"), "password": PASSWORD})
    assert taken == (
        422,
        {"code": "user.username_already_in_use", "message": "This username is already in use."},
    )
    weak = await logto.call("POST", path, {"identifier": username("ninax"), "password": "12345"})
    assert weak == (
        422,
        {
            "code": "password.rejected",
            "data": [
                {"code": "password_rejected.too_short", "interpolation": {"min": 8}},
                {"code": "password_rejected.restricted.sequence"},
            ],
            "message": "Password rejected. Please check if your password meets the requirements.",
        },
    )


async def test_of_two_registrations_at_once_the_later_one_is_refused(logto: ExperienceApp) -> None:
    await create_user(logto.store, PendingProfile(username="nina"))
    with pytest.raises(RequestError) as caught:
        await create_user(logto.store, PendingProfile(username="nina"))
    assert (caught.value.status, caught.value.code) == (422, "user.username_already_in_use")


@pytest.mark.parametrize("name", ["1st", "with-dash", "", "umlautä"])
async def test_malformed_username_fails_the_guard(logto: ExperienceApp, name: str) -> None:
    await begin(logto, "Register")
    body = {"identifier": username(name), "password": PASSWORD}
    status, answer = await logto.call("POST", "/verification/new-password-identity", body)
    assert (status, answer["data"]["issues"][0]["validation"]) == (400, "regex")


async def test_registration_asks_for_the_missing_email_and_then_goes_on(logto: ExperienceApp) -> None:
    await logto.configure(**CODES_AND_PASSWORDS)
    await begin(logto, "Register")
    body = {"identifier": username("nina"), "password": PASSWORD}
    _, proof = await logto.call("POST", "/verification/new-password-identity", body)
    assert await logto.call("POST", "/identification", proof) == (
        422,
        {
            "code": "user.missing_profile",
            "data": {"missingProfile": ["email"]},
            "message": "You need to provide additional info before signing-in.",
        },
    )
    sent = await send_code(logto, "nina@example.test", "Register")
    code = await last_code(logto)
    assert await logto.call("POST", VERIFY, verification("nina@example.test", sent, code)) == (
        200,
        {"verificationId": sent},
    )
    profile = {"type": "email", "verificationId": sent}
    assert await logto.call("POST", "/profile", profile) == (204, None)
    assert await logto.call("POST", "/identification", proof) == (201, "Created")
    assert (await logto.call("POST", "/submit"))[0] == 200
    user_id = await logto.signed_in_user()
    assert user_id is not None
    assert (await logto.user(user_id))["primary_email"] == "nina@example.test"


async def test_invite_only_server_refuses_registration(logto: ExperienceApp) -> None:
    await logto.configure(signInMode="SignIn")
    await begin(logto, "Register")
    body = {"identifier": username("nina"), "password": PASSWORD}
    _, proof = await logto.call("POST", "/verification/new-password-identity", body)
    status, answer = await logto.call("POST", "/identification", proof)
    assert (status, answer["code"]) == (403, "auth.forbidden")


async def test_sign_in_by_code(logto: ExperienceApp) -> None:
    await logto.configure(**CODES_AND_PASSWORDS)
    user_id = await logto.add_user("nina", primary_email="nina@example.test")
    await begin(logto, "SignIn")
    sent = await send_code(logto, "nina@example.test", "SignIn")
    await logto.call("POST", VERIFY, verification("nina@example.test", sent, await last_code(logto)))
    assert await logto.call("POST", "/identification", {"verificationId": sent}) == (204, None)
    assert (await logto.call("POST", "/submit"))[0] == 200
    assert await logto.signed_in_user() == user_id


async def test_unverified_code_identifies_nobody(logto: ExperienceApp) -> None:
    await logto.configure(**CODES_AND_PASSWORDS)
    await logto.add_user("nina", primary_email="nina@example.test")
    await begin(logto, "SignIn")
    sent = await send_code(logto, "nina@example.test", "SignIn")
    status, body = await logto.call("POST", "/identification", {"verificationId": sent})
    assert (status, body["code"]) == (400, "session.verification_failed")


async def test_unknown_address_gets_an_answer_too_and_is_found_out_only_by_the_code(
    logto: ExperienceApp,
) -> None:
    await logto.configure(**CODES_AND_PASSWORDS)
    await begin(logto, "SignIn")
    sent = await send_code(logto, "nobody@example.test", "SignIn")
    await logto.call("POST", VERIFY, verification("nobody@example.test", sent, await last_code(logto)))
    status, body = await logto.call("POST", "/identification", {"verificationId": sent})
    assert (status, body["code"]) == (404, "user.user_not_exist")


async def test_forgotten_password_is_replaced_without_signing_in(logto: ExperienceApp) -> None:
    await logto.configure(**CODES_AND_PASSWORDS)
    await logto.add_user("nina", primary_email="nina@example.test")
    await begin(logto, "ForgotPassword")
    sent = await send_code(logto, "nina@example.test", "ForgotPassword")
    await logto.call("POST", VERIFY, verification("nina@example.test", sent, await last_code(logto)))
    assert await logto.call("POST", "/identification", {"verificationId": sent}) == (204, None)
    same = await logto.call("PUT", "/profile/password", {"password": PASSWORD})
    assert (same[0], same[1]["code"]) == (422, "user.same_password")
    assert await logto.call("PUT", "/profile/password", {"password": "Brand-new-phrase"}) == (204, None)
    assert await logto.call("POST", "/submit") == (204, None)
    assert (await logto.call("GET", "/interaction"))[1]["code"] == "session.interaction_not_found"
    assert await logto.signed_in_user() is None
    await begin(logto, "SignIn")
    body = {"identifier": username("nina"), "password": "Brand-new-phrase"}
    assert (await logto.call("POST", "/verification/password", body))[0] == 200


async def test_reset_of_an_unknown_address_sends_nothing_and_says_nothing(logto: ExperienceApp) -> None:
    await logto.configure(**CODES_AND_PASSWORDS)
    await begin(logto, "ForgotPassword")
    await send_code(logto, "nobody@example.test", "ForgotPassword")
    assert await logto.messages() == []


async def test_password_proof_is_no_way_to_reset_a_password(logto: ExperienceApp) -> None:
    await logto.configure(**CODES_AND_PASSWORDS)
    await logto.add_user("nina", primary_email="nina@example.test")
    await begin(logto, "ForgotPassword")
    proof = await prove_password(logto, "nina")
    status, body = await logto.call("POST", "/identification", {"verificationId": proof})
    assert (status, body["code"]) == (422, "session.not_supported_for_forgot_password")


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
                "options": ["username", "password", "email", "phone"],
                "path": ["type"],
                "message": "Invalid discriminator value. "
                "Expected 'username' | 'password' | 'email' | 'phone'",
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
