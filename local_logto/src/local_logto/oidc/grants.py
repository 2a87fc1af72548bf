"""Grants: what a person consented to for an application. Scopes of API resources are fixed at consent.

Every opaque token belongs to a grant and is deleted with it. ``token`` decides what tokens contain.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from local_logto.crypto.opaque_values import new_opaque_value
from local_logto.oidc.scopes import split_scope
from local_logto.oidc.tables import grants, op_sessions
from local_logto.store import now_ms

GRANT_LIFETIME_MS: Final = 180 * 24 * 3600 * 1000


@dataclass(frozen=True)
class Grant:
    """A person's consent for one application.

    ``oidc_scopes`` and, by resource indicator, ``resource_scopes`` are in the order of consent. Times are in
    epoch milliseconds.
    """

    id: str
    user_id: str
    client_id: str
    oidc_scopes: tuple[str, ...]
    resource_scopes: Mapping[str, tuple[str, ...]]
    created_at: int
    expires_at: int

    def granted_oidc(self, wanted: Collection[str]) -> list[str]:
        return [scope for scope in self.oidc_scopes if scope in wanted]

    def granted_on(self, indicator: str, wanted: Collection[str]) -> list[str]:
        return [scope for scope in self.resource_scopes.get(indicator, ()) if scope in wanted]

    def with_scopes(self, oidc: Collection[str], resources: Mapping[str, Collection[str]]) -> Grant:
        """Return the grant with these scopes added. Scopes are never removed."""
        extended = dict(self.resource_scopes)
        for indicator, scopes in resources.items():
            extended[indicator] = tuple(dict.fromkeys((*extended.get(indicator, ()), *scopes)))
        return Grant(
            id=self.id,
            user_id=self.user_id,
            client_id=self.client_id,
            oidc_scopes=tuple(dict.fromkeys((*self.oidc_scopes, *oidc))),
            resource_scopes=extended,
            created_at=self.created_at,
            expires_at=self.expires_at,
        )


def new_grant(user_id: str, client_id: str) -> Grant:
    """Return an empty grant that expires in 180 days. ``save_grant`` stores it."""
    moment = now_ms()
    return Grant(new_opaque_value(), user_id, client_id, (), {}, moment, moment + GRANT_LIFETIME_MS)


def find_grant(connection: sa.Connection, grant_id: str | None) -> Grant | None:
    """Return the grant, or None if it is unknown, revoked or expired."""
    if grant_id is None:
        return None
    query = sa.select(grants).where(grants.c.id == grant_id, grants.c.expires_at > now_ms())
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return Grant(
        id=row.id,
        user_id=row.user_id,
        client_id=row.client_id,
        oidc_scopes=tuple(split_scope(row.oidc_scope)),
        resource_scopes={key: tuple(scopes) for key, scopes in row.resource_scopes.items()},
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


def save_grant(connection: sa.Connection, grant: Grant) -> None:
    scopes = {
        "oidc_scope": " ".join(grant.oidc_scopes),
        "resource_scopes": {key: list(names) for key, names in grant.resource_scopes.items()},
    }
    row = insert(grants).values(
        id=grant.id,
        user_id=grant.user_id,
        client_id=grant.client_id,
        created_at=grant.created_at,
        expires_at=grant.expires_at,
        **scopes,
    )
    connection.execute(row.on_conflict_do_update(index_elements=["id"], set_=scopes))


def revoke_grant(connection: sa.Connection, grant_id: str) -> None:
    """Delete the grant, and with it every code and token issued from it."""
    connection.execute(sa.delete(grants).where(grants.c.id == grant_id))


def revoke_everything_of(connection: sa.Connection, user_id: str) -> None:
    """Delete every grant and browser session of a person, as suspending them does."""
    connection.execute(sa.delete(grants).where(grants.c.user_id == user_id))
    connection.execute(sa.delete(op_sessions).where(op_sessions.c.user_id == user_id))
