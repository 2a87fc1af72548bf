"""Roles of PostgreSQL: created by a command, and checked before the application serves."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    execute(database.admin_url, statement)


def execute(url: str, statement: str) -> None:
    """Run a statement as the role of an address."""

    async def run_it() -> None:
        address = sa.make_url(url).set(drivername="postgresql")
        connection = await asyncpg.connect(address.render_as_string(hide_password=False))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    in_thread(asyncio.run, run_it())


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
    ("right", "reason"),
    [
        ("ALTER ROLE {app} NOINHERIT; GRANT {owner} TO {app}", "owns tables"),
        ("ALTER ROLE {app} NOINHERIT; GRANT workroom_jobs TO {app}", "is a member of workroom_jobs"),
        ("ALTER ROLE {app} CREATEROLE", "may create roles"),
        ("GRANT CREATE ON SCHEMA public TO {app}", "may create tables"),
    ],
    ids=["owner", "jobs", "roles", "tables"],
)
def test_a_role_that_can_give_itself_more_rights_is_refused(tmp_path: Path, right: str, reason: str) -> None:
    with prepared_database(tmp_path) as database:
        run("migrate", **database.environment)
        app, owner = (sa.make_url(url) for url in (database.url, database.owner_url))
        administer(database, f"GRANT CONNECT ON DATABASE {app.database} TO {app.username}")
        administer(database, f"GRANT USAGE ON SCHEMA public TO {app.username}")
        administer(database, right.format(app=app.username, owner=owner.username))

        with pytest.raises(ConfigurationError, match=f"{reason}, so the database would not hide"):
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


@contextmanager
def new_role(database: Database, rights: str) -> Iterator[str]:
    """Create a role for a while. Returns the address of the database for it."""
    name = f"workroom_test_{uuid.uuid4().hex[:16]}"
    administer(database, f"CREATE ROLE {name} LOGIN {rights} PASSWORD 'secret'")
    url = sa.make_url(database.url).set(username=name, password="secret")
    try:
        yield url.render_as_string(hide_password=False)
    finally:
        administer(database, f"DROP OWNED BY {name}; DROP ROLE {name}")


@on_postgres
@pytest.mark.parametrize("variable", ["DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_JOBS_URL"])
def test_a_superuser_in_an_address_keeps_all_rights(database: Database, variable: str) -> None:
    with new_role(database, "SUPERUSER") as url:
        environment = {**database.environment, variable: url}

        done = run("database", "roles", "--admin-url", database.admin_url, **environment)

        name = sa.make_url(url).username
        assert done.exit_code == 1
        assert f"The role {name} is a superuser" in done.output
        with pytest.raises(ConfigurationError, match="is a superuser"):
            in_thread(require_protection, settings_of(database).model_copy(update={"database_url": url}))


@on_postgres
def test_the_command_takes_away_what_was_granted_to_the_application_itself(tmp_path: Path) -> None:
    with prepared_database(tmp_path) as database:
        run("migrate", **database.environment)
        app = sa.make_url(database.url)
        administer(database, f"ALTER DATABASE {app.database} OWNER TO {app.username}")
        administer(database, f"GRANT CREATE ON SCHEMA public TO {app.username}")
        administer(
            database, f"GRANT SELECT ON erasures TO {app.username}; GRANT SELECT ON erasures TO PUBLIC"
        )

        done = run("database", "roles", "--admin-url", database.admin_url, **database.environment)

        assert done.exit_code == 0, done.output
        in_thread(require_protection, settings_of(database))
        administer(database, f"ALTER DATABASE {app.database} OWNER TO CURRENT_USER")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="erasures"):
            execute(database.url, "SELECT * FROM erasures")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="temporary tables"):
            execute(database.url, "CREATE TEMPORARY TABLE tasks (id int)")


@on_postgres
def test_a_role_that_may_create_roles_can_repeat_the_command_after_migrations(tmp_path: Path) -> None:
    with prepared_database(tmp_path) as database, new_role(database, "CREATEROLE") as admin_url:
        admin = sa.make_url(admin_url)
        administer(database, f"GRANT CONNECT ON DATABASE {admin.database} TO {admin.username}")
        run("migrate", **database.environment)
        administer(database, "ALTER POLICY visible_rows ON projects USING (true)")

        done = run("database", "roles", "--admin-url", admin_url, **database.environment)

        assert done.exit_code == 0, done.output
        assert "policies: projects" in done.output
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
