"""The signing keys: EC P-384. The newest signs; older ones stay published so that their tokens verify.

They are in the store, so they survive a restart, and another process may add one at any time.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from joserfc.jwk import ECKey

from local_logto.store import Store, now_ms
from local_logto.tables import signing_keys

ALGORITHM: Final = "ES384"


class Keys:
    """The keys in the store. Each is parsed once, but the list is read at each use."""

    def __init__(self) -> None:
        self._parsed: dict[str, ECKey] = {}

    def newest_first(self, connection: sa.Connection) -> list[ECKey]:
        query = sa.select(signing_keys.c.kid, signing_keys.c.private_jwk).order_by(
            signing_keys.c.created_at.desc()
        )
        rows = connection.execute(query).all()
        for row in rows:
            if row.kid not in self._parsed:
                self._parsed[row.kid] = ECKey.import_key(row.private_jwk)
        return [self._parsed[row.kid] for row in rows]

    def find(self, connection: sa.Connection, kid: str) -> ECKey | None:
        return next((key for key in self.newest_first(connection) if key.kid == kid), None)

    def signing(self, connection: sa.Connection) -> ECKey:
        return self.newest_first(connection)[0]

    def published(self, connection: sa.Connection) -> dict[str, list[dict[str, Any]]]:
        """Return the public JWK set (RFC 7517), the signing key first."""
        return {"keys": [_public(key) for key in self.newest_first(connection)]}


def open_keys(store: Store) -> Keys:
    """Return the store's keys, and create the first one if there is none."""
    keys = Keys()
    with store.begin() as connection:
        is_empty = not keys.newest_first(connection)
    if is_empty:
        rotate(store)
    return keys


def rotate(store: Store) -> str:
    """Add a key that signs from now on. Returns its ``kid`` (the RFC 7638 thumbprint)."""
    key = ECKey.generate_key("P-384", private=True)
    kid = key.thumbprint()
    private_jwk = {**key.as_dict(private=True), "kid": kid, "use": "sig", "alg": ALGORITHM}
    row = sa.insert(signing_keys).values(kid=kid, private_jwk=private_jwk, created_at=now_ms())
    with store.begin() as connection:
        connection.execute(row)
    return kid


def _public(key: ECKey) -> dict[str, Any]:
    public = key.as_dict(private=False)
    return {name: public[name] for name in ("kty", "use", "kid", "alg", "crv", "x", "y")}
