"""A server with bounds of the test's choice, and a client connected to it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from saas_app.http_server import Bounds
from tests.unit.http_server.server import Client, Site, running_site


@pytest.fixture
def bounds() -> Bounds:
    """The product's own bounds, unless the test chooses others with ``with_bounds``."""
    return Bounds()


@pytest.fixture
async def site(bounds: Bounds) -> AsyncIterator[Site]:
    """The running server."""
    async with running_site(bounds) as running:
        yield running


@pytest.fixture
async def client(site: Site) -> Client:
    """A connection to the server."""
    return await site.connect()
