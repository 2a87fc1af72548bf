"""The test client: a request that is canceled is canceled in the application too."""

from __future__ import annotations

import asyncio

import pytest
from quart import Quart


@pytest.fixture
def ended() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
def app(ended: asyncio.Event) -> Quart:
    """An application that never answers."""
    app = Quart(__name__)

    @app.get("/")
    async def wait() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return ""

    return app


async def test_a_canceled_request_ends_in_the_application(app: Quart, ended: asyncio.Event) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(app.test_client().get("/"), 0.05)
    assert ended.is_set()
