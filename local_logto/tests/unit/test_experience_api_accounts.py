"""The Experience API where accounts are created, reached by a code, or given a new password."""

from __future__ import annotations

import pytest

from local_logto.errors import RequestError
from local_logto.experience.state import PendingProfile
from local_logto.experience.users import create_user
from unit.experience_app import CODES_AND_PASSWORDS, PASSWORD, ExperienceApp
from unit.experience_calls import (
    VERIFY,
    begin,
    last_code,
    offer_identity,
    prove_code,
    prove_password,
    refusal,
    send_code,
    username,
    verification,
)


async def test_sign_up_creates_an_account_that_can_sign_in(logto: ExperienceApp) -> None:
    await begin(logto, "Register")
    proof = await offer_identity(logto)
    assert await logto.call("POST", "/identification", proof) == (201, "Created")
    assert (await logto.call("POST", "/submit"))[0] == 200
    user_id = await logto.signed_in_user()
    assert user_id is not None
    assert (await logto.user(user_id))["username"] == "nina"
    await begin(logto, "SignIn")
    await prove_password(logto, "nina")


async def test_taken_username_is_refused_as_recorded(logto: ExperienceApp) -> None:
    await logto.add_user("nina")
    await begin(logto, "Register")
    body = {"identifier": username("nina"), "password": PASSWORD}
    assert await logto.call("POST", "/verification/new-password-identity", body) == (
        422,
        {"code": "user.username_already_in_use", "message": "This username is already in use."},
    )


