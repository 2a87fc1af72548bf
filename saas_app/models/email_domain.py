"""An email domain that an organization claims, and how ownership was proved."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import KEY, TENANT, Base


class DomainProof(StrEnum):
    """How an organization proved that a domain belongs to it."""

    DNS = "dns"
    ADDRESS = "address"


class EmailDomain(Base):
    """A claim of a domain. It counts only while ``verified_at`` is set, and then for one organization only.

    Several organizations may claim a domain, so that nobody can block its owner. A unique index over the
    verified rows lets only one hold it, which is why the table is not confined to a tenant.
    """

    __tablename__ = "email_domains"
    __visible_rows__ = (
        f"organization_id = {TENANT} OR ({KEY} = 'domain:' || domain AND verified_at IS NOT NULL)"
    )
    __table_args__ = (
        sa.Index(
            "uq_email_domains_verified",
            "domain",
            unique=True,
            sqlite_where=sa.text("verified_at IS NOT NULL"),
            postgresql_where=sa.text("verified_at IS NOT NULL"),
        ),
    )

    organization_id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    domain: Mapped[str] = mapped_column(sa.String(128), primary_key=True)  # A-labels
    token: Mapped[str] = mapped_column(sa.String(64))  # what the TXT record must contain
    claimed_at: Mapped[datetime]
    proof: Mapped[DomainProof | None] = mapped_column(
        sa.Enum(
            DomainProof,
            native_enum=False,
            length=16,
            values_callable=lambda kind: [item.value for item in kind],
        )
    )
    proved_by: Mapped[str | None] = mapped_column(sa.String(64))  # the person who verified it
    verified_at: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]  # when a check first missed the proof; None while it is found
