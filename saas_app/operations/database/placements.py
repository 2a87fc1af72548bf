"""Where each table is kept when the database is distributed with Citus. Pure.

A tenant's statements go to one node, because a tenant's rows are there together. What every request reads
before it knows its tenant is on the coordinator, or on every node. Decision 20 has the measurements.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import sqlalchemy as sa

import saas_app.models  # noqa: F401 - registers every table
from saas_app.db.base import Base, is_tenant_owned
from saas_app.errors import ConfigurationError
from saas_app.text.translation import Sentence, _


class Placement(StrEnum):
    """Where the rows of a table are."""

    BY_ORGANIZATION = _("distributed by organization_id")
    EVERYWHERE = _("copied to every node")
    COORDINATOR = _("kept on the coordinator")

    @property
    def label(self) -> Sentence:
        """The value, in the reader's language."""
        return Sentence(self.value)


_EVERYWHERE: Final = frozenset(
    {
        "domain_joins",
        "email_domains",  # a unique index over all organizations
        "former_memberships",
        "membership_changes",
        "notifications",  # looked for with the session of every request
        "organization_removals",
        "organization_options",
        "organizations",
        "pending_changes",  # tenant-owned, and read with the session of every request
        "role_ends",  # read with the session of every request
        "sso_connections",  # read with the session of every request
        "support_accesses",
        "users",
    }
)
_COORDINATOR: Final = frozenset(
    {
        "erasures",
        "kept_forms",
        "lab_class_members",
        "lab_classes",
        "lab_grounds",
        "lab_players",
        "lab_runs",
        "leases",
        "rate_counters",
        "session_tokens",
        "sessions",
        "shown_secrets",
        "sign_in_attempts",
        "webhook_deliveries",
    }
)


def placement_of(table: sa.Table) -> Placement:
    """Return where a table is kept. Raises :class:`ConfigurationError` if nobody has decided it."""
    if table.name in _EVERYWHERE:
        return Placement.EVERYWHERE
    if table.name in _COORDINATOR:
        return Placement.COORDINATOR
    if is_tenant_owned(table):
        return Placement.BY_ORGANIZATION
    raise ConfigurationError(
        _(
            "The table %(name)s belongs to no tenant, and nothing says where it is kept. Add it "
            "to saas_app/operations/database/placements.py.",
            name=table.name,
        )
    )


def tables_in_order() -> list[tuple[sa.Table, Placement]]:
    """Return all tables, in the order in which they can be placed: first those that are copied everywhere."""
    placed = [(table, placement_of(table)) for table in Base.metadata.sorted_tables]
    return sorted(placed, key=lambda one: one[1] is not Placement.EVERYWHERE)
