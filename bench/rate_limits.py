"""Measures the cost of rate limits: ``GET /api/v1/me`` without them, counted in the process and in Redis.

Run it with ``python -m bench.rate_limits``. It starts what it needs.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import statistics
import tempfile
import time
from pathlib import Path

import aiohttp
import structlog
from pydantic import SecretStr
from quart import Quart

from saas_app.app import create_app
from saas_app.config import MEMORY, ManagementSettings, Rate, Settings, load_settings
from saas_app.logto import connect
from saas_app.operations.env_file import read_env_file
from saas_app.web import limits
from tests.databases import migrated_database
from tests.factories import Factory
from tests.processes import Provider, running_application, running_provider
from tests.redis_server import find_redis

BATCH = 400  # requests
ROUNDS = 9
LIMITS = ("rate_limit_client", "rate_limit_user", "rate_limit_organization", "rate_limit_address")


async def token_of_a_machine(provider: Provider, api_resource: str) -> str:
    """Return a bearer token of a new API client."""
    settings = ManagementSettings(
        endpoint=provider.endpoint,
        app_id=provider.management_app_id,
        app_secret=SecretStr(provider.management_app_secret),
        token_endpoint="",
    )
    async with connect(settings) as management:
        factory = Factory(management)
        organization_id = await factory.organization("Bench")
        machine = await factory.machine(organization_id)
    form = {
        "grant_type": "client_credentials",
        "resource": api_resource,
        "organization_id": organization_id,
        "scope": "projects:read",
    }
    headers = {"Authorization": aiohttp.encode_basic_auth(machine.id, machine.secret)}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{provider.endpoint}/oidc/token", data=form, headers=headers) as answer,
    ):
        return str((await answer.json())["access_token"])


async def batch(app: Quart, token: str) -> float:
    """Return the CPU seconds of this process per request. Other load on the machine does not matter."""
    client, headers = app.test_client(), {"Authorization": f"Bearer {token}"}
    began = time.process_time()
    for _ in range(BATCH):
        answer = await client.get("/api/v1/me", headers=headers)
        assert answer.status_code == 200, answer.status_code
    return (time.process_time() - began) / BATCH


async def measure(provider: Provider, settings: Settings) -> None:
    """Print the numbers for each way to count, measured in turn."""
    token = await token_of_a_machine(provider, settings.api_resource)
    storages = {"not counted": MEMORY, "in the process": MEMORY} | (
        {"in Redis": url} if (url := find_redis()) else {}
    )
    count, times = limits._count, {way: [] for way in storages}

    async def nothing(_policy: object, _who: str) -> None:
        return None

    async with contextlib.AsyncExitStack() as stack:
        apps = {}
        for way, storage in storages.items():
            apps[way] = create_app(settings.model_copy(update={"rate_limit_storage": storage}))
            await stack.enter_async_context(apps[way].test_app())
            await batch(apps[way], token)  # to warm up
        for _ in range(ROUNDS):
            for way, app in apps.items():
                limits._count = nothing if way == "not counted" else count  # type: ignore[assignment]
                times[way].append(await batch(app, token))
    for way, found in times.items():
        took = statistics.median(found)
        print(f"GET /api/v1/me, {way}: {took * 1e6:.0f} µs of CPU, {1 / took:.0f} requests/s a core")  # noqa: T201


def main() -> None:
    """Start everything, measure, stop everything."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with (
            running_provider(directory) as provider,
            migrated_database(directory) as database_url,
            running_application(provider, database_url, directory) as application,
        ):
            os.environ.update(read_env_file(application.env_file))
            structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
            rates = {name: Rate(1_000_000, 60) for name in LIMITS}
            asyncio.run(measure(provider, load_settings().model_copy(update=rates)))


if __name__ == "__main__":
    main()
