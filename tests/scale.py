"""One large organization among many small ones, and the statements that its pages run.

Rows are loaded on PostgreSQL by one statement for each table, on a connection of their own, because the
application's sessions are confined to an organization.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine import Engine

import saas_app.models  # noqa: F401 - registers every table
from saas_app.db.base import Base, is_tenant_owned

TENANT_TABLES: Final = frozenset(
    table.name for table in Base.metadata.tables.values() if is_tenant_owned(table)
)


@dataclass(frozen=True, slots=True)
class Size:
    """The number of rows of the large organization, and the number of small ones."""

    projects: int
    tasks_per_project: int
    events: int
    actors: int
    others: int


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as the driver gets it, and the request that ran it."""

    request: str
    sql: str
    parameters: tuple[Any, ...]


_NAMES: Final = """(
  (ARRAY['Website','Warehouse','Onboarding','Quarterly','Kitchen','Mobile','Pricing','Archive','Northern',
         'Customer','Vendor','Payroll'])[1 + (hashtext('a' || {n}) & 65535) % 12]
  || ' ' || (ARRAY['relaunch','migration','audit','study','review','upgrade','pilot','workshop','budget',
         'catalog','survey','training','checklist'])[1 + (hashtext('b' || {n}) & 65535) % 13]
  || ' ' || {n})"""
_PEOPLE: Final = """(
  (ARRAY['Ada','Bob','Carol','Dave','Erin','Frank','Grace','Heidi','Ivan','Judy'])[1 + {n} % 10]
  || ' ' || (ARRAY['Lovelace','Smith','Jones','Meyer','Okafor','Tanaka','Silva','Novak','Khan','Rossi',
         'Dubois','Larsen','Costa'])[1 + (hashtext('c' || {n}) & 65535) % 13] || ' ' || {n})"""
_ID_AT: Final = """(lpad(to_hex((extract(epoch from {at}) * 1000)::bigint), 12, '0') || '7'
  || substr(md5({n}::text), 1, 3) || '8' || substr(md5({n}::text), 4, 15))::uuid"""


async def load(
    connection: asyncpg.Connection, organization_id: str, size: Size, *, small: str | None = None
) -> None:
    """Load one large organization and many small ones, then vacuum and analyze the tables.

    ``small``: the id of one more organization, with sixty projects and events.
    """
    for statement in _statements(organization_id, size, small):
        await connection.execute(statement)
    for table in ("users", "organizations", *sorted(TENANT_TABLES)):
        await connection.execute(f"VACUUM ANALYZE {table}")


def _statements(large: str, size: Size, small: str | None) -> Iterator[str]:
    yield (
        "INSERT INTO users (id, username, name, email, seen_at) "
        f"SELECT 'person' || n, 'user' || n, {_PEOPLE.format(n='n')}, "
        "'user' || n || '@example' || n % 300 || '.test', now() "
        f"FROM generate_series(1, {max(size.actors, size.others)}) n"
    )
    yield (
        "INSERT INTO organizations (id, name, seen_at) "
        f"SELECT 'small' || n, 'Organization ' || n, now() FROM generate_series(1, {size.others}) n"
    )
    yield (
        "INSERT INTO api_clients (organization_id, id, client_id, name, created_by, created_at) "
        "SELECT 'small' || n, gen_random_uuid(), 'client' || n, 'Importer', 'person' || n, now() "
        f"FROM generate_series(1, {size.others}) n"
    )
    yield _projects(f"'{large}'", f"generate_series(1, {size.projects}) n", "n")
    yield _projects(
        "'small' || o", f"generate_series(1, {size.others}) o, generate_series(1, 3) p", "(o * 3 + p)"
    )
    if small:
        yield _projects(f"'{small}'", "generate_series(1, 60) n", "n")
        yield _events(f"'{small}'", "generate_series(1, 60) n", "n", size)
    yield (
        "INSERT INTO tasks (organization_id, id, project_id, title, status, due_on, created_by, created_at, "
        "updated_at, completed_at, version) SELECT organization_id, gen_random_uuid(), id, 'Task ' || k, "
        "(ARRAY['todo','done','doing','done'])[1 + k % 4], current_date + k, created_by, created_at, "
        "updated_at, CASE WHEN k % 2 = 1 THEN updated_at END, 1 "
        f"FROM projects, generate_series(1, {size.tasks_per_project}) k"
    )
    yield _events(f"'{large}'", f"generate_series(1, {size.events}) n", "n", size)
    yield _events(
        "'small' || o", f"generate_series(1, {size.others}) o, generate_series(1, 3) p", "(o * 3 + p)", size
    )


def _projects(organization: str, numbers: str, n: str) -> str:
    name, at = _NAMES.format(n=n), f"(now() - interval '400 days' + interval '1 minute' * {n})"
    return (
        "INSERT INTO projects (organization_id, id, name, folded_name, description, status, created_by, "
        "created_at, updated_at, version) "
        f"SELECT {organization}, {_ID_AT.format(at=at, n=n)}, {name}, lower({name}), "
        f"repeat('What it is for. ', 10), CASE WHEN {n} % 10 = 0 THEN 'archived' ELSE 'active' END, "
        f"'person' || 1 + {n} % 100, {at}, {at} + interval '1 second' * ({n} % 1000 * 863), 1 "
        f"FROM {numbers}"
    )


