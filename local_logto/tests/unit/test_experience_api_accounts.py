"""The Experience API where accounts are made, reached by a code, or given a new password."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from local_logto.errors import RequestError
from local_logto.experience.state import PendingProfile
from local_logto.experience.users import create_user
from unit.experience_app import CODES_AND_PASSWORDS, PASSWORD, ExperienceApp, experience_app
from unit.experience_calls import (
    VERIFY,
    begin,
    last_code,
    prove_password,
    send_code,
    username,
    verification,
)


@pytest.fixture
async def logto(tmp_path: Path) -> AsyncIterator[ExperienceApp]:
    async with experience_app(tmp_path) as app:
        yield app


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


@pytest.mark.parametrize(("mode", "is_sent"), [("SignInAndRegister", True), ("SignIn", False)])
async def test_code_for_an_unknown_address_is_held_back_only_where_nobody_new_can_come(
    logto: ExperienceApp, mode: str, is_sent: bool
) -> None:
    asks_for_nothing = {"identifiers": [], "password": True, "verify": True}
    await logto.configure(**{**CODES_AND_PASSWORDS, "signUp": asks_for_nothing, "signInMode": mode})
    await begin(logto, "SignIn")
    await send_code(logto, "nobody@example.test", "SignIn")
    assert bool(await logto.messages()) is is_sent


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
