"""Row-level security on PostgreSQL: what each table declares, and how a database is made to agree.

A mapped class says in ``__visible_rows__`` which rows a transaction may see and write: a condition of SQL on
the row and the settings that :mod:`saas_app.db.transactions` makes. The owner of the tables is not affected,
so that migrations can change all rows.

Three roles use a database; ``saas-app database roles`` creates them. The owner migrates. ``workroom_app``
answers requests, and sees what the conditions allow. ``workroom_jobs`` runs jobs that span people and
organizations: it sees all rows of people and sessions, but rows of tenants only inside the tenant.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from saas_app.db.base import granted_on, is_tenant_owned, visible_rows

APP_ROLE: Final = "workroom_app"
JOBS_ROLE: Final = "workroom_jobs"
VERSION_TABLE: Final = "alembic_version"

_POLICY: Final = "visible_rows"
_JOBS_POLICY: Final = "jobs_see_all"

_LOCK_TIMEOUT: Final = "300ms"
_LOCKED: Final = "55P03"  # SQLSTATE of a lock timeout
_PATIENCE: Final = 60.0  # seconds for the lock of one table
_PAUSE: Final = 0.2  # seconds in which the requests that waited go on

_ROLES: Final = sa.text("SELECT rolname FROM pg_roles WHERE rolname IN ('workroom_app', 'workroom_jobs')")
_POLICIES: Final = sa.text(
    "SELECT class.relname, policy.polname, obj_description(policy.oid, 'pg_policy') AS comment, "
    "md5(concat_ws(' ', polcmd, polpermissive, polroles::regrole[]::text, pg_get_expr(polqual, polrelid), "
    "pg_get_expr(polwithcheck, polrelid))) AS mark, relrowsecurity "
    "FROM pg_policy policy JOIN pg_class class ON class.oid = policy.polrelid "
    "WHERE class.relnamespace = current_schema()::regnamespace"
)

_GRANTS: Final = sa.text(
    "SELECT relname, rolname, privilege_type || CASE WHEN is_grantable THEN '*' ELSE '' END AS privilege "
    "FROM pg_class CROSS JOIN LATERAL aclexplode(relacl) JOIN pg_roles ON pg_roles.oid = grantee "
    "WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') "
    "AND rolname IN ('workroom_app', 'workroom_jobs')"
)

_HAS_CITUS: Final = sa.text("SELECT count(*) > 0 FROM pg_extension WHERE extname = 'citus'")
_COPIED: Final = sa.text(
    "SELECT class.relname FROM pg_dist_partition JOIN pg_class class ON class.oid = logicalrelid "
    "WHERE partmethod = 'n' AND class.relnamespace = current_schema()::regnamespace"
)

T = TypeVar("T")

Policies = dict[str, str]
"""The conditions of a table's policies, by their names."""

Grants = dict[str, set[str]]
"""The privileges on a table, by role."""


def apply(engine: sa.Engine, metadata: sa.MetaData) -> list[str]:
    """Make policies and grants what the tables declare. Returns the tables for which that changed something.

    ``engine`` has the role of the owner or of a superuser. Tables that do not exist yet are left out. Each
    table is a transaction, because one that locks several waits for requests that wait for it.
    """
    with engine.begin() as connection:
        tables = _existing(connection, metadata)
        readers = _find_missing_readers(connection)
        for role in readers:
            connection.exec_driver_sql(f"GRANT SELECT ON {VERSION_TABLE} TO {role}")
    changed = [table.name for table in tables if lock_briefly(engine, partial(apply_to, table=table))]
    return [*changed, VERSION_TABLE] if readers else changed


def lock_briefly(engine: sa.Engine, change: Callable[[sa.Connection], T]) -> T:
    """Run a change of a table in a transaction, again and again until it gets its lock within a moment.

    Requests queue behind a change that waits, and one of them may hold what it waits for on another
    connection. Raises ``sqlalchemy.exc.DBAPIError``.
    """
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            with engine.begin() as connection:
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
                return change(connection)
        except DBAPIError as failure:
            if getattr(failure.orig, "sqlstate", None) != _LOCKED or time.monotonic() > deadline:
                raise
        time.sleep(_PAUSE)


def apply_to(connection: sa.Connection, table: sa.Table) -> bool:
    """Make policies and grants what a table declares. Returns whether that changed something."""
    roles = list(connection.execute(_ROLES).scalars())
    condition = visible_rows(table, is_copied=table.name in _find_copied(connection))
    declared = _declared(table, condition, has_jobs=JOBS_ROLE in roles)
    found = _find_policies(connection).get(table.name, {})
    if found != declared:
        _replace(connection, table, found, declared)
    is_granted = _find_grants(connection).get(table.name, {}) == _declared_grants(table, roles)
    if not is_granted:
        for role in roles:
            _grant(connection, role, table)
    return found != declared or not is_granted


