"""Checks of the doctor about our own address that need no request."""

from __future__ import annotations

from saas_app.logto.http import open_http
from saas_app.operations.doctor.installation import check_address
from saas_app.operations.provisioning import Deployment


async def test_a_remote_logto_cannot_send_webhooks_to_localhost() -> None:
    deployment = Deployment(app_url="http://localhost:3000", api_resource="https://api.example")
    async with open_http(1) as http:
        check = await check_address(deployment, "https://tenant.logto.app", http)

    assert not check.passed
    assert "https://tenant.logto.app cannot send webhooks to it" in check.found
    assert "APP_URL" in check.remedy
