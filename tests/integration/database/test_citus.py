"""A database that is distributed with Citus: where rows are, what nodes refuse, and how it changes."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any, Final

import asyncpg
import pytest
import sqlalchemy as sa
from click.testing import Result

from saas_app.config import MIGRATIONS
from saas_app.db.base import Base, new_uuid
from saas_app.operations.database.placements import Placement, placement_of, tables_in_order
from saas_app.operations.migrate import newest_migration
from tests.citus import allow_spanning
from tests.commands import run
from tests.databases import ROOT, empty_database, migrate, migrated_database
from tests.scale import Size, load

pytestmark = pytest.mark.skipif(
    not os.environ.get("TEST_CITUS_URL"), reason="TEST_CITUS_URL names no Citus cluster"
)

SIZE: Final = Size(projects=40, tasks_per_project=2, events=120, actors=5, others=20)
_COUNTED: Final = ("projects", "project_names", "tasks", "audit_events", "audit_actors", "users")
_COUNT: Final = "SELECT count(*) FROM {}"
_PLACED: Final = (
    "SELECT logicalrelid::text AS name, partmethod::text AS method, colocationid AS colocation "
    "FROM pg_dist_partition"
)


def address(url: str) -> str:
    return sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def own_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A distributed database for this module, because its tests move shards."""
    with migrated_database(tmp_path_factory.mktemp("citus")) as database:
        yield database.admin_url


@pytest.fixture
async def connection(own_url: str) -> Any:
    connection = await asyncpg.connect(address(own_url))
    await allow_spanning(connection)
    yield connection
    await connection.close()


@pytest.fixture
async def organization_id(connection: asyncpg.Connection) -> str:
    """An organization with projects and events, among others."""
    organization_id = f"org-{new_uuid().hex}"
    await connection.execute(
        "INSERT INTO organizations (id, name, seen_at) VALUES ($1, 'Acme', now())", organization_id
    )
    for number in range(5):
        await connection.execute(
            "INSERT INTO projects (organization_id, id, name, folded_name, description, status, created_by, "
            "created_at, updated_at, version) VALUES ($1, $2, $3, $3, '', 'active', 'ada', now(), now(), 1)",
            organization_id,
            new_uuid(),
            f"project {number}",
        )
    await connection.execute(
        "INSERT INTO audit_events (organization_id, id, occurred_at, actor_type, actor_id, actor_name, "
        "action, target_type, target_id, target_name, outcome, request_id, address) "
        "VALUES ($1, $2, now(), 'person', "
        "'ada', 'Ada', 'project.create', 'project', 'x', 'x', 'allowed', 'x', '127.0.0.1')",
        organization_id,
        new_uuid(),
    )
    return organization_id


async def database_command(url: str, *arguments: str) -> Result:
    """Run ``saas-app database``, in a thread because it runs an event loop of its own."""
    return await asyncio.to_thread(run, "database", *arguments, DATABASE_URL=url)


async def counts(connection: asyncpg.Connection) -> dict[str, int]:
    return {name: await connection.fetchval(_COUNT.format(name)) for name in _COUNTED}


async def node_of(connection: asyncpg.Connection, organization_id: str) -> tuple[int, str]:
    """Return the organization's shard of projects, and its node."""
    row = await connection.fetchrow(
        "SELECT shardid, nodename || ':' || nodeport AS node FROM pg_dist_shard_placement "
        "WHERE shardid = get_shard_id_for_distribution_column('projects', $1::text)",
        organization_id,
    )
    return row["shardid"], row["node"]


async def test_each_table_is_where_it_is_declared_to_be(connection: asyncpg.Connection) -> None:
    methods = {row["name"]: row["method"] for row in await connection.fetch(_PLACED)}
    expected = {Placement.BY_ORGANIZATION: "h", Placement.EVERYWHERE: "n", Placement.COORDINATOR: None}

    for table in Base.metadata.sorted_tables:
        assert methods.get(table.name) == expected[placement_of(table)], table.name


async def test_an_organizations_rows_of_all_tables_are_on_one_node(connection: asyncpg.Connection) -> None:
    groups = {row["colocation"] for row in await connection.fetch(_PLACED) if row["method"] == "h"}

    assert len(groups) == 1


