"""Sign-in settings that Logto would refuse without a connector: a note in the reply says so."""

from __future__ import annotations

from unit.management_app import ManagementApp

BY_CODE = {"identifier": "email", "password": True, "verificationCode": True, "isPasswordPrimary": True}
BY_NAME = {"identifier": "username", "password": True, "verificationCode": False, "isPasswordPrimary": True}


async def test_codes_without_a_connector_add_a_note(api: ManagementApp) -> None:
    answer = await api.call("PATCH", "/sign-in-exp", {"signIn": {"methods": [BY_NAME, BY_CODE]}})
    assert answer.status == 200
    assert "enabled_connector_not_found" in answer.headers["Local-Logto-Note"]


async def test_settings_that_logto_accepts_too_add_no_note(api: ManagementApp) -> None:
    answer = await api.call("PATCH", "/sign-in-exp", {"signIn": {"methods": [BY_NAME]}})
    assert "Local-Logto-Note" not in answer.headers
