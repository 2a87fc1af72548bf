"""What Citus knows about a database: its nodes, and how tables are distributed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from saas_app.errors import ConfigurationError
from saas_app.operations.database.placements import Placement
from saas_app.text.translation import Sentence, _

_HAS_CITUS: Final = sa.text("SELECT count(*) > 0 FROM pg_extension WHERE extname = 'citus'")
_IS_COORDINATOR: Final = sa.text("SELECT citus_is_coordinator()")
_NODES: Final = sa.text(
    "SELECT nodename, nodeport, groupid, isactive AND shouldhaveshards AS has_shards FROM pg_dist_node "
    "WHERE noderole = 'primary' ORDER BY groupid"
)
_PLACED: Final = sa.text(
    "SELECT class.relname, placed.partmethod FROM pg_dist_partition placed "
    "JOIN pg_class class ON class.oid = placed.logicalrelid "
    "WHERE class.relnamespace = current_schema()::regnamespace AND NOT placed.autoconverted"
)
_METHODS: Final = {"h": Placement.BY_ORGANIZATION, "n": Placement.EVERYWHERE}
_HOW: Final = _("docs/scaling.md says how to set Citus up.")


@dataclass(frozen=True, slots=True)
class Node:
    """A server of the cluster. ``has_shards``: rows of tenants are, or can be, on it."""

    host: str
    port: int
    is_coordinator: bool
    has_shards: bool

    def __str__(self) -> str:
        """Return the address, as ``--node`` takes it."""
        return f"{self.host}:{self.port}"


def has_citus(connection: sa.Connection) -> bool:
    """Return whether the database has the extension. Always false on SQLite."""
    return connection.dialect.name == "postgresql" and bool(connection.scalar(_HAS_CITUS))


def find_placements(connection: sa.Connection) -> dict[str, Placement]:
    """Return where tables were placed, by name. Tables on the coordinator are left out."""
    if not has_citus(connection):
        return {}
    return {name: _METHODS[_letter(method)] for name, method in connection.execute(_PLACED)}


def is_distributed(connection: sa.Connection) -> bool:
    """Return whether tables of this database are distributed."""
    return Placement.BY_ORGANIZATION in find_placements(connection).values()


def require_cluster(connection: sa.Connection) -> list[Node]:
    """Return the nodes that can have shards. Raises :class:`ConfigurationError` if Citus is not set up."""
    if not has_citus(connection):
        raise ConfigurationError(_("This database does not have the extension citus. %(how)s", how=_HOW))
    if not connection.scalar(_IS_COORDINATOR):
        raise ConfigurationError(_("This server is a worker of the Citus cluster. Name the coordinator."))
    nodes = list_nodes(connection)
    if not any(node.is_coordinator for node in nodes):
        raise ConfigurationError(
            _("The coordinator has no address: run citus_set_coordinator_host. %(how)s", how=_HOW)
        )
    workers = [node for node in nodes if node.has_shards and not node.is_coordinator]
    if not workers:
        raise ConfigurationError(_("The Citus cluster has no worker: run citus_add_node. %(how)s", how=_HOW))
    return workers


def list_nodes(connection: sa.Connection) -> list[Node]:
    """Return the primary nodes, the coordinator first."""
    rows = connection.execute(_NODES)
    return [Node(row.nodename, row.nodeport, row.groupid == 0, row.has_shards) for row in rows]


@contextmanager
def explained(what: Sentence) -> Iterator[None]:
    """Convert a failure of the cluster to :class:`ConfigurationError` with the server's first line."""
    try:
        yield
    except DBAPIError as failure:
        cause = str(failure.orig).strip().splitlines()[0].partition(">: ")
        raise ConfigurationError(
            _("%(what)s: %(cause)s. Nothing of this step was done.", what=what, cause=cause[2] or cause[0])
        ) from None


def _letter(method: str | bytes) -> str:
    """Return a value of the type "char", which the driver returns as bytes."""
    return method.decode() if isinstance(method, bytes) else method