async def test_distributing_again_changes_nothing(own_url: str) -> None:
    again = await database_command(own_url, "distribute")

    assert again.exit_code == 0, again.output
    assert "Everything is distributed already." in again.output
    assert "done" not in again.output


async def test_an_interrupted_run_is_continued(own_url: str, connection: asyncpg.Connection) -> None:
    await connection.execute("SELECT undistribute_table('idempotency_keys')")

    result = await database_command(own_url, "distribute")

    done = [line for line in result.output.splitlines() if line.startswith("done")]

    assert done == ["done  idempotency_keys: distributed by organization_id"]


async def test_rows_from_before_are_on_the_nodes_and_nowhere_else(tmp_path: Path) -> None:
    with empty_database(tmp_path) as url:
        await asyncio.to_thread(migrate, url)
        connection = await asyncpg.connect(address(url))
        await allow_spanning(connection)
        await load(connection, "large", SIZE)
        before = await counts(connection)

        result = await database_command(url, "distribute")

        after = await counts(connection)
        left = [
            table.name
            for table, placement in tables_in_order()
            if placement is not Placement.COORDINATOR
            and await connection.fetchval(f"SELECT pg_relation_size('{table.name}')")
        ]
        await connection.close()
    assert result.exit_code == 0, result.output
    assert after == before
    assert min(after.values()) > 0
    assert left == []


async def test_every_shard_refuses_changes_of_events(
    connection: asyncpg.Connection, organization_id: str
) -> None:
    answers = await connection.fetch(
        "SELECT success, result FROM run_command_on_shards('audit_events', "
        "$$UPDATE %s SET outcome = 'allowed'$$)"
    )

    assert answers
    assert not any(row["success"] for row in answers)
    assert all("append-only" in row["result"] for row in answers)


async def test_triggers_write_beside_the_rows_that_fire_them(
    connection: asyncpg.Connection, organization_id: str
) -> None:
    names = await connection.fetchval(
        "SELECT count(*) FROM project_names WHERE organization_id = $1", organization_id
    )
    actors = await connection.fetchval(
        "SELECT count(*) FROM audit_actors WHERE organization_id = $1", organization_id
    )

    assert (names, actors) == (5, 1)


async def test_an_organization_moves_to_a_shard_and_a_node_of_its_own(
    own_url: str, connection: asyncpg.Connection, organization_id: str
) -> None:
    before = await counts(connection)
    _, node = await node_of(connection, organization_id)
    nodes = await connection.fetch("SELECT nodename || ':' || nodeport FROM pg_dist_node WHERE groupid > 0")
    other = next(row[0] for row in nodes if row[0] != node)

    moved = await database_command(own_url, "isolate", organization_id, "--node", other)
    again = await database_command(own_url, "isolate", organization_id, "--node", other)

    assert moved.exit_code == 0, moved.output
    assert f"moved from {node} to {other}" in moved.output
    assert "It is there already." in again.output
    shard, now_on = await node_of(connection, organization_id)
    alone = await connection.fetchval(
        "SELECT shardminvalue = shardmaxvalue FROM pg_dist_shard WHERE shardid = $1", shard
    )
    assert (now_on, alone) == (other, True)
    assert await counts(connection) == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("org-nobody",), "There is no organization org-nobody"),
        (("org-nobody", "--node", "elsewhere:5432"), "elsewhere:5432 is no worker"),
    ],
)
async def test_isolating_names_what_is_unknown(own_url: str, arguments: tuple[str, ...], says: str) -> None:
    result = await database_command(own_url, "isolate", *arguments)

    assert result.exit_code == 1
    assert says in result.output


async def test_a_role_that_owns_nothing_is_told_so(own_url: str, connection: asyncpg.Connection) -> None:
    name = f"stranger_{new_uuid().hex}"
    await connection.execute(f"CREATE ROLE {name} LOGIN")
    try:
        stranger = sa.make_url(own_url).set(username=name).render_as_string(hide_password=False)
        await connection.execute(f"GRANT SELECT ON alembic_version TO {name}")

        result = await database_command(stranger, "distribute")
    finally:
        await connection.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")

    assert result.exit_code == 1
    assert "Run the command as the owner of the tables" in result.output


