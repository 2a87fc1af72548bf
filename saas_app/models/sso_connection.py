"""Single sign-on of an organization: its connection to the company's identity provider."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import KEY, NAMED_IN_KEY, TENANT, Base


class SsoFailure(StrEnum):
    """Why nobody can sign in at an identity provider until an admin of the company fixes it."""

    CREDENTIALS = "credentials"
    REQUEST = "request"
    UNREACHABLE = "unreachable"
    METADATA = "metadata"
    KEYS = "keys"
    TOKENS = "tokens"


class SsoConnection(Base):
    """An organization's connection to its identity provider, which Logto carries as ``connector_id``.

    ``issuer``, ``client_id`` and ``scopes`` are those of our client at the provider, whose secret is a
    :class:`saas_app.models.SsoSecret`. ``issuer`` is empty until the provider is entered. ``domains`` are the
    email domains whose people sign in there; one counts only while the organization holds it by DNS.
    ``tested_at`` is when an admin last signed in through the provider as it is now, ``on_at`` since when
    people do, and ``required_at`` since when everybody must, except ``recovery_id``. ``joins``: people who
    sign in become members. ``group_roles`` maps values of the claim ``group_claim`` to roles, as pairs.
    ``failing_since`` is when a sign-in first met a ``failure`` of the provider. Both are None while it works.

    Sign-ins find a connection by its connector, and a person's lists show organizations of theirs, so the
    table is not confined to a tenant.
    """

    __tablename__ = "sso_connections"
    __visible_rows__ = " OR ".join(
        (
            f"organization_id = {TENANT}",
            f"{KEY} = 'connector:' || connector_id",
            NAMED_IN_KEY.format("organization_id"),
        )
    )

    organization_id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    connector_id: Mapped[str] = mapped_column(sa.String(64), unique=True)
    name: Mapped[str] = mapped_column(sa.String(64))
    issuer: Mapped[str] = mapped_column(sa.String(512))
    client_id: Mapped[str] = mapped_column(sa.String(256))
    scopes: Mapped[str] = mapped_column(sa.String(256))
    domains: Mapped[list[str]] = mapped_column(sa.JSON)
    joins: Mapped[bool]
    group_claim: Mapped[str] = mapped_column(sa.String(64))
    group_roles: Mapped[list[Any]] = mapped_column(sa.JSON)
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(sa.String(64))
    tested_at: Mapped[datetime | None]
    tested_by: Mapped[str | None] = mapped_column(sa.String(64))
    on_at: Mapped[datetime | None]
    required_at: Mapped[datetime | None]
    recovery_id: Mapped[str | None] = mapped_column(sa.String(64))
    failing_since: Mapped[datetime | None]
    failure: Mapped[SsoFailure | None] = mapped_column(
        sa.Enum(
            SsoFailure,
            native_enum=False,
            length=16,
            values_callable=lambda kind: [item.value for item in kind],
        )
    )
