"""Distributes the tables of a database with Citus, one transaction for each table.

It can be run again: what was done is found and left as it is, and an interrupted run is continued.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import sqlalchemy as sa

from saas_app.db import row_security
from saas_app.db.base import visible_rows
from saas_app.errors import ConfigurationError
from saas_app.operations.database.citus import explained, find_placements, require_cluster
from saas_app.operations.database.placements import Placement, tables_in_order
from saas_app.operations.database.steps import Step
from saas_app.operations.migrate import find_state
from saas_app.text.translation import Sentence, _, ngettext

MIGRATION_LOCK: Final = 7_262_001
"""The advisory lock of migrations and distribution: one process at a time changes the schema."""

SETTINGS: Final = (
    "SET LOCAL lock_timeout = '10s'",
    # Without it, a transaction that creates a table and distributes it is refused.
    "SET LOCAL citus.multi_shard_modify_mode = 'sequential'",
    # Our triggers write rows of the same organization, which are on the same node.
    "SET LOCAL citus.enable_unsafe_triggers = on",
    "SET LOCAL client_min_messages = warning",
)
_DATABASE_SETTING: Final = "citus.propagate_set_commands"
_HAS_SETTING: Final = sa.text(
    "SELECT count(*) > 0 FROM pg_db_role_setting setting JOIN pg_database ON oid = setdatabase "
    "WHERE datname = current_database() AND setrole = 0 AND setconfig @> ARRAY[:setting]"
)
_NOT_OURS: Final = sa.text(
    "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace "
    "AND relname = ANY (:names) AND NOT pg_has_role(relowner, 'USAGE') ORDER BY relname"
)
_HAS_LEFTOVERS: Final = sa.text("SELECT pg_relation_size(CAST(:name AS regclass)) > 0")


def distribute(engine: sa.Engine) -> Iterator[Step]:
    """Distribute what is not distributed, and yield each step.

    Raises :class:`ConfigurationError` if Citus is not set up, if migrations are pending, and for a role that
    does not own the tables.
    """
    with engine.begin() as connection:
        workers = require_cluster(connection)
        if not find_state(connection).is_newest:
            raise ConfigurationError(_("Migrations are pending. Run 'saas-app migrate' first."))
        _require_owner(connection)
        yield Step(
            ngettext(
                "%(num)s worker: %(workers)s",
                "%(num)s workers: %(workers)s",
                len(workers),
                workers=", ".join(map(str, workers)),
            ),
            False,
        )
        yield _set_database(connection)
    for table, placement in tables_in_order():
        with explained(_("%(name)s cannot be placed", name=table.name)), engine.begin() as connection:
            prepare(connection)
            is_done = _place(connection, table, placement, find_placements(connection))
        yield Step(Sentence.joined((table.name, placement.label), ": "), is_done)
    for table, placement in tables_in_order():
        with (
            explained(_("old rows of %(name)s cannot be removed", name=table.name)),
            engine.begin() as connection,
        ):
            if placement is not Placement.COORDINATOR and _drop_leftovers(connection, table.name):
                yield Step(_("%(name)s: rows that the nodes have now, removed here", name=table.name), True)


def place_new_tables(connection: sa.Connection) -> None:
    """Place tables that a migration created, in its transaction. Does nothing if nothing is distributed."""
    placements = find_placements(connection)
    if Placement.BY_ORGANIZATION not in placements.values():
        return
    existing = set(sa.inspect(connection).get_table_names())
    for table, placement in tables_in_order():
        if table.name in existing:
            _place(connection, table, placement, placements)


def prepare(connection: sa.Connection) -> None:
    """Make the settings of a transaction that changes the schema, and wait for its turn."""
    for setting in SETTINGS:
        connection.exec_driver_sql(setting)
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")


def _require_owner(connection: sa.Connection) -> None:
    names = [table.name for table, _placement in tables_in_order()]
    for name in connection.execute(_NOT_OURS, {"names": names}).scalars():
        raise ConfigurationError(
            _("This role does not own %(name)s. Run the command as the owner of the tables.", name=name)
        )


def _set_database(connection: sa.Connection) -> Step:
    """Let SET LOCAL reach the nodes, so that they know the tenant of a transaction too."""
    is_set = bool(connection.scalar(_HAS_SETTING, {"setting": f"{_DATABASE_SETTING}=local"}))
    if not is_set:
        name = connection.dialect.identifier_preparer.quote(connection.engine.url.database or "")
        statement = f"ALTER DATABASE {name} SET {_DATABASE_SETTING} = 'local'"
        with explained(_("A superuser must run %(statement)s first", statement=statement)):
            connection.exec_driver_sql(statement)
    return Step(_("the tenant of a transaction: sent to the nodes"), not is_set)


def _place(
    connection: sa.Connection, table: sa.Table, placement: Placement, placed: dict[str, Placement]
) -> bool:
    """Place a table unless it is placed. Raises :class:`ConfigurationError` if it is placed elsewhere."""
    current = placed.get(table.name, Placement.COORDINATOR)
    if current is placement:
        return False
    if current is not Placement.COORDINATOR:
        raise ConfigurationError(
            _(
                "%(name)s is %(current)s, and must be %(placement)s. Run SELECT "
                "undistribute_table('%(name)s') first.",
                name=table.name,
                current=current.label,
                placement=placement.label,
            )
        )
    if placement is Placement.EVERYWHERE:
        _copy(connection, table)
    else:
        _distribute(connection, table.name, placed)
    placed[table.name] = placement
    return True


def _copy(connection: sa.Connection, table: sa.Table) -> None:
    """Copy a table to every node. Policies with subqueries are refused there, so others replace them."""
    is_replaced = visible_rows(table) != visible_rows(table, is_copied=True)
    if is_replaced:
        row_security.drop_policies(connection, table)
    connection.exec_driver_sql(f"SELECT create_reference_table('{table.name}')")
    if is_replaced:
        row_security.apply_to(connection, table)


def _distribute(connection: sa.Connection, name: str, placed: dict[str, Placement]) -> None:
    """Distribute a table so that an organization's rows are on the same node as those of other tables.

    Triggers rest while rows are copied: what they would write has been written.
    """
    others = [other for other, placement in placed.items() if placement is Placement.BY_ORGANIZATION]
    beside = others[0] if others else "none"
    run = connection.exec_driver_sql
    run(f"ALTER TABLE {name} DISABLE TRIGGER USER")
    run(f"SELECT create_distributed_table('{name}', 'organization_id', colocate_with => '{beside}')")
    run(f"ALTER TABLE {name} ENABLE TRIGGER USER")


def _drop_leftovers(connection: sa.Connection, name: str) -> bool:
    """Remove the rows that a table has left behind when it was placed, where no statement reads them.

    Triggers of append-only tables refuse that, so the coordinator does without them for a moment. The nodes,
    which have the rows, keep theirs.
    """
    prepare(connection)
    if not connection.scalar(_HAS_LEFTOVERS, {"name": name}):
        return False
    run = connection.exec_driver_sql
    run("SET LOCAL citus.enable_ddl_propagation = off")
    run(f"ALTER TABLE {name} DISABLE TRIGGER USER")
    run(f"SELECT truncate_local_data_after_distributing_table('{name}')")
    run(f"ALTER TABLE {name} ENABLE TRIGGER USER")
    return True