async def test_a_worker_is_not_mistaken_for_the_coordinator(
    own_url: str, connection: asyncpg.Connection
) -> None:
    worker = await connection.fetchrow("SELECT nodename, nodeport FROM pg_dist_node WHERE groupid > 0")
    url = sa.make_url(own_url).set(host=worker["nodename"], port=worker["nodeport"])

    result = await database_command(url.render_as_string(hide_password=False), "isolate", "any")

    assert result.exit_code == 1
    assert "Name the coordinator" in result.output


async def test_pending_migrations_come_first(tmp_path: Path) -> None:
    with empty_database(tmp_path) as url:
        result = await database_command(url, "distribute")

    assert result.exit_code == 1
    assert "Run 'saas-app migrate' first" in result.output


_NEXT: Final = '''
"""comments"""

import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "aaaabbbbcccc", "{newest}", None, None


def upgrade():
    op.add_column("projects", sa.Column("color", sa.String(16), nullable=False, server_default="blue"))
    op.create_index("ix_projects_color", "projects", ["organization_id", "color"])
    op.create_table(
        "comments",
        sa.Column("organization_id", sa.String(64), primary_key=True),
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "project_id"], ["projects.organization_id", "projects.id"], ondelete="CASCADE"
        ),
    )
    op.execute(
        "CREATE FUNCTION refuse_comment_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'comments is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER comments_append_only BEFORE UPDATE ON comments "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_comment_change()"
    )
    op.execute(
        "CREATE TRIGGER projects_keep_color BEFORE UPDATE OF color ON projects "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_comment_change()"
    )


def downgrade():
    op.execute("DROP TRIGGER projects_keep_color ON projects")
    op.drop_table("comments")
    op.execute("DROP FUNCTION refuse_comment_change()")
    op.drop_index("ix_projects_color", "projects")
    op.drop_column("projects", "color")
'''
_PROGRAM: Final = """
    import sys, uuid
    from alembic import command
    from alembic.config import Config
    from sqlalchemy.orm import Mapped
    from saas_app.db.base import Base, TenantOwned

    class Comment(TenantOwned, Base):
        __tablename__ = "comments"
        project_id: Mapped[uuid.UUID]

    step, folder, url, target = sys.argv[1:]
    configuration = Config()
    configuration.set_main_option("script_location", folder)
    configuration.set_main_option("path_separator", "os")
    configuration.attributes["database_url"] = url
    getattr(command, step)(configuration, target)
"""


@pytest.fixture
def next_migration(tmp_path: Path) -> Path:
    """The migrations, and one more: a column, an index, a table and triggers."""
    folder = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    text = _NEXT.replace("{newest}", newest_migration() or "")
    (folder / "versions" / "next.py").write_text(text, encoding="utf-8")
    return folder


def alembic(step: str, folder: Path, url: str, target: str) -> None:
    """Run Alembic in a process of its own, where one more table is declared."""
    command = [sys.executable, "-c", dedent(_PROGRAM), step, str(folder), url, target]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


async def test_the_next_migration_places_its_table_and_changes_the_others_on_all_nodes(
    own_url: str, connection: asyncpg.Connection, organization_id: str, next_migration: Path
) -> None:
    await asyncio.to_thread(alembic, "upgrade", next_migration, own_url, "head")

    placed = {row["name"]: row["colocation"] for row in await connection.fetch(_PLACED)}
    assert placed["comments"] == placed["projects"]
    await connection.execute(
        "INSERT INTO comments SELECT organization_id, id, id FROM projects WHERE organization_id = $1",
        organization_id,
    )
    for refused in ("UPDATE comments SET id = id", "UPDATE projects SET color = 'red'"):
        with pytest.raises(asyncpg.RaiseError, match="append-only"):
            await connection.execute(f"{refused} WHERE organization_id = $1", organization_id)
    await asyncio.to_thread(alembic, "downgrade", next_migration, own_url, "-1")
    assert "comments" not in {row["name"] for row in await connection.fetch(_PLACED)}
