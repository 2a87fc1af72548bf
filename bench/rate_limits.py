"""Measures the cost of rate limits: ``GET /api/v1/me`` without them, counted in the process and in Redis.

Run it with ``python -m bench.rate_limits``. It starts what it needs.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import statistics
import time

import structlog
from quart import Quart

from bench.site import Site, running_site
from saas_app.app import create_app
from saas_app.config import MEMORY, Rate, load_settings
from saas_app.logto import connect
from saas_app.web import limits
from tests.factories import Factory
from tests.redis_server import find_redis

BATCH = 400  # requests
ROUNDS = 9
LIMITS = ("rate_limit_client", "rate_limit_user", "rate_limit_organization", "rate_limit_address")


async def token_of_a_machine(site: Site) -> str:
    """Return a bearer token of a new API client."""
    async with connect(site.management) as management:
        factory = Factory(management)
        organization_id = await factory.organization("Bench")
        return await site.token_of(await factory.machine(organization_id), organization_id)


async def batch(app: Quart, token: str) -> float:
    """Return the CPU seconds of this process per request. Other load on the machine does not matter."""
    client, headers = app.test_client(), {"Authorization": f"Bearer {token}"}
    began = time.process_time()
    for _ in range(BATCH):
        answer = await client.get("/api/v1/me", headers=headers)
        assert answer.status_code == 200, answer.status_code
    return (time.process_time() - began) / BATCH


async def measure(site: Site) -> None:
    """Print the numbers for each way to count, measured in turn."""
    token = await token_of_a_machine(site)
    rates = {name: Rate(1_000_000, 60) for name in LIMITS}
    storages = {"not counted": MEMORY, "in the process": MEMORY} | (
        {"in Redis": url} if (url := find_redis()) else {}
    )
    count = limits._count
    times: dict[str, list[float]] = {way: [] for way in storages}

    async def nothing(_policy: object, _who: str) -> None:
        return None

    async with contextlib.AsyncExitStack() as stack:
        apps = {}
        for way, storage in storages.items():
            changes = {**rates, "rate_limit_storage": storage}
            apps[way] = create_app(load_settings().model_copy(update=changes))
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
    with running_site() as site:
        os.environ.update(site.environment)
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
        asyncio.run(measure(site))


if __name__ == "__main__":
    main()
