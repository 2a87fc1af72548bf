"""The next migration of a database that is distributed with Citus."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Final

import asyncpg
import pytest

from saas_app.config import MIGRATIONS
from saas_app.operations.migrate import newest_migration
from tests.databases import ROOT
from tests.integration.citus.cluster import (
    PLACED,
    needs_citus,
)

pytestmark = needs_citus


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

    placed = {row["name"]: row["colocation"] for row in await connection.fetch(PLACED)}
    assert placed["comments"] == placed["projects"]
    await connection.execute(
        "INSERT INTO comments SELECT organization_id, id, id FROM projects WHERE organization_id = $1",
        organization_id,
    )
    for refused in ("UPDATE comments SET id = id", "UPDATE projects SET color = 'red'"):
        with pytest.raises(asyncpg.RaiseError, match="append-only"):
            await connection.execute(f"{refused} WHERE organization_id = $1", organization_id)
    await asyncio.to_thread(alembic, "downgrade", next_migration, own_url, "-1")
    assert "comments" not in {row["name"] for row in await connection.fetch(PLACED)}
