"""Roles of PostgreSQL: created by a command, and checked before the application serves."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest
import sqlalchemy as sa

from saas_app.config import DatabaseSettings
from saas_app.errors import ConfigurationError
from saas_app.operations.database.protection import require_protection
from tests.commands import run
from tests.databases import Database, empty_database, in_thread, prepared_database

on_postgres = pytest.mark.skipif(not os.environ.get("TEST_DATABASE_URL"), reason="SQLite has no roles")


def settings_of(database: Database) -> DatabaseSettings:
    return DatabaseSettings(
        database_url=database.url,
        database_owner_url=database.owner_url,
        database_jobs_url=database.jobs_url,
    )


def administer(database: Database, statement: str) -> None:
    """Run a statement as a superuser."""

    async def execute() -> None:
        address = sa.make_url(database.admin_url).set(drivername="postgresql")
        connection = await asyncpg.connect(address.render_as_string(hide_password=False))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    in_thread(asyncio.run, execute())


@on_postgres
def test_the_role_of_the_application_is_accepted(database: Database) -> None:
    in_thread(require_protection, settings_of(database))


@on_postgres
@pytest.mark.parametrize(
    ("address", "reason"),
    [
        (lambda database: database.admin_url, "is a superuser"),
        (lambda database: database.owner_url, "owns tables"),
        (lambda database: database.jobs_url, "is a member of workroom_jobs"),
    ],
    ids=["superuser", "owner", "jobs"],
)
def test_a_role_that_sees_all_rows_is_refused(
    database: Database, address: Callable[[Database], str], reason: str
) -> None:
    settings = settings_of(database).model_copy(update={"database_url": address(database)})

    with pytest.raises(ConfigurationError, match=f"{reason}, so the database would not hide"):
        in_thread(require_protection, settings)


@on_postgres
def test_a_role_that_sees_all_rows_is_accepted_if_the_operator_says_so(database: Database) -> None:
    allowed = {"database_url": database.admin_url, "database_allow_bypass": True}

    in_thread(require_protection, settings_of(database).model_copy(update=allowed))


@on_postgres
def test_a_role_with_bypassrls_and_a_table_without_its_policy_are_refused(tmp_path: Path) -> None:
    with prepared_database(tmp_path) as database:
        run("migrate", **database.environment)
        name = sa.make_url(database.url).username

        administer(database, f"ALTER ROLE {name} BYPASSRLS")
        with pytest.raises(ConfigurationError, match="has BYPASSRLS"):
            in_thread(require_protection, settings_of(database))

        administer(database, f"ALTER ROLE {name} NOBYPASSRLS; ALTER TABLE tasks DISABLE ROW LEVEL SECURITY")
        with pytest.raises(ConfigurationError, match="tasks lack their row-level security"):
            in_thread(require_protection, settings_of(database))


@on_postgres
@pytest.mark.parametrize(
    "tampering",
    [
        "ALTER POLICY visible_rows ON tasks USING (true)",
        "CREATE POLICY everything ON tasks USING (true)",
        "DROP POLICY visible_rows ON tasks",
    ],
)
def test_a_policy_that_is_not_as_declared_is_noticed(tmp_path: Path, tampering: str) -> None:
    with prepared_database(tmp_path) as database:
        run("migrate", **database.environment)
        administer(database, tampering)

        with pytest.raises(ConfigurationError, match="tasks lack their row-level security"):
            in_thread(require_protection, settings_of(database))


@on_postgres
def test_jobs_need_their_own_role(database: Database) -> None:
    settings = settings_of(database).model_copy(update={"database_jobs_url": None})

    with pytest.raises(ConfigurationError, match="DATABASE_JOBS_URL must name a member"):
        in_thread(require_protection, settings)


@on_postgres
def test_the_command_can_be_repeated_and_repairs_a_policy(tmp_path: Path) -> None:
    with prepared_database(tmp_path) as database:
        run("migrate", **database.environment)
        administer(database, "DROP POLICY visible_rows ON projects")

        migrated = run("migrate", **database.environment)
        in_thread(require_protection, settings_of(database))
        administer(database, "ALTER POLICY visible_rows ON projects USING (true)")
        first = run("database", "roles", "--admin-url", database.admin_url, **database.environment)
        second = run("database", "roles", "--admin-url", database.admin_url, **database.environment)

        assert migrated.exit_code == 0, migrated.output
        assert "policies: projects" in first.output
        assert "Every role is up to date." in second.output
        in_thread(require_protection, settings_of(database))


@on_postgres
def test_an_installation_with_one_role_is_taken_over(tmp_path: Path) -> None:
    with prepared_database(tmp_path) as prepared, empty_database(tmp_path) as url:
        name = sa.make_url(url).database
        database = Database(
            *(
                sa.make_url(address).set(database=name).render_as_string(hide_password=False)
                for address in (prepared.url, prepared.owner_url, prepared.jobs_url)
            ),
            url,
        )
        run("migrate", DATABASE_URL=url)

        done = run("database", "roles", "--admin-url", url, **database.environment)

        assert "owns the tables; " in done.output
        in_thread(require_protection, settings_of(database))


def test_sqlite_has_no_roles(tmp_path: Path) -> None:
    done = run("database", "roles", DATABASE_URL=f"sqlite:///{tmp_path}/workroom.db")

    assert done.exit_code == 1
    assert "SQLite has no roles" in done.output


@on_postgres
def test_two_addresses_with_one_role_are_refused(database: Database) -> None:
    environment = {**database.environment, "DATABASE_JOBS_URL": database.url}

    done = run("database", "roles", "--admin-url", database.admin_url, **environment)

    assert "must name three different users" in done.output
