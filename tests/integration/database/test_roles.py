"""Roles of PostgreSQL: created by a command, and checked before the application serves."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest
import sqlalchemy as sa

from saas_app.errors import ConfigurationError
from saas_app.operations.database.protection import require_protection
from tests.commands import run
from tests.databases import Database, empty_database, in_thread, prepared_database
from tests.integration.database.administering import administer, execute, fetch, on_postgres, settings_of


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
        with pytest.raises(ConfigurationError, match="row-level security: tasks"):
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

        with pytest.raises(ConfigurationError, match="row-level security: tasks"):
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
        assert "policies and grants: projects" in first.output
        assert "Every role is up to date." in second.output
        in_thread(require_protection, settings_of(database))


@on_postgres
def test_migrating_says_for_which_tables_it_set_policies_or_grants(tmp_path: Path) -> None:
    with prepared_database(tmp_path) as database:
        run("migrate", **database.environment)
        administer(database, "ALTER TABLE tasks DISABLE ROW LEVEL SECURITY")
        administer(database, "GRANT UPDATE ON audit_events TO workroom_app")
        administer(database, "REVOKE SELECT ON alembic_version FROM workroom_jobs")

        repaired = run("migrate", **database.environment)
        again = run("migrate", **database.environment)

        assert (
            "Set the policies and grants of 3 tables: audit_events, tasks, alembic_version."
            in repaired.output
        )
        assert "up to date" not in repaired.output
        assert again.output.startswith("The database is up to date")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="audit_events"):
            execute(database.url, "UPDATE audit_events SET action = ''")


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
        assert not fetch(database.admin_url, OWNED_BY_THE_SUPERUSER)


OWNED_BY_THE_SUPERUSER = """
SELECT relname FROM pg_class WHERE relowner = CURRENT_USER::regrole AND relkind IN ('r', 'p', 'S')
AND relnamespace = current_schema()::regnamespace
UNION ALL
SELECT proname FROM pg_proc WHERE proowner = CURRENT_USER::regrole
AND pronamespace = current_schema()::regnamespace
AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
"""
"""Tables, sequences and routines, without those of extensions."""


@on_postgres
def test_tables_of_other_applications_keep_their_owner(tmp_path: Path) -> None:
    with prepared_database(tmp_path) as database:
        run("migrate", **database.environment)
        administer(database, "CREATE TABLE theirs (id serial); CREATE TABLE tasks_archive (id int)")
        administer(database, "CREATE FUNCTION their_trigger() RETURNS int LANGUAGE sql AS 'SELECT 1'")

        done = run("database", "roles", "--admin-url", database.admin_url, **database.environment)

        assert "left alone: tasks_archive, theirs. Roles that use them need: GRANT CONNECT" in done.output
        kept = {"theirs", "theirs_id_seq", "tasks_archive", "their_trigger"}
        assert set(fetch(database.admin_url, OWNED_BY_THE_SUPERUSER)) == kept


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
        assert "policies and grants: projects" in done.output
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
