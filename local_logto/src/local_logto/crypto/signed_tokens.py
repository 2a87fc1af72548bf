"""JWTs: signing and checking them. What they say is decided where they are issued."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from joserfc import jws
from joserfc.errors import JoseError
from quart import current_app
from sqlalchemy.ext.asyncio import AsyncConnection

from local_logto.context import current_store
from local_logto.crypto.keys import ALGORITHM, Keys


async def sign(connection: AsyncConnection, claims: Mapping[str, Any], *, typ: str | None = None) -> str:
    """A compact JWS under the newest key; Logto's ID tokens carry no ``typ``."""
    key = await current_keys().signing(connection)
    header = {"alg": ALGORITHM, **({} if typ is None else {"typ": typ}), "kid": str(key.kid)}
    payload = json.dumps(claims, ensure_ascii=False, separators=(",", ":"))
    return jws.serialize_compact(header, payload, key, algorithms=[ALGORITHM])


async def verified_claims(token: str) -> dict[str, Any] | None:
    """The claims of a token signed by one of our keys, or None; times and audience are not checked."""
    try:
        kid = jws.extract_compact(token.encode()).headers().get("kid", "")
        async with current_store().begin() as connection:
            key = await current_keys().find(connection, kid)
        if key is None:
            return None
        content = jws.deserialize_compact(token, key, algorithms=[ALGORITHM])
        claims = json.loads(content.payload)
    except (JoseError, ValueError):
        return None
    return claims if isinstance(claims, dict) else None


def is_structured(token: str) -> bool:
    """Whether a token has the three parts of a JWT; it then says nothing about its signature."""
    return token.count(".") == 2


def current_keys() -> Keys:
    return cast(Keys, current_app.extensions["keys"])


def unverified_claims(token: str) -> dict[str, Any] | None:
    """What a token claims before anything about it is checked, or None when it cannot be read."""
    try:
        claims = json.loads(jws.extract_compact(token.encode()).payload)
    except (JoseError, ValueError):
        return None
    return claims if isinstance(claims, dict) else None


def unverified_header(token: str) -> dict[str, Any] | None:
    """The header of a token, or None for what is no JWS at all."""
    try:
        return dict(jws.extract_compact(token.encode()).headers())
    except (JoseError, ValueError):
        return None
