"""A provider, or a nameserver, that hangs holds up nothing but itself."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from aiohttp import web

from saas_app.single_sign_on.broker.failures import failure_of
from saas_app.single_sign_on.checked_hosts import IssuerFault, IssuerRefused, look_up
from saas_app.single_sign_on.visits import ProviderVisits
from tests.integration.single_sign_on.issuers.conftest import (
    METADATA,
    Inspect,
    PublishingProvider,
    never,
)

pytestmark = pytest.mark.one_database


@pytest.fixture
async def held_threads() -> AsyncIterator[None]:
    """All the threads of the loop are held, as lookups that nobody answers would hold them."""
    release, threads = threading.Event(), ThreadPoolExecutor(1)
    loop = asyncio.get_running_loop()
    loop.set_default_executor(threads)
    held = loop.run_in_executor(None, release.wait)
    yield
    release.set()
    await held


@pytest.mark.usefixtures("held_threads")
async def test_hosts_of_providers_are_looked_up_in_threads_of_their_own() -> None:
    async with asyncio.timeout(5):
        found = await look_up("127.0.0.1")

    assert found == ["127.0.0.1"]


async def test_a_provider_that_hangs_is_visited_by_a_few_at_once(
    publisher: PublishingProvider, inspect: Inspect
) -> None:
    full = asyncio.Event()

    async def hang(request: web.Request) -> web.StreamResponse:
        if len(publisher.received) == 8:
            full.set()
        return await never(request)

    publisher.answers[METADATA] = hang
    async with asyncio.timeout(10), asyncio.TaskGroup() as visits:
        started = [visits.create_task(inspect(publisher.issuer)) for _ in range(9)]
        await full.wait()

        _ended, under_way = await asyncio.wait(started, timeout=0.3)

        assert len(under_way) == 9
        assert publisher.paths == [METADATA] * 8
        for visit in under_way:
            visit.cancel()


async def test_a_visit_that_waited_for_others_does_not_say_that_the_provider_hangs(
    local_publisher: PublishingProvider,
) -> None:
    """Otherwise, whoever opens many sign-ins at once could alarm the admins."""
    local_publisher.answers[METADATA] = never
    visits = ProviderVisits(allows_private=True, timeout=1.0)

    async def refusal() -> IssuerRefused:
        with pytest.raises(IssuerRefused, match="did not respond in time") as refused:
            async with visits.visit(local_publisher.issuer):
                pass
        return refused.value

    refusals = await asyncio.gather(*(refusal() for _ in range(9)))

    assert [refused.kind for refused in refusals] == [*[IssuerFault.TIMEOUT] * 8, IssuerFault.BUSY]
    assert failure_of(refusals[-1]) is None
