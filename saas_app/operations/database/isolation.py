"""Moves one large organization to a shard of its own, and that shard to a node of its own.

Requests are answered meanwhile: Citus copies the rows by logical replication, and blocks writes for a moment
at the end. An interrupted run can be repeated; Citus removes what it left.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import sqlalchemy as sa

from saas_app.errors import ConfigurationError, NotFound
from saas_app.models import AuditEvent, Organization
from saas_app.operations.database.citus import (
    Node,
    explained,
    is_distributed,
    list_nodes,
    require_cluster,
)
from saas_app.operations.database.steps import Step
from saas_app.text.translation import _

_TABLE: Final = AuditEvent.__tablename__  # any distributed table: the others go with it
_SHARD: Final = sa.text(
    "SELECT shardid AS id, shardminvalue = shardmaxvalue AS is_own FROM pg_dist_shard WHERE shardid = "
    "get_shard_id_for_distribution_column(CAST(:name AS regclass), CAST(:organization_id AS text))"
)
_NODE_OF_SHARD: Final = sa.text(
    "SELECT nodename, nodeport FROM pg_dist_shard_placement WHERE shardid = :shard_id"
)
_ISOLATE: Final = sa.text(
    "SELECT isolate_tenant_to_new_shard(CAST(:name AS regclass), CAST(:organization_id AS text), 'CASCADE')"
)
_MOVE: Final = sa.text(
    "SELECT citus_move_shard_placement(:shard_id, :host, :port, :new_host, :new_port, 'auto')"
)


def isolate(engine: sa.Engine, organization_id: str, node: str | None) -> Iterator[Step]:
    """Isolate an organization, and yield each step. ``node`` is ``host:port``, or None for the current one.

    Raises :class:`ConfigurationError` if the database is not distributed or has no such node, and
    :class:`NotFound` for an unknown organization.
    """
    alone = engine.execution_options(isolation_level="AUTOCOMMIT")  # Citus commits each part of its work
    with alone.connect() as connection:
        require_cluster(connection)
        if not is_distributed(connection):
            raise ConfigurationError(_("Nothing is distributed. Run 'saas-app database distribute' first."))
        target = _find_node(connection, node) if node else None
        _require_organization(connection, organization_id)
        with explained(_("%(organization_id)s cannot be isolated", organization_id=organization_id)):
            yield _give_shard(connection, organization_id)
        with explained(_("%(organization_id)s cannot be moved", organization_id=organization_id)):
            yield _move(connection, organization_id, target)


def _find_node(connection: sa.Connection, address: str) -> Node:
    nodes = [node for node in list_nodes(connection) if not node.is_coordinator]
    for node in nodes:
        if str(node) == address:
            return node
    raise ConfigurationError(
        _(
            "%(address)s is no worker of the cluster. Workers: %(nodes)s. Add a new one with citus_add_node.",
            address=address,
            nodes=", ".join(map(str, nodes)),
        )
    )


def _require_organization(connection: sa.Connection, organization_id: str) -> None:
    known = sa.select(Organization.id).where(Organization.id == organization_id)
    if connection.scalar(known) is None:
        raise NotFound(
            _(
                "There is no organization %(organization_id)s in this database.",
                organization_id=organization_id,
            )
        )


def _give_shard(connection: sa.Connection, organization_id: str) -> Step:
    is_done = not _find_shard(connection, organization_id).is_own
    if is_done:
        connection.execute(_ISOLATE, _of(organization_id))
    shard = _find_shard(connection, organization_id)
    return Step(
        _(
            "%(organization_id)s: a shard of its own (%(id)s of %(table)s)",
            organization_id=organization_id,
            id=str(shard.id),
            table=_TABLE,
        ),
        is_done,
    )


def _move(connection: sa.Connection, organization_id: str, target: Node | None) -> Step:
    shard = _find_shard(connection, organization_id)
    host, port = connection.execute(_NODE_OF_SHARD, {"shard_id": shard.id}).one()
    if target is None or (host, port) == (target.host, target.port):
        return Step(
            _(
                "%(organization_id)s: on %(host)s:%(port)s",
                organization_id=organization_id,
                host=host,
                port=str(port),
            ),
            False,
        )
    connection.execute(
        _MOVE,
        {
            "shard_id": shard.id,
            "host": host,
            "port": port,
            "new_host": target.host,
            "new_port": target.port,
        },
    )
    return Step(
        _(
            "%(organization_id)s: moved from %(host)s:%(port)s to %(target)s",
            organization_id=organization_id,
            host=host,
            port=str(port),
            target=target,
        ),
        True,
    )


def _of(organization_id: str) -> dict[str, str]:
    return {"name": _TABLE, "organization_id": organization_id}


def _find_shard(connection: sa.Connection, organization_id: str) -> sa.Row[Any]:
    return connection.execute(_SHARD, _of(organization_id)).one()
