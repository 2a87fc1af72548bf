"""Applications with limits, and callers who use up the limits."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable

from quart import Quart
from quart.wrappers import Response

LONG = 3_600  # seconds: no window ends while a test runs
MakeApp = Callable[..., Awaitable[Quart]]


def fresh_address() -> str:
    """Return an address that has no counters yet, also not in Redis."""
    return f"2001:db8:{uuid.uuid4().hex[:4]}:{uuid.uuid4().hex[:4]}::1"


def robot() -> dict[str, str]:
    """Return the claims of a new API client."""
    client = f"robot-{uuid.uuid4().hex}"
    return {"sub": client, "client_id": client}


def person(client: str = "") -> dict[str, str]:
    """Return the claims of a new person who uses a client."""
    return {"sub": f"person-{uuid.uuid4().hex}", "client_id": client or f"client-{uuid.uuid4().hex}"}


async def get(
    app: Quart, token: str, path: str = "/me", *, address: str = "192.0.2.1", **headers: str
) -> Response:
    """GET from the API with a token, from an address."""
    response = await app.test_client().get(
        f"/api/v1{path}",
        headers={"Authorization": f"Bearer {token}", **headers},
        scope_base={"client": (address, 50_000)},
    )
    assert isinstance(response, Response)
    return response


async def statuses(*requests: Awaitable[Response]) -> Counter[int]:
    """Send requests at once and count the answers by status."""
    return Counter(response.status_code for response in await asyncio.gather(*requests))


async def limit_that_ended(response: Response) -> str:
    """Return the limit that a 429 names: client, user, organization or address."""
    assert response.status_code == 429
    return str((await response.get_json())["detail"]).split()[4]
