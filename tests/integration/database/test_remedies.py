"""What ``saas-app serve`` refuses, with a remedy that works when it is followed to the letter."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from saas_app.errors import ConfigurationError
from saas_app.operations.database.protection import require_protection
from tests.commands import run
from tests.databases import Database, in_thread, prepared_database
from tests.integration.database.administering import administer, on_postgres, settings_of

pytestmark = on_postgres


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A migrated database that these tests damage and repair."""
    with prepared_database(tmp_path_factory.mktemp("damaged")) as database:
        run("migrate", **database.environment)
        yield database


@pytest.fixture
def own(damaged: Database) -> Iterator[Database]:
    """The same database. Afterwards, the superuser owns it again, and its rights are as they were."""
    yield damaged
    administer(damaged, f"ALTER DATABASE {sa.make_url(damaged.url).database} OWNER TO CURRENT_USER")
    run("database", "roles", "--admin-url", damaged.admin_url, **damaged.environment)


def follow(remedy: str, database: Database) -> None:
    """Do what a message says."""
    if statement := re.search("A superuser has to run: (.+?;)", remedy):
        administer(database, statement[1])
        return
    command = re.search("'saas-app (database roles|migrate)[^']*'", remedy)
    assert command, remedy
    options = ("--admin-url", database.admin_url) if command[1] == "database roles" else ()
    done = run(*command[1].split(), *options, **database.environment)
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("ALTER ROLE {app} BYPASSRLS", "has BYPASSRLS, so"),
        ("ALTER ROLE {app} CREATEROLE", "may create roles, so"),
        ("GRANT {owner} TO {app}", "owns tables, as a member of {owner}, so"),
        (
            "ALTER ROLE {app} NOINHERIT; GRANT {owner} TO {app};"
            "GRANT CONNECT ON DATABASE {database} TO {app}; GRANT USAGE ON SCHEMA public TO {app}",
            "owns tables, as a member of {owner}, so",
        ),
        ("ALTER TABLE tasks OWNER TO {app}", "owns tables, so"),
        ("GRANT workroom_jobs TO {app}", "is a member of workroom_jobs, so"),
        ("GRANT {jobs} TO {app}", "is a member of workroom_jobs, so"),
        ("GRANT {jobs} TO {owner}; GRANT {owner} TO {app}", "owns tables, as a member of {owner}, so"),
        ("GRANT CREATE ON SCHEMA public TO {app}", "may create tables, so"),
        ("GRANT CREATE ON SCHEMA public TO PUBLIC", "may create tables, so"),
        (
            "GRANT CREATE ON SCHEMA public TO workroom_app",
            "may create tables, as a member of workroom_app, so",
        ),
        (
            "REVOKE workroom_jobs FROM {jobs}; GRANT {jobs} TO {app};GRANT CREATE ON SCHEMA public TO {jobs}",
            "may create tables, as a member of {jobs}, so",
        ),
        (
            "ALTER DATABASE {database} OWNER TO {app}",
            "may create tables, as a member of pg_database_owner, so",
        ),
        (
            "ALTER TABLE tasks DISABLE ROW LEVEL SECURITY",
            "These tables lack their row-level security: tasks.",
        ),
        ("DROP POLICY visible_rows ON tasks", "These tables lack their row-level security: tasks."),
    ],
)
def test_the_remedy_of_a_refusal_works(own: Database, damage: str, reason: str) -> None:
    urls = {"app": own.url, "owner": own.owner_url, "jobs": own.jobs_url}
    names = {purpose: str(sa.make_url(url).username) for purpose, url in urls.items()}
    names["database"] = str(sa.make_url(own.url).database)
    administer(own, damage.format(**names))
    with pytest.raises(ConfigurationError) as refusal:
        in_thread(require_protection, settings_of(own))

    follow(str(refusal.value), own)

    assert reason.format(**names) in str(refusal.value)
    administer(own, "ALTER ROLE {app} INHERIT; GRANT workroom_jobs TO {jobs}".format(**names))
    in_thread(require_protection, settings_of(own))
