"""Sign-in settings: those that need a connector, and combinations that are refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from contract.conftest import put_back
from contract.fixtures import LikeRecording
from contract.management import ManagementApi
from contract.oidc import Oidc
from contract.recordings import load

REFUSED = "sign_in_experiences."


def method(identifier: str, *, password: bool = True, code: bool = False) -> dict[str, object]:
    return {
        "identifier": identifier,
        "password": password,
        "verificationCode": code,
        "isPasswordPrimary": password,
    }


def mfa(*factors: str, policy: str = "UserControlled") -> dict[str, object]:
    return {"factors": list(factors), "policy": policy}


def sign_up(*identifiers: str, **changes: object) -> dict[str, object]:
    return {"identifiers": list(identifiers), "password": True, "verify": True, **changes}


@pytest.fixture
async def settings(
    message_connectors: None, api: ManagementApi, sign_in_settings: dict[str, Any]
) -> AsyncIterator[ManagementApi]:
    """The Management API. The sign-in settings are restored when the test ends."""
    yield api
    await put_back(api, sign_in_settings)


@pytest.fixture
async def naver(settings: ManagementApi) -> AsyncIterator[str]:
    """The id of a social connector."""
    body = load("212-connector-naver")["request"]["body"]
    identifier: str = (await settings.post("/connectors", body)).expect(200).body["id"]
    yield identifier
    assert (await settings.delete(f"/connectors/{identifier}")).status in (204, 404)


async def test_targets_without_a_connector_are_dropped_as_recorded(
    settings: ManagementApi, naver: str, like_recording: LikeRecording
) -> None:
    base = load("100-sign-in-exp-patch")["request"]["body"]
    (await settings.patch("/sign-in-exp", base)).expect(200)
    body = load("212-sign-in-exp-social")["request"]["body"]
    reply = await settings.patch("/sign-in-exp", body)
    like_recording("212-sign-in-exp-social", reply)
    assert reply.body["socialSignInConnectorTargets"] == ["naver"]


async def test_settings_for_the_page_list_the_social_connectors(
    settings: ManagementApi, naver: str, oidc: Oidc
) -> None:
    (await settings.patch("/sign-in-exp", {"socialSignInConnectorTargets": ["naver"]})).expect(200)
    page = (await oidc.send("GET", "/api/.well-known/sign-in-exp")).expect(200).body
    [button] = page["socialConnectors"]
    assert (button["id"], button["target"], button["name"]["en"]) == (naver, "naver", "Naver")
    assert "config" not in button
    assert "clientSecret" not in str({**button, "formItems": []})


async def test_target_is_removed_with_its_connector(settings: ManagementApi, naver: str) -> None:
    (await settings.patch("/sign-in-exp", {"socialSignInConnectorTargets": ["naver"]})).expect(200)
    (await settings.delete(f"/connectors/{naver}")).expect(204)
    assert (await settings.get("/sign-in-exp")).body["socialSignInConnectorTargets"] == []


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"signUp": sign_up("email", verify=False)}, 400, "passwordless_requires_verify"),
        (
            {"signUp": sign_up("username", secondaryIdentifiers=[{"identifier": "email"}])},
            400,
            "passwordless_requires_verify",
        ),
        (
            {"signUp": sign_up(secondaryIdentifiers=[{"identifier": "username"}])},
            400,
            "missing_sign_up_identifiers",
        ),
        ({"signUp": sign_up("email", "email")}, 400, "duplicated_sign_up_identifiers"),
        (
            {
                "signUp": sign_up(
                    "phone", secondaryIdentifiers=[{"identifier": "emailOrPhone", "verify": True}]
                )
            },
            400,
            "duplicated_sign_up_identifiers",
        ),
        (
            {"signIn": {"methods": [method("email", password=False)]}},
            400,
            "at_least_one_authentication_factor",
        ),
        (
            {"signUp": sign_up("email", password=False), "signIn": {"methods": [method("email")]}},
            400,
            "code_sign_in_must_be_enabled",
        ),
        ({"mfa": mfa("Totp", "Totp")}, 400, "duplicated_mfa_factors"),
        ({"mfa": mfa("BackupCode")}, 400, "backup_code_cannot_be_enabled_alone"),
        (
            {"signIn": {"methods": [method("email", code=True)]}, "mfa": mfa("EmailVerificationCode")},
            400,
            "email_verification_code_cannot_be_used_for_sign_in",
        ),
        (
            {"signIn": {"methods": [method("phone", code=True)]}, "mfa": mfa("PhoneVerificationCode")},
            400,
            "phone_verification_code_cannot_be_used_for_sign_in",
        ),
        (
            {"mfa": mfa("Totp", policy="PromptOnlyAtSignInMandatory")},
            422,
            "non_adaptive_mfa_requires_skippable_policy",
        ),
        (
            {"mfa": mfa("Totp"), "adaptiveMfa": {"enabled": True}},
            422,
            "adaptive_mfa_requires_non_skippable_policy",
        ),
        ({"adaptiveMfa": {"enabled": True}}, 422, "adaptive_mfa_requires_mfa"),
    ],
)
async def test_settings_that_cannot_work_are_refused_and_change_nothing(
    settings: ManagementApi, changes: dict[str, object], status: int, code: str
) -> None:
    before = (await settings.get("/sign-in-exp")).expect(200).body
    reply = await settings.patch("/sign-in-exp", changes)
    assert reply.refusal == (status, REFUSED + code)
    assert (await settings.get("/sign-in-exp")).body == before


async def sign_in_by_email_code(settings: ManagementApi) -> None:
    methods = {"methods": [method("username"), method("email", code=True)]}
    (await settings.patch("/sign-in-exp", {"signIn": methods})).expect(200)


async def test_code_that_signs_in_cannot_be_a_second_factor(settings: ManagementApi) -> None:
    await sign_in_by_email_code(settings)
    reply = await settings.patch("/sign-in-exp", {"mfa": mfa("EmailVerificationCode")})
    assert reply.body["code"] == f"{REFUSED}email_verification_code_cannot_be_used_for_mfa"


async def test_another_code_can_be_a_second_factor(settings: ManagementApi) -> None:
    await sign_in_by_email_code(settings)
    (await settings.patch("/sign-in-exp", {"mfa": mfa("PhoneVerificationCode")})).expect(200)


async def test_removing_the_factors_turns_adaptive_mfa_off(settings: ManagementApi) -> None:
    changes = {
        "mfa": mfa("Totp", policy="PromptAtSignInAndSignUpMandatory"),
        "adaptiveMfa": {"enabled": True},
    }
    (await settings.patch("/sign-in-exp", changes)).expect(200)
    without = (await settings.patch("/sign-in-exp", {"mfa": mfa()})).expect(200).body
    assert without["adaptiveMfa"] == {"enabled": False}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"verificationCodePolicy": {"expirationDuration": 59}}, ["expirationDuration"]),
        ({"verificationCodePolicy": {"expirationDuration": 3601}}, ["expirationDuration"]),
        ({"verificationCodePolicy": {"maxRetryAttempts": 0}}, ["maxRetryAttempts"]),
        ({"verificationCodePolicy": {"maxRetryAttempts": 101}}, ["maxRetryAttempts"]),
        ({"mfa": {"factors": ["Sms"], "policy": "NoPrompt"}}, ["factors", 0]),
        ({"mfa": {"factors": [], "policy": "Sometimes"}}, ["policy"]),
        ({"mfa": {"factors": []}}, ["policy"]),
    ],
)
async def test_values_out_of_bounds_are_refused(
    settings: ManagementApi, changes: dict[str, Any], path: list[object]
) -> None:
    reply = await settings.patch("/sign-in-exp", changes)
    assert reply.refusal == (400, "guard.invalid_input")
    assert reply.body["data"]["issues"][0]["path"] == [*changes, *path]


async def test_values_at_the_bounds_are_accepted(settings: ManagementApi) -> None:
    policy = {"expirationDuration": 60, "maxRetryAttempts": 100}
    reply = await settings.patch("/sign-in-exp", {"verificationCodePolicy": policy})
    assert reply.expect(200).body["verificationCodePolicy"] == policy