async def test_weak_password_is_refused_as_recorded(logto: ExperienceApp) -> None:
    await begin(logto, "Register")
    body = {"identifier": username("nina"), "password": "12345"}
    assert await logto.call("POST", "/verification/new-password-identity", body) == (
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


async def test_second_of_two_concurrent_registrations_is_refused(logto: ExperienceApp) -> None:
    create_user(logto.store, PendingProfile(username="nina"))
    with pytest.raises(RequestError) as caught:
        create_user(logto.store, PendingProfile(username="nina"))
    assert (caught.value.status, caught.value.code) == (422, "user.username_already_in_use")


@pytest.mark.parametrize("name", ["1st", "with-dash", "", "umlautä"])
async def test_malformed_username_is_refused(logto: ExperienceApp, name: str) -> None:
    await begin(logto, "Register")
    body = {"identifier": username(name), "password": PASSWORD}
    status, answer = await logto.call("POST", "/verification/new-password-identity", body)
    assert (status, answer["data"]["issues"][0]["validation"]) == (400, "regex")


async def test_registration_without_the_required_email_address_is_refused(logto: ExperienceApp) -> None:
    await logto.configure(**CODES_AND_PASSWORDS)
    await begin(logto, "Register")
    assert await logto.call("POST", "/identification", await offer_identity(logto)) == (
        422,
        {
            "code": "user.missing_profile",
            "data": {"missingProfile": ["email"]},
            "message": "You need to provide additional info before signing-in.",
        },
    )


async def test_right_code_returns_its_verification_id(logto: ExperienceApp) -> None:
    await logto.configure(**CODES_AND_PASSWORDS)
    await begin(logto, "Register")
    sent = await send_code(logto, "nina@example.test", "Register")
    body = verification("nina@example.test", sent, await last_code(logto))
    assert await logto.call("POST", VERIFY, body) == (200, {"verificationId": sent})


async def test_registration_with_a_proven_email_address_creates_an_account(logto: ExperienceApp) -> None:
    await logto.configure(**CODES_AND_PASSWORDS)
    await begin(logto, "Register")
    proof = await offer_identity(logto)
    profile = {"type": "email", "verificationId": await prove_code(logto, "nina@example.test", "Register")}
    assert await logto.call("POST", "/profile", profile) == (204, None)
    assert await logto.call("POST", "/identification", proof) == (201, "Created")
    assert (await logto.call("POST", "/submit"))[0] == 200
    user_id = await logto.signed_in_user()
    assert user_id is not None
    assert (await logto.user(user_id))["primary_email"] == "nina@example.test"


async def test_registration_is_refused_where_it_is_closed(logto: ExperienceApp) -> None:
    await logto.configure(signInMode="SignIn")
    await begin(logto, "Register")
    proof = await offer_identity(logto)
    assert await refusal(logto, "POST", "/identification", proof) == (403, "auth.forbidden")


async def test_code_signs_in(logto: ExperienceApp) -> None:
    await logto.configure(**CODES_AND_PASSWORDS)
    user_id = await logto.add_user("nina", primary_email="nina@example.test")
    await begin(logto, "SignIn")
    proof = {"verificationId": await prove_code(logto, "nina@example.test", "SignIn")}
    assert await logto.call("POST", "/identification", proof) == (204, None)
    assert (await logto.call("POST", "/submit"))[0] == 200
    assert await logto.signed_in_user() == user_id


async def test_unverified_code_identifies_nobody(logto: ExperienceApp) -> None:
    await logto.configure(**CODES_AND_PASSWORDS)
    await logto.add_user("nina", primary_email="nina@example.test")
    await begin(logto, "SignIn")
    sent = {"verificationId": await send_code(logto, "nina@example.test", "SignIn")}
    assert await refusal(logto, "POST", "/identification", sent) == (400, "session.verification_failed")


async def test_unknown_address_is_refused_only_after_its_code(logto: ExperienceApp) -> None:
    await logto.configure(**CODES_AND_PASSWORDS)
    await begin(logto, "SignIn")
    proof = {"verificationId": await prove_code(logto, "nobody@example.test", "SignIn")}
    assert await refusal(logto, "POST", "/identification", proof) == (404, "user.user_not_exist")


@pytest.mark.parametrize(("mode", "is_sent"), [("SignInAndRegister", True), ("SignIn", False)])
async def test_code_for_an_unknown_address_is_sent_unless_registration_is_closed(
    logto: ExperienceApp, mode: str, is_sent: bool
) -> None:
    asks_for_nothing = {"identifiers": [], "password": True, "verify": True}
    await logto.configure(**{**CODES_AND_PASSWORDS, "signUp": asks_for_nothing, "signInMode": mode})
    await begin(logto, "SignIn")
    await send_code(logto, "nobody@example.test", "SignIn")
    assert bool(await logto.messages()) is is_sent


@pytest.fixture
async def resetting(logto: ExperienceApp) -> ExperienceApp:
    """Nina, identified by a code to reset her password."""
    await logto.configure(**CODES_AND_PASSWORDS)
    await logto.add_user("nina", primary_email="nina@example.test")
    await begin(logto, "ForgotPassword")
    proof = {"verificationId": await prove_code(logto, "nina@example.test", "ForgotPassword")}
    assert await logto.call("POST", "/identification", proof) == (204, None)
    return logto


async def test_old_password_cannot_be_the_new_one(resetting: ExperienceApp) -> None:
    refused = await refusal(resetting, "PUT", "/profile/password", {"password": PASSWORD})
    assert refused == (422, "user.same_password")


async def test_new_password_works_after_the_reset(resetting: ExperienceApp) -> None:
    changed = await resetting.call("PUT", "/profile/password", {"password": "Brand-new-phrase"})
    assert changed == (204, None)
    assert await resetting.call("POST", "/submit") == (204, None)
    await begin(resetting, "SignIn")
    body = {"identifier": username("nina"), "password": "Brand-new-phrase"}
    assert (await resetting.call("POST", "/verification/password", body))[0] == 200


async def test_reset_ends_the_interaction_without_signing_in(resetting: ExperienceApp) -> None:
    await resetting.call("PUT", "/profile/password", {"password": "Brand-new-phrase"})
    await resetting.call("POST", "/submit")
    assert (await refusal(resetting, "GET", "/interaction"))[1] == "session.interaction_not_found"
    assert await resetting.signed_in_user() is None


async def test_reset_for_an_unknown_address_sends_nothing(logto: ExperienceApp) -> None:
    await logto.configure(**CODES_AND_PASSWORDS)
    await begin(logto, "ForgotPassword")
    await send_code(logto, "nobody@example.test", "ForgotPassword")
    assert await logto.messages() == []


async def test_password_proof_cannot_reset_a_password(logto: ExperienceApp) -> None:
    await logto.configure(**CODES_AND_PASSWORDS)
    await logto.add_user("nina", primary_email="nina@example.test")
    await begin(logto, "ForgotPassword")
    proof = {"verificationId": await prove_password(logto, "nina")}
    refused = await refusal(logto, "POST", "/identification", proof)
    assert refused == (422, "session.not_supported_for_forgot_password")
