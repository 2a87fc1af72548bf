"""The tenant's configured connectors. The Management API creates, changes and deletes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from local_logto.connectors.factories import FACTORIES, ConnectorType, Factory
from local_logto.store import Store, metadata

connectors = sa.Table(
    "connectors",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("connector_id", sa.String, nullable=False),  # the factory's id, such as "mailgun-email"
    sa.Column("type", sa.String, nullable=False),  # "Email", "Sms" or "Social"
    # The name of a social connector in identities and sign-in settings
    sa.Column("target", sa.String, nullable=False),
    sa.Column("config", sa.JSON, nullable=False, server_default="{}"),
    sa.Column("metadata", sa.JSON, nullable=False, server_default="{}"),
    sa.Column("sync_profile", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("enable_token_storage", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)


@dataclass(frozen=True)
class Connector:
    """One configured connector. ``connector_id`` names its factory, ``target`` is its name in identities."""

    id: str
    connector_id: str
    type: ConnectorType
    target: str
    config: Mapping[str, object]
    metadata: Mapping[str, object]
    sync_profile: bool
    enable_token_storage: bool

    @property
    def factory(self) -> Factory:
        """The kind of connector."""
        return FACTORIES[self.connector_id]

    @property
    def name(self) -> str:
        """The display name in English, such as "Naver"."""
        own = self.metadata.get("name")
        names = own if isinstance(own, Mapping) else self.factory.name
        return str(names["en"])


def find_connector(
    store: Store,
    *,
    type: ConnectorType | None = None,  # noqa: A002 - its name on the wire
    target: str | None = None,
) -> Connector | None:
    """Return the connector of this type or target, or None. At most one is of type Email, and one of type
    Sms.
    """
    found = list_connectors(store)
    fitting = (one for one in found if type in (None, one.type) and target in (None, one.target))
    return next(fitting, None)


def find_connector_by_id(store: Store, connector_id: str) -> Connector | None:
    """Return the connector with this ID (not its factory's), or None."""
    return next((one for one in list_connectors(store) if one.id == connector_id), None)


def list_connectors(store: Store) -> list[Connector]:
    """Return all connectors, ordered by ID."""
    columns = [connectors.c[name] for name in Connector.__dataclass_fields__]
    query = sa.select(*columns).order_by(connectors.c.id)
    with store.begin() as connection:
        return [Connector(*row) for row in connection.execute(query)]
