"""Migrations run up, down and up again, and match the models."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory

from saas_app.operations.migrate import newest_migration
from tests.databases import ROOT, alembic_config, empty_database


def test_migrations_run_up_down_and_up_again_and_match_the_models(tmp_path: Path) -> None:
    with empty_database(tmp_path) as url, ThreadPoolExecutor(1) as thread:
        config = alembic_config(url)
        for step, target in (
            (command.upgrade, "head"),
            (command.downgrade, "base"),
            (command.upgrade, "head"),
        ):
            thread.submit(step, config, target).result()
        thread.submit(command.check, config).result()  # raises if the models differ


def test_the_history_of_migrations_has_one_head_and_programs_find_it_without_alembic() -> None:
    assert ScriptDirectory.from_config(alembic_config("sqlite://")).get_heads() == [newest_migration()]


def test_migrations_import_no_models_and_features_because_those_may_be_deleted() -> None:
    for path in (ROOT / "migrations/versions").glob("*.py"):
        imported = set(re.findall(r"^(?:from|import) (saas_app[\w.]*)", path.read_text(), re.MULTILINE))
        assert imported <= {"saas_app.errors", "saas_app.text.order"}, path.name
