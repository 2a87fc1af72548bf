"""JWTs: signing and verifying. Their claims are decided where they are issued."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

import sqlalchemy as sa
from joserfc import jws
from joserfc.errors import JoseError
from quart import current_app

from local_logto.crypto.keys import ALGORITHM, Keys


def sign(connection: sa.Connection, claims: Mapping[str, Any], *, typ: str | None = None) -> str:
    """Return a compact JWS, signed with the newest key. Without ``typ`` the header has none, as in Logto's ID
    tokens.
    """
    key = current_keys().signing(connection)
    header = {"alg": ALGORITHM, **({} if typ is None else {"typ": typ}), "kid": str(key.kid)}
    payload = json.dumps(claims, ensure_ascii=False, separators=(",", ":"))
    return jws.serialize_compact(header, payload, key, algorithms=[ALGORITHM])


def verified_claims(connection: sa.Connection, token: str) -> dict[str, Any] | None:
    """Return the claims of a token that we signed, or None. Expiry and audience are not checked."""
    try:
        kid = jws.extract_compact(token.encode()).headers().get("kid", "")
        key = current_keys().find(connection, kid)
        if key is None:
            return None
        content = jws.deserialize_compact(token, key, algorithms=[ALGORITHM])
        claims = json.loads(content.payload)
    except (JoseError, ValueError):
        return None
    return claims if isinstance(claims, dict) else None


def is_structured(token: str) -> bool:
    """Return whether a token has the three parts of a JWT. Its signature is not checked."""
    return token.count(".") == 2


def current_keys() -> Keys:
    return cast(Keys, current_app.extensions["keys"])


def unverified_claims(token: str) -> dict[str, Any] | None:
    """Return a token's claims without any check, or None if it can't be read."""
    try:
        claims = json.loads(jws.extract_compact(token.encode()).payload)
    except (JoseError, ValueError):
        return None
    return claims if isinstance(claims, dict) else None


def unverified_header(token: str) -> dict[str, Any] | None:
    """Return the header of a token, or None if it is not a JWS."""
    try:
        return dict(jws.extract_compact(token.encode()).headers())
    except (JoseError, ValueError):
        return None