def drop_policies(connection: sa.Connection, table: sa.Table) -> None:
    """Drop the policies of a table. Until others are made, only its owner sees rows."""
    for policy in _find_policies(connection).get(table.name, {}):
        connection.exec_driver_sql(f"DROP POLICY {policy} ON {table.name}")


def find_unprotected(connection: sa.Connection, metadata: sa.MetaData) -> list[str]:
    """Return the tables whose policies are not those that they declare."""
    found, copied = _find_policies(connection), _find_copied(connection)
    has_jobs = JOBS_ROLE in connection.execute(_ROLES).scalars()
    return [
        table.name
        for table in _existing(connection, metadata)
        if (condition := visible_rows(table, is_copied=table.name in copied))
        and found.get(table.name) != _declared(table, condition, has_jobs=has_jobs)
    ]


def find_ungranted(connection: sa.Connection, metadata: sa.MetaData) -> list[str]:
    """Return the tables whose grants are not those that they declare, or that the schema's version needs."""
    found, roles = _find_grants(connection), connection.execute(_ROLES).scalars().all()
    ungranted = [
        table.name
        for table in _existing(connection, metadata)
        if found.get(table.name, {}) != _declared_grants(table, roles)
    ]
    return [*ungranted, VERSION_TABLE] if _find_missing_readers(connection) else ungranted


def _find_missing_readers(connection: sa.Connection) -> list[str]:
    """Return the roles that cannot read the version of the schema, if it has one yet."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return []
    readers = _find_grants(connection).get(VERSION_TABLE, {})
    return [role for role in connection.execute(_ROLES).scalars() if "SELECT" not in readers.get(role, ())]


def _find_copied(connection: sa.Connection) -> set[str]:
    """Return the tables that Citus copies to every node."""
    if not connection.scalar(_HAS_CITUS):
        return set()
    return set(connection.execute(_COPIED).scalars())


def _existing(connection: sa.Connection, metadata: sa.MetaData) -> list[sa.Table]:
    names = set(sa.inspect(connection).get_table_names())
    return [table for table in metadata.sorted_tables if table.name in names]


def _find_policies(connection: sa.Connection) -> dict[str, Policies]:
    """Return the policies by table.

    Each has a comment with a hash of what PostgreSQL stored, and its condition as it was declared. A policy
    that was changed since has another hash, and counts as one without a condition. So does one whose table
    ignores it.
    """
    found: dict[str, Policies] = {}
    for policy in connection.execute(_POLICIES):
        mark, _, condition = (policy.comment or "").partition(" ")
        is_kept = policy.relrowsecurity and mark == policy.mark
        found.setdefault(policy.relname, {})[policy.polname] = condition if is_kept else ""
    return found


def _find_grants(connection: sa.Connection) -> dict[str, Grants]:
    """Return the privileges of the two roles by table. One that can be passed on has a ``*``."""
    found: dict[str, Grants] = {}
    for row in connection.execute(_GRANTS):
        found.setdefault(row.relname, {}).setdefault(row.rolname, set()).add(row.privilege)
    return found


def _declared_grants(table: sa.Table, roles: Sequence[str]) -> Grants:
    granted = granted_on(table)
    return {role: set(granted.split(", ")) for role in roles} if granted else {}


def _declared(table: sa.Table, condition: str | None, *, has_jobs: bool) -> Policies:
    if condition is None:
        return {}
    spans = has_jobs and not is_tenant_owned(table)
    return {_POLICY: condition, **({_JOBS_POLICY: "true"} if spans else {})}


def _replace(connection: sa.Connection, table: sa.Table, found: Policies, declared: Policies) -> None:
    run = connection.exec_driver_sql
    run(f"ALTER TABLE {table.name} {'ENABLE' if declared else 'DISABLE'} ROW LEVEL SECURITY")
    for policy in found:
        run(f"DROP POLICY {policy} ON {table.name}")
    for policy, condition in declared.items():
        role = JOBS_ROLE if policy == _JOBS_POLICY else "PUBLIC"
        run(f"CREATE POLICY {policy} ON {table.name} TO {role} USING ({condition}) WITH CHECK ({condition})")
    for made in connection.execute(_POLICIES):
        if made.relname == table.name:
            comment = _literal(f"{made.mark} {declared[made.polname]}")
            run(f"COMMENT ON POLICY {made.polname} ON {table.name} IS {comment}")


def _grant(connection: sa.Connection, role: str, table: sa.Table) -> None:
    """Let a role do what the table declares, and nothing else."""
    connection.exec_driver_sql(f"REVOKE ALL ON {table.name} FROM {role}")
    if granted := granted_on(table):
        connection.exec_driver_sql(f"GRANT {granted} ON {table.name} TO {role}")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
