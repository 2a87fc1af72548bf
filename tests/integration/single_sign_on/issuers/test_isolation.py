"""A provider, or a nameserver, that hangs holds up nothing but itself."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from saas_app.single_sign_on.checked_hosts import look_up
from saas_app.single_sign_on.issuers import IssuerInspector, IssuerRefused, Refusal
from tests.integration.single_sign_on.issuers.conftest import (
    METADATA,
    Certificates,
    Internet,
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
    publisher: PublishingProvider, internet: Internet, certificates: Certificates
) -> None:
    publisher.answers[METADATA] = never
    inspector = IssuerInspector(
        allows_private=False, look_up=internet.look_up, tls=certificates[1], timeout=1.0
    )

    ends = await asyncio.gather(
        *(inspector.inspect(publisher.issuer) for _ in range(12)), return_exceptions=True
    )

    assert [end.kind for end in ends if isinstance(end, IssuerRefused)] == [Refusal.TIMEOUT] * 12
    assert publisher.paths == [METADATA] * 8
