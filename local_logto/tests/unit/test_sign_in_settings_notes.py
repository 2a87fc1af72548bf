"""Where the built-in messages stand in for a connector, the answer says what Logto would have said."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from unit.management_app import ManagementApp, management_app

BY_CODE = {"identifier": "email", "password": True, "verificationCode": True, "isPasswordPrimary": True}
BY_NAME = {"identifier": "username", "password": True, "verificationCode": False, "isPasswordPrimary": True}


@pytest.fixture
async def logto(tmp_path: Path) -> AsyncIterator[ManagementApp]:
    async with management_app(tmp_path) as running:
        yield running


async def test_codes_without_a_connector_are_noted(logto: ManagementApp) -> None:
    answer = await logto.call("PATCH", "/sign-in-exp", {"signIn": {"methods": [BY_NAME, BY_CODE]}})
    assert answer.status == 200
    assert "enabled_connector_not_found" in answer.headers["Local-Logto-Note"]


async def test_what_logto_takes_too_is_not_noted(logto: ManagementApp) -> None:
    answer = await logto.call("PATCH", "/sign-in-exp", {"signIn": {"methods": [BY_NAME]}})
    assert "Local-Logto-Note" not in answer.headers
