"""Where the built-in messages stand in for a connector, the answer says what Logto would have said."""

from __future__ import annotations

from unit.management_app import ManagementApp

BY_CODE = {"identifier": "email", "password": True, "verificationCode": True, "isPasswordPrimary": True}
BY_NAME = {"identifier": "username", "password": True, "verificationCode": False, "isPasswordPrimary": True}


async def test_codes_without_a_connector_are_noted(api: ManagementApp) -> None:
    answer = await api.call("PATCH", "/sign-in-exp", {"signIn": {"methods": [BY_NAME, BY_CODE]}})
    assert answer.status == 200
    assert "enabled_connector_not_found" in answer.headers["Local-Logto-Note"]


async def test_what_logto_takes_too_is_not_noted(api: ManagementApp) -> None:
    answer = await api.call("PATCH", "/sign-in-exp", {"signIn": {"methods": [BY_NAME]}})
    assert "Local-Logto-Note" not in answer.headers
