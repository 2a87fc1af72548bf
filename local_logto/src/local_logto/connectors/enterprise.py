"""Enterprise connectors: the identity providers of customers, by the domains of their email addresses.

The Management API creates, changes and deletes them. Accounts refer to them by their identities there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from local_logto.connectors.openid import OpenIdProvider, find_provider
from local_logto.store import Store, json_column, metadata, reference

sso_connectors = sa.Table(
    "sso_connectors",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("provider_name", sa.String, nullable=False),  # the kind of provider: "OIDC"
    sa.Column("connector_name", sa.String, nullable=False, unique=True),
    json_column("config"),
    json_column("domains", "[]"),
    json_column("branding"),
    sa.Column("sync_profile", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("enable_token_storage", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

user_sso_identities = sa.Table(
    "user_sso_identities",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    reference("user_id", "users.id"),
    sa.Column("issuer", sa.String, nullable=False),
    sa.Column("identity_id", sa.String, nullable=False),  # the ``sub`` at the issuer
    json_column("detail"),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    reference("sso_connector_id", "sso_connectors.id"),
    sa.UniqueConstraint("issuer", "identity_id"),
    sa.Index("user_sso_identities_by_user", "user_id"),
)


@dataclass(frozen=True)
class SsoConnector:
    """One enterprise connector, as its row stores it."""

    id: str
    provider_name: str
    connector_name: str
    config: Mapping[str, Any]
    domains: Sequence[str]
    branding: Mapping[str, Any]
    sync_profile: bool
    enable_token_storage: bool
    created_at: int

    @property
    def provider(self) -> OpenIdProvider | None:
        """The customer's provider, or None while its configuration is incomplete."""
        return find_provider(self.config)

    @property
    def is_available(self) -> bool:
        """Whether people can be sent to the provider: it is configured, and has a domain."""
        return self.provider is not None and bool(self.domains)

    @property
    def display_name(self) -> str:
        """The name for the people who sign in. The connector's own name is the administrators' business."""
        host = urlsplit(str(self.config.get("issuer", ""))).netloc
        return str(self.branding.get("displayName") or host or self.provider_name)


def list_sso_connectors(store: Store) -> list[SsoConnector]:
    """Return all enterprise connectors, oldest first."""
    columns = [sso_connectors.c[name] for name in SsoConnector.__dataclass_fields__]
    query = sa.select(*columns).order_by(sso_connectors.c.created_at, sso_connectors.c.id)
    with store.begin() as connection:
        return [SsoConnector(*row) for row in connection.execute(query)]


def find_sso_connector(store: Store, connector_id: str) -> SsoConnector | None:
    return next((one for one in list_sso_connectors(store) if one.id == connector_id), None)


def list_sso_identities(connection: sa.Connection, user_id: str) -> Sequence[sa.RowMapping]:
    """Return the account's identities at enterprise providers, oldest first."""
    identities = user_sso_identities
    query = sa.select(identities).where(identities.c.user_id == user_id)
    ordered = query.order_by(identities.c.created_at, identities.c.id)
    return connection.execute(ordered).mappings().all()


def list_sso_connectors_of(store: Store, email: str) -> list[SsoConnector]:
    """Return the connectors for the address's domain: exactly this domain, ignoring case."""
    domain = email.partition("@")[2].lower()
    return [
        one
        for one in list_sso_connectors(store)
        if domain and one.is_available and domain in map(str.lower, one.domains)
    ]
