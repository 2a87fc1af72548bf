"""The Management API of the provider that was started as a program."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from contract.management import ManagementApi, ManagementCredentials, management_token
from local_logto.testing import Provider
from local_logto.testing.connections import brief_connector


@pytest.fixture
async def api(local_logto: Provider) -> AsyncIterator[ManagementApi]:
    credentials = ManagementCredentials(
        f"{local_logto.endpoint}/oidc/token", local_logto.management_app_id, local_logto.management_app_secret
    )
    async with aiohttp.ClientSession(connector=brief_connector()) as http:
        yield ManagementApi(http, local_logto.endpoint, await management_token(http, credentials))
