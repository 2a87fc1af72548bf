"""Is Logto there, and is it the one we think it is? What anybody may ask it, without a credential."""

from __future__ import annotations

import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import aiohttp

from saas_app.errors import LogtoUnavailable


@dataclass(frozen=True, slots=True)
class Discovery:
    """What Logto says of itself. ``clock_ahead`` is how far its clock is ahead of ours, in seconds."""

    issuer: str
    clock_ahead: float | None


async def is_ready(endpoint: str, http: aiohttp.ClientSession) -> bool:
    """Whether a Logto answers there that can be asked more."""
    return not await find_fault(endpoint, http)


async def find_fault(endpoint: str, http: aiohttp.ClientSession) -> str:
    """What is wrong with the answer to the readiness probe; "" when nothing is.

    ``GET /api/status``, Logto 1.42: 204.
    """
    try:
        async with http.get(f"{endpoint}/api/status", allow_redirects=False) as response:
            if response.status == 204:
                return ""
            return f"answers, but not as a Logto that is ready ({response.status} at /api/status)"
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return "does not answer"


async def discover(endpoint: str, http: aiohttp.ClientSession) -> Discovery:
    """Read the discovery document. Raises :class:`LogtoUnavailable` when there is none to read."""
    url = f"{endpoint}/oidc/.well-known/openid-configuration"
    try:
        async with http.get(url) as response:
            document = await response.json()
            issuer = str(document["issuer"])
    except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError):
        raise LogtoUnavailable(f"{url} holds no discovery document.") from None
    return Discovery(issuer, _clock_ahead(response.headers.get("Date")))


def _clock_ahead(date: str | None) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp() - time.time() if date else None
    except ValueError:
        return None
