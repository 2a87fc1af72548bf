"""``saas-app make-migration`` writes a working migration for models that changed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.databases import ROOT

pytestmark = pytest.mark.one_database


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A copy of the project whose files may be changed."""
    folder = tmp_path / "code"
    for name in ("saas_app", "migrations"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "alembic.ini", folder)
    return folder


def make_migration(code: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "saas_app", "make-migration", "add project colors"],
        cwd=code,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )


def add_to_projects(code: Path, column: str) -> None:
    models = code / "saas_app/models/project.py"
    text = models.read_text()
    anchor = "    name: Mapped[str]"
    assert anchor in text
    models.write_text(text.replace(anchor, f"    color: {column}\n{anchor}", 1))


def versions(code: Path) -> set[Path]:
    return set((code / "migrations/versions").glob("*.py"))


def test_a_new_column_becomes_a_migration_with_both_directions(code: Path) -> None:
    before = versions(code)
    add_to_projects(code, "Mapped[str | None] = mapped_column(sa.String(20))")

    finished = make_migration(code)

    assert finished.returncode == 0, finished.stderr
    (written,) = versions(code) - before
    text = written.read_text()
    assert written.name.endswith("_add_project_colors.py")
    assert "batch_op.add_column(sa.Column('color', sa.String(length=20), nullable=True))" in text
    assert "batch_op.drop_column('color')" in text
    assert finished.stdout.startswith("  add column projects.color\nWritten: ")
    assert str(written) in finished.stdout


def test_nothing_is_written_when_models_and_migrations_agree(code: Path) -> None:
    before = versions(code)

    finished = make_migration(code)

    assert finished.returncode == 0
    assert "Nothing to write" in finished.stdout
    assert versions(code) == before


def test_a_migration_that_leaves_a_difference_is_reported(code: Path) -> None:
    add_to_projects(code, "Mapped[str] = mapped_column(sa.String(20), server_default='')")

    finished = make_migration(code)

    assert finished.returncode == 1
    assert "was written, but does not work yet" in finished.stderr
    assert "the models still differ" in finished.stderr


def test_dropped_tables_go_after_those_that_refer_to_them_with_types_of_every_database(code: Path) -> None:
    before = versions(code)
    models = code / "saas_app/models/__init__.py"
    models.write_text(re.sub(r".*\.(project|project_name|task) import .*\n", "", models.read_text()))

    finished = make_migration(code)

    assert finished.returncode == 0, finished.stderr
    (written,) = versions(code) - before
    upgrade, downgrade = written.read_text().split("def downgrade")
    dropped = re.findall(r"drop_table\('(\w+)'\)", upgrade)
    assert sorted(dropped[:2]) == ["project_names", "tasks"]
    assert dropped[2:] == ["projects"]
    assert re.findall(r"create_table\('(\w+)'", downgrade) == dropped[::-1]
    assert "DATETIME" not in downgrade
    assert "CHAR(length=32)" not in downgrade


def test_a_new_table_is_written_without_its_policy_which_migrate_makes(code: Path) -> None:
    before = versions(code)
    (code / "saas_app/models/color.py").write_text(
        "import sqlalchemy as sa\n"
        "from sqlalchemy.orm import Mapped, mapped_column\n"
        "from saas_app.db.base import EVERY_ROW, Base\n\n\n"
        "class Color(Base):\n"
        '    __tablename__ = "colors"\n'
        "    __visible_rows__ = EVERY_ROW\n"
        "    name: Mapped[str] = mapped_column(sa.String(20), primary_key=True)\n"
    )
    listed = code / "saas_app/models/__init__.py"
    listed.write_text(listed.read_text() + "from saas_app.models.color import Color\n")

    finished = make_migration(code)

    assert finished.returncode == 0, finished.stderr
    (written,) = versions(code) - before
    assert "create_table('colors'" in written.read_text()
    assert "info=" not in written.read_text()
