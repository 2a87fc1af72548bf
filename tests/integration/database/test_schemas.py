"""A database whose tables are in a schema other than ``public``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from saas_app.errors import ConfigurationError
from saas_app.operations.database.protection import require_protection
from tests.commands import run
from tests.databases import Database, in_thread, prepared_database
from tests.integration.database.administering import administer, fetch, on_postgres, settings_of

pytestmark = on_postgres


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Database]:
    """A database with a second schema, and without tables."""
    with prepared_database(tmp_path) as database:
        administer(database, "CREATE SCHEMA workroom")
        yield database


def use(schema: str, database: Database) -> None:
    """Make a schema that of every role."""
    administer(database, f"ALTER DATABASE {sa.make_url(database.url).database} SET search_path = {schema}")


def create_roles(database: Database) -> str:
    """Run the command, and return what it says."""
    return run("database", "roles", "--admin-url", database.admin_url, **database.environment).output


def test_every_table_is_protected_in_another_schema(own: Database) -> None:
    use("workroom", own)

    create_roles(own)
    migrated = run("migrate", **own.environment)

    assert migrated.exit_code == 0, migrated.output
    in_thread(require_protection, settings_of(own))
    assert fetch(own.admin_url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [0]
    assert fetch(own.url, "SELECT count(*) FROM projects") == [0]
    assert "Every role is up to date." in create_roles(own)


@pytest.mark.parametrize("purpose", ["app", "jobs"])
def test_a_role_that_uses_another_schema_than_the_owner_is_refused(own: Database, purpose: str) -> None:
    run("migrate", **own.environment)
    url, setting = {"app": (own.url, "DATABASE_URL"), "jobs": (own.jobs_url, "DATABASE_JOBS_URL")}[purpose]
    name = sa.make_url(url).username
    administer(own, f"ALTER ROLE {name} SET search_path = workroom; GRANT USAGE ON SCHEMA workroom TO {name}")

    with pytest.raises(ConfigurationError, match=f"The role of {setting} finds no tables in its schema"):
        in_thread(require_protection, settings_of(own))

    administer(own, f"REVOKE USAGE ON SCHEMA workroom FROM {name}")


def test_a_schema_that_does_not_exist_is_named_before_anything_changes(own: Database) -> None:
    use("nothing", own)

    assert "No schema in the search_path of " in create_roles(own)
