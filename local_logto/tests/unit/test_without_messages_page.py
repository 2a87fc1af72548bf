"""Without the messages page, the provider is as strict as a Logto without connectors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from unit.management_app import ManagementApp, management_app

MOCK_SMS = {
    "connectorId": "mock-short-message-service",
    "config": {"accountSID": "x", "authToken": "x", "fromMessagingServiceSID": "x", "templates": []},
}


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[ManagementApp]:
    async with management_app(tmp_path, built_in_messages=False) as running:
        yield running


def by_code(identifier: str) -> dict[str, object]:
    method = {"identifier": identifier, "password": True, "verificationCode": True}
    return {"signIn": {"methods": [method | {"isPasswordPrimary": True}]}}


def sign_up(identifier: str) -> dict[str, object]:
    return {"signUp": {"identifiers": [identifier], "password": True, "verify": True}}


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        (by_code("email"), "enabled_connector_not_found", "Enabled Email connector not found."),
        (by_code("phone"), "enabled_connector_not_found", "Enabled Sms connector not found."),
        (sign_up("email"), "enabled_connector_not_found", "Enabled Email connector not found."),
        (
            {"forgotPasswordMethods": ["PhoneVerificationCode"]},
            "forgot_password_method_requires_connector",
            "Forgot password method requires a corresponding sms connector to be configured.",
        ),
    ],
)
async def test_codes_need_a_connector(
    api: ManagementApp, changes: Mapping[str, object], code: str, message: str
) -> None:
    answer = await api.call("PATCH", "/sign-in-exp", changes)
    assert answer.refusal == (400, f"sign_in_experiences.{code}")
    assert answer.body["message"] == message


async def test_connector_makes_codes_possible(api: ManagementApp) -> None:
    await api.made("/connectors", **MOCK_SMS)
    assert (await api.call("PATCH", "/sign-in-exp", by_code("phone"))).status == 200
    methods = {"forgotPasswordMethods": ["PhoneVerificationCode"]}
    assert (await api.call("PATCH", "/sign-in-exp", methods)).status == 200
    page = (await api.get("/.well-known/sign-in-exp")).body
    assert page["forgotPassword"] == {"phone": True, "email": False}


async def test_code_without_a_connector_is_refused(api: ManagementApp) -> None:
    answer = await api.call("POST", "/verification-codes", {"email": "nina@example.test"})
    assert answer.refusal == (501, "connector.not_found")
    assert answer.body["message"] == "Cannot find any available connector for type: Email."
