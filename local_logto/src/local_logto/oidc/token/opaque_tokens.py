"""Codes, opaque access tokens and refresh tokens in the store: found by hash, consumed, expired.

The grant types and the authorization endpoint decide when one is issued and what it allows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from local_logto.crypto.opaque_values import hash_of, new_opaque_value
from local_logto.errors import invalid_grant
from local_logto.oidc.scopes import split_scope
from local_logto.oidc.session.op_sessions import holds_grant
from local_logto.oidc.tables import tokens
from local_logto.store import now_ms

CODE: Final = "AuthorizationCode"
ACCESS_TOKEN: Final = "AccessToken"  # noqa: S105 - the name of a kind
REFRESH_TOKEN: Final = "RefreshToken"  # noqa: S105 - the name of a kind


@dataclass(frozen=True, kw_only=True)
class Source:
    """What tokens are issued from. ``payload`` always has ``user_id`` and ``scope``."""

    grant_id: str
    payload: Mapping[str, Any]

    @property
    def user_id(self) -> str:
        return str(self.payload["user_id"])

    @property
    def scopes(self) -> list[str]:
        return split_scope(self.payload["scope"])

    @property
    def resources(self) -> list[str]:
        """The resource indicators of the sign-in request."""
        return list(self.payload.get("resources", ()))

    @property
    def act(self) -> Mapping[str, str] | None:
        """The claim that names who acts as the person (RFC 8693 §4.1). None if it is the person."""
        act: Mapping[str, str] | None = self.payload.get("act")
        return act


@dataclass(frozen=True, kw_only=True)
class StoredToken(Source):
    """A token in the store. Times are in epoch milliseconds."""

    value_hash: str
    kind: str
    client_id: str
    created_at: int
    expires_at: int
    consumed_at: int | None

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= now_ms()


def issue(
    connection: sa.Connection,
    kind: str,
    *,
    grant_id: str,
    client_id: str,
    payload: Mapping[str, Any],
    lifetime_ms: int,
) -> str:
    """Store a new token and return its value, of which only the hash is stored.

    Raises ``invalid_grant`` if the grant was revoked meanwhile.
    """
    value = new_opaque_value()
    moment = now_ms()
    row = sa.insert(tokens).values(
        value_hash=hash_of(value),
        kind=kind,
        grant_id=grant_id,
        client_id=client_id,
        payload=dict(payload),
        created_at=moment,
        expires_at=moment + lifetime_ms,
    )
    try:
        connection.execute(row)
    except IntegrityError:
        raise invalid_grant() from None
    return value


def find(connection: sa.Connection, value: str, *kinds: str) -> StoredToken | None:
    """Return the token of one of these kinds, even if it is expired or consumed.

    A token that ends with its browser session is gone as soon as that session is.
    """
    query = sa.select(tokens).where(tokens.c.value_hash == hash_of(value), tokens.c.kind.in_(kinds))
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    token = StoredToken(**row._mapping)
    if token.payload.get("ends_with_session") and not holds_grant(
        connection, token.payload["session_uid"], token.client_id, token.grant_id
    ):
        return None
    return token


def consume(connection: sa.Connection, token: StoredToken) -> bool:
    """Mark the token as used. Returns False if another request has done so already."""
    unused = sa.update(tokens).where(tokens.c.value_hash == token.value_hash, tokens.c.consumed_at.is_(None))
    result = connection.execute(unused.values(consumed_at=now_ms()))
    return result.rowcount == 1


def consume_again(connection: sa.Connection, token: StoredToken) -> None:
    """Mark a refresh token as used now, even if it was used before."""
    used = sa.update(tokens).where(tokens.c.value_hash == token.value_hash)
    connection.execute(used.values(consumed_at=now_ms()))
