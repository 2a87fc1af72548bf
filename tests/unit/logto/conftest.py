"""A Management API client and the server that it calls."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr
from tenacity import wait_fixed

from saas_app.config import ManagementSettings
from saas_app.logto import ManagementClient
from saas_app.logto import transport as transport_module
from tests.unit.logto.management_stand_in import OpenClient, StandIn


@pytest.fixture
def stand_in() -> StandIn:
    return StandIn()


@pytest.fixture
async def open_client(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenClient]:
    """Open clients with a timeout in seconds."""
    monkeypatch.setattr(transport_module, "_BACKOFF", wait_fixed(0.001))
    app = web.Application()
    app.router.add_post("/oidc/token", stand_in.token)
    app.router.add_route("*", "/api/{path:.*}", stand_in.api)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        settings = ManagementSettings(
            endpoint=str(server.make_url("/")),
            app_id="machine",
            app_secret=SecretStr("s:e+c/r"),
            token_endpoint="",
            resource="https://default.logto.app/api",
        )
        yield lambda seconds: ManagementClient(settings, http, timeout=seconds)


@pytest.fixture
def client(open_client: OpenClient) -> ManagementClient:
    return open_client(30)