def _events(organization: str, numbers: str, n: str, size: Size) -> str:
    """Half of the events are an importer's. One in a thousand is a denial. Three in a row have one target."""
    at = f"(now() - interval '399 days' + interval '20 seconds' * {n})"
    actor = f"(1 + (hashtext('d' || {n}) & 65535) % {size.actors})"
    target = f"({n} / 3)"
    return (
        "INSERT INTO audit_events (organization_id, id, occurred_at, actor_type, actor_id, actor_name, "
        "action, target_type, target_id, target_name, before, after, outcome, decision, request_id, address) "
        f"SELECT {organization}, {_ID_AT.format(at=at, n=n)}, {at}, "
        f"CASE WHEN {n} % 2 = 0 THEN 'machine' ELSE 'person' END, "
        f"CASE WHEN {n} % 2 = 0 THEN 'importer' ELSE 'person' || {actor} END, "
        f"CASE WHEN {n} % 2 = 0 THEN 'Nightly importer' ELSE {_PEOPLE.format(n=actor)} END, "
        f"CASE WHEN {n} % 1000 = 0 THEN 'access.deny' WHEN {n} % 2 = 0 THEN 'task.create' "
        f"ELSE (ARRAY['task.update','project.create','project.update','member.add'])[1 + {n} / 2 % 4] END, "
        f"'task', md5('t' || {target})::uuid::text, {_NAMES.format(n=target)}, "
        """'{"status": "todo"}', '{"status": "done"}', """
        f"CASE WHEN {n} % 1000 = 0 THEN 'denied' ELSE 'allowed' END, NULL, 'request' || {n}, "
        f"'10.' || {n} % 200 || '.0.' || {n} % 250 FROM {numbers}"
    )


@contextmanager
def noting_statements() -> Iterator[list[Statement]]:
    """Note the statements of all engines. Set ``request`` of those to come by :func:`walk`."""
    noted: list[Statement] = []

    def note(_c: Any, _cursor: Any, sql: str, parameters: Any, _context: Any, _many: bool) -> None:
        noted.append(Statement("", sql, tuple(parameters)))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield noted
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def walk(requests: list[str], get: Callable[[str], Awaitable[None]]) -> list[Statement]:
    """Return the statements of each request, in order, with the request. :func:`get` sends it."""
    found: list[Statement] = []
    for request in requests:
        with noting_statements() as noted:
            await get(request)
        found += [Statement(request, one.sql, one.parameters) for one in noted]
    return found


async def explain_on_postgresql(
    connection: asyncpg.Connection, statement: Statement, *, generic: bool
) -> dict[str, Any]:
    """Run a statement, and return its plan with the numbers of rows.

    ``generic``: with the plan that the server keeps for all values of the parameters, as it may do from the
    sixth run on a connection.
    """
    text = await _explain(connection, statement, "ANALYZE, BUFFERS, FORMAT JSON", generic=generic)
    plan: dict[str, Any] = json.loads(text)[0]
    return plan


async def count_tasks(connection: asyncpg.Connection, statement: Statement) -> list[int]:
    """Return for each part of a statement's plan on Citus to how many shards it goes."""
    text = await _explain(connection, statement, "COSTS OFF", generic=False)
    return [int(count) for count in re.findall(r"Task Count: (\d+)", text)]


async def _explain(
    connection: asyncpg.Connection, statement: Statement, options: str, *, generic: bool
) -> str:
    mode = "force_generic_plan" if generic else "force_custom_plan"
    values = [
        await connection.fetchval("SELECT quote_nullable($1::text)", _text(v)) for v in statement.parameters
    ]
    call = f"explained({', '.join(values)})" if values else "explained"
    await connection.execute(f"SET plan_cache_mode = {mode}; PREPARE explained AS {statement.sql}")
    try:
        lines = await connection.fetch(f"EXPLAIN ({options}) EXECUTE {call}")
    finally:
        await connection.execute("DEALLOCATE explained")
    return "\n".join(line[0] for line in lines)


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the nodes of a plan, without the children of a bitmap scan of a table."""
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def scans(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the nodes that read a tenant's table."""
    return (
        node
        for node in nodes(plan["Plan"])
        if node.get("Relation Name") in TENANT_TABLES and node["Node Type"] != "ModifyTable"
    )


def is_confined(scan: dict[str, Any]) -> bool:
    """Return whether a scan reads only rows of an organization, which an index finds."""
    if scan["Node Type"] == "Bitmap Heap Scan":
        return all(_is_confined_bitmap(node) for node in scan["Plans"] if "Bitmap" in node["Node Type"])
    return "organization_id" in scan.get("Index Cond", "")


def _is_confined_bitmap(node: dict[str, Any]) -> bool:
    if node["Node Type"] == "BitmapAnd":
        return any(map(_is_confined_bitmap, node["Plans"]))
    if node["Node Type"] == "BitmapOr":
        return all(map(_is_confined_bitmap, node["Plans"]))
    return "organization_id" in node.get("Index Cond", "")


def rows_of(scan: dict[str, Any]) -> int:
    """Return how many rows a scan read, whether they matched or not."""
    removed = ("Rows Removed by Filter", "Rows Removed by Index Recheck", "Rows Removed by Join Filter")
    return int((scan["Actual Rows"] + sum(scan.get(name, 0) for name in removed)) * scan["Actual Loops"])


def rows_read(plan: dict[str, Any]) -> int:
    """Return how many rows of tenants' tables a statement read."""
    return sum(map(rows_of, scans(plan)))


def indexes(plan: dict[str, Any]) -> set[str]:
    """Return the names of the indexes of tenants' tables in a plan."""
    return {node["Index Name"] for node in nodes(plan["Plan"]) if "Index Name" in node}


def touches_tenants(statement: Statement) -> bool:
    """Return whether a statement reads a tenant's table."""
    return bool(re.search(rf"\b(FROM|JOIN|UPDATE) ({'|'.join(TENANT_TABLES)})\b", statement.sql))
