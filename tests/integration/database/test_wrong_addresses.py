"""A command that cannot use a database names the setting that is wrong, and shows no password."""

from __future__ import annotations

from pathlib import Path

import pytest

from saas_app.errors import ConfigurationError
from saas_app.operations.database.protection import require_protection
from tests.commands import run
from tests.databases import Database, in_thread, prepared_database
from tests.integration.database.administering import administer, on_postgres, settings_of

NOWHERE = "postgresql://somebody:secret@127.0.0.1:1/workroom"
ALL = {
    "DATABASE_URL": "postgresql://app:secret@127.0.0.1:1/workroom",
    "DATABASE_OWNER_URL": "postgresql://owner:secret@127.0.0.1:1/workroom",
    "DATABASE_JOBS_URL": "postgresql://jobs:secret@127.0.0.1:1/workroom",
}
MIGRATE = ("migrate",)
EXPORT = ("organization", "export", "acme", "--to", "acme.zip")
ROLES = ("database", "roles")
ADMIN = "--admin-url (DATABASE_ADMIN_URL)"


@pytest.mark.parametrize(
    ("command", "environment", "setting"),
    [
        (MIGRATE, {"DATABASE_URL": NOWHERE}, "DATABASE_URL"),
        (MIGRATE, ALL, "DATABASE_OWNER_URL"),
        (EXPORT, ALL, "DATABASE_OWNER_URL"),
        (("database", "distribute"), ALL, "DATABASE_OWNER_URL"),
        (ROLES, ALL, "DATABASE_OWNER_URL"),
        ((*ROLES, "--admin-url", NOWHERE), ALL, ADMIN),
        (ROLES, {**ALL, "DATABASE_ADMIN_URL": NOWHERE}, ADMIN),
    ],
)
def test_a_database_that_does_not_respond_is_named_by_its_setting(
    command: tuple[str, ...], environment: dict[str, str], setting: str
) -> None:
    unset = dict.fromkeys((*ALL, "DATABASE_ADMIN_URL"))

    done = run(*command, **{**unset, **environment})

    assert done.exit_code == 1
    assert done.output.endswith(f". Check {setting}.\n")
    assert "secret" not in done.output


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("mysql://root:secret@localhost/workroom", f"{ADMIN} must start with postgresql://"),
        ("sqlite:///secret.db", f"The command needs PostgreSQL, and {ADMIN} names a SQLite file."),
    ],
)
def test_an_admin_url_that_is_no_address_of_postgresql_is_named(address: str, problem: str) -> None:
    done = run(*ROLES, "--admin-url", address, **ALL)

    assert done.exit_code == 1
    assert problem in done.output
    assert "secret" not in done.output


@on_postgres
def test_jobs_that_cannot_use_the_database_are_named_before_serving(database: Database) -> None:
    settings = settings_of(database).model_copy(update={"database_jobs_url": NOWHERE})

    with pytest.raises(ConfigurationError) as refusal:
        in_thread(require_protection, settings)

    assert str(refusal.value).endswith(" Check DATABASE_JOBS_URL.")
    assert "secret" not in str(refusal.value)


@on_postgres
def test_a_migration_by_a_role_that_owns_nothing_asks_for_the_owner(tmp_path: Path) -> None:
    with prepared_database(tmp_path) as database:
        run("migrate", **database.environment)
        administer(database, "ALTER TABLE tasks DISABLE ROW LEVEL SECURITY")

        done = run("migrate", DATABASE_URL=database.url, DATABASE_OWNER_URL=None)

        assert "must be owner of table tasks. Name its owner in DATABASE_OWNER_URL." in done.output
