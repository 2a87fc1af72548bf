"""One request to the practice service, with everything that a variant of its code may use."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt

from saas_app.lab.broken.signing_keys import SigningKeys

Row = dict[str, Any]


class Refused(Exception):
    """The request is refused with this status. The text is shown to the learner."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a verified access token speaks for, in which organization, with which permissions."""

    subject: str
    organization_id: str
    permissions: frozenset[str]

    def may(self, permission: str) -> bool:
        """Return whether the token carries a permission."""
        return permission in self.permissions

    def require(self, permission: str) -> None:
        """Raise :class:`Refused` unless the token carries a permission."""
        if not self.may(permission):
            raise Refused(403, f"The token does not carry {permission}.")


class Cache:
    """Answers that are kept in memory for a while."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, Row]] = {}

    def get(self, key: str) -> Row | None:
        """Return what is kept under a key, or None if nothing is, or not any more."""
        until, answer = self._kept.get(key, (0.0, {}))
        return {**answer, "from_cache": True} if time.monotonic() < until else None

    def keep(self, key: str, answer: Row, *, seconds: float) -> Row:
        """Keep an answer under a key, and return it."""
        self._kept[key] = (time.monotonic() + seconds, answer)
        return {**answer, "from_cache": False}


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whose tokens the service trusts, and which audience it has: the API resource."""

    url: str
    resource: str
    keys: SigningKeys


@dataclass(frozen=True, slots=True)
class Call:
    """A request of a learner. ``id`` is the last part of its path, if the path names one object.

    Header names are in title case: ``X-Role``.
    """

    issuer: Issuer
    database: Path
    cache: Cache
    bearer: str
    id: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Mapping[str, Any]

    async def verify(self) -> Caller:
        """Return the caller, from a genuine access token of an organization for this API (RFC 9068).

        Raises :class:`jwt.InvalidTokenError`, which is answered with 401.
        """
        claims = jwt.decode(
            self.bearer,
            await self.signing_key(),
            algorithms=["ES384", "RS256"],
            issuer=self.issuer.url,
            audience=self.issuer.resource,
            options={"require": ["exp", "sub", "organization_id"]},
        )
        scope = str(claims.get("scope", ""))
        return Caller(claims["sub"], str(claims["organization_id"]), frozenset(scope.split()))

    async def signing_key(self) -> jwt.PyJWK:
        """Return the issuer's key that signed the token, if its header is that of an access token."""
        header = jwt.get_unverified_header(self.bearer)
        if str(header.get("typ", "")).lower() != "at+jwt":
            raise jwt.InvalidTokenError("Not an access token")
        return await self.issuer.keys.get(str(header.get("kid", "")))

    async def rows(self, statement: str, *values: object) -> list[Row]:
        """Run a SELECT in this workspace's database."""
        return await asyncio.to_thread(self._read, statement, values)

    async def row(self, statement: str, *values: object) -> Row:
        """Run a SELECT for one row. Raises :class:`Refused` with 404 if there is none."""
        found = await self.rows(statement, *values)
        if not found:
            raise Refused(404, "Not found.")
        return found[0]

    def _read(self, statement: str, values: tuple[object, ...]) -> list[Row]:
        try:
            with closing(sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True)) as connection:
                connection.row_factory = sqlite3.Row
                return [dict(row) for row in connection.execute(statement, values)]
        except (sqlite3.Error, UnicodeError):
            raise Refused(400, "The database refuses these values.") from None
