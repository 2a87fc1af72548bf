"""Checks whether Logto is up, and reads its discovery document. No credentials are needed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import aiohttp

from saas_app.errors import LogtoUnavailable
from saas_app.text.translation import _


@dataclass(frozen=True, slots=True)
class Discovery:
    """Logto's discovery document. ``clock_ahead`` is by how many seconds its clock is ahead of ours."""

    issuer: str
    clock_ahead: float | None


async def is_ready(endpoint: str, http: aiohttp.ClientSession) -> bool:
    """Return whether a Logto at this endpoint is ready for requests."""
    return not await find_fault(endpoint, http)


async def find_fault(endpoint: str, http: aiohttp.ClientSession) -> str:
    """Return what is wrong with the response to the readiness probe, or "" if Logto is ready.

    Logto 1.42 responds to ``GET /api/status`` with 204.
    """
    try:
        async with http.get(f"{endpoint}/api/status", allow_redirects=False) as response:
            if response.status == 204:
                return ""
            return _(
                "responds, but not like a Logto that is ready (status %(status)s at /api/status)",
                status=str(response.status),
            )
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return _("does not respond")


async def discover(endpoint: str, http: aiohttp.ClientSession) -> Discovery:
    """Read the discovery document. Raises :class:`LogtoUnavailable` if there is none."""
    url = f"{endpoint}/oidc/.well-known/openid-configuration"
    try:
        async with http.get(url) as response:
            document = await response.json()
            issuer = str(document["issuer"])
    except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError):
        raise LogtoUnavailable(_("%(url)s returned no discovery document.", url=url)) from None
    return Discovery(issuer, _clock_ahead(response.headers.get("Date")))


def _clock_ahead(date: str | None) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp() - time.time() if date else None
    except ValueError:
        return None
