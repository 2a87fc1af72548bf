"""The public keys of the issuer, fetched once and again when a token names an unknown one."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import jwt

_PAUSE = 10.0  # seconds between two fetches: a token can name any key
_MAX_ANSWER = 100_000  # bytes


class SigningKeys:
    """The key set of one issuer. ``http`` is set while the service runs."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = float("-inf")
        self._lock = asyncio.Lock()
        self.http: aiohttp.ClientSession | None = None

    async def get(self, key_id: str) -> jwt.PyJWK:
        """Return a key. Raises :class:`jwt.InvalidTokenError` if the issuer has no such key."""
        async with self._lock:
            if key_id not in self._keys and time.monotonic() - self._fetched_at > _PAUSE:
                await self._fetch()
        if key_id not in self._keys:
            raise jwt.InvalidTokenError("Signed with an unknown key")
        return self._keys[key_id]

    async def _fetch(self) -> None:
        document = await self._read(f"{self._issuer}/.well-known/openid-configuration")
        found = (await self._read(str(document["jwks_uri"])))["keys"]
        self._keys = {entry["kid"]: jwt.PyJWK(entry) for entry in found}
        self._fetched_at = time.monotonic()

    async def _read(self, url: str) -> dict[str, Any]:
        if self.http is None:
            raise RuntimeError("the service is not running")
        async with self.http.get(url) as response:
            response.raise_for_status()
            if (response.content_length or 0) > _MAX_ANSWER:
                raise aiohttp.ClientPayloadError(f"{url} is too large")
            document: dict[str, Any] = await response.json()
            return document
