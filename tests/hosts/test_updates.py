"""Two hosts behind a proxy, while the product is restarted and updated."""

from __future__ import annotations

import asyncio
import io
import re
import secrets
import subprocess
import tarfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from saas_app.config import MIGRATIONS
from saas_app.operations.migrate import newest_migration
from tests.databases import ROOT
from tests.hosts.acme import Acme
from tests.hosts.cluster import Cluster, create_database, database_environment, with_source
from tests.hosts.conftest import NewVisitor, Note
from tests.hosts.load import requests_going_on
from tests.hosts.programs import Program

pytestmark = pytest.mark.one_database

_PARTS = ("saas_app", "templates", "migrations")


async def test_a_rolling_restart_under_load_fails_no_request(
    cluster: Cluster, acme: Acme, note: Note
) -> None:
    async with requests_going_on(acme.browsers, acme.root) as load:
        for name, host in cluster.hosts.items():
            with load.event(f"restart of {name}"):
                await asyncio.to_thread(host.restart)
                await load.successes(10, served_by=host.address)

    note(load)
    assert load.failed == []


@dataclass(frozen=True, slots=True)
class Older:
    """The version before the newest migration: its files, and the migration that it knows."""

    source: Path
    revision: str


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Older:
    """The files of the commit before the newest migration was added."""
    folder = MIGRATIONS / "versions"
    (newest,) = [
        path for path in folder.glob("*.py") if f"revision = '{newest_migration()}'" in path.read_text()
    ]
    added = _git("log", "--format=%H", "--diff-filter=A", "-1", "--", str(newest)).decode().strip()
    before = _git("rev-parse", "--verify", "--quiet", f"{added}^").decode().strip()
    if not added or not before:
        pytest.skip("several hosts: git does not know the version before the newest migration")
    directory = tmp_path_factory.mktemp("older")
    with tarfile.open(fileobj=io.BytesIO(_git("archive", before, *_PARTS))) as archive:
        archive.extractall(directory, filter="data")
    (revision,) = re.findall(r"^down_revision = '(\w+)'", newest.read_text(), re.MULTILINE)
    return Older(directory, revision)


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True).stdout


def as_owner(variables: dict[str, str]) -> dict[str, str]:
    """Return the variables of an installation with one role, as before the database hid rows."""
    owner = variables["DATABASE_OWNER_URL"]
    return {**dict.fromkeys(variables, owner), "DATABASE_ALLOW_BYPASS": "true"}


@pytest.fixture
async def older_host(cluster: Cluster, older: Older) -> AsyncIterator[Program]:
    """The older version in place of the first host. It is not running yet."""
    host = with_source(cluster.one, older.source)
    host.environment = {**host.environment, **as_owner(database_environment(cluster.database))}
    async with cluster.in_place_of("one", host):
        yield host


async def test_an_older_version_works_on_the_newer_schema(
    acme: Acme, older_host: Program, new_visitor: NewVisitor
) -> None:
    await asyncio.to_thread(older_host.start)

    visitor = await new_visitor(acme.editor, at="one")
    created = await visitor.post(acme.form, {"name": "Made by the older version"}, at="one")

    project = created.location.removeprefix(acme.cluster.url)
    assert "Made by the older version" in (await visitor.get(project, at="one")).text
    assert "Made by the older version" in (await visitor.get(f"{acme.root}/projects", at="two")).text


async def test_migrations_fail_no_request_of_the_older_version(
    cluster: Cluster, acme: Acme, older: Older, older_host: Program, new_visitor: NewVisitor, note: Note
) -> None:
    name = f"older_{secrets.token_hex(3)}"
    variables = database_environment(cluster.database, name)
    await asyncio.to_thread(create_database, cluster.database, name, older.revision)
    older_host.environment = {**older_host.environment, **as_owner(variables)}
    await asyncio.to_thread(older_host.start)
    editor = await new_visitor(acme.editor, at="one")
    async with requests_going_on([editor], acme.root, at="one") as load:
        with load.event("saas-app migrate"):
            printed = await asyncio.to_thread(partial(cluster.command, "migrate", **variables))
        await load.successes(30)

    note(load)
    assert printed.startswith(f"Migrated from {older.revision}")
    assert load.failed == []
