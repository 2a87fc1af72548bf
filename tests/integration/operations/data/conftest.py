"""An organization with rows in many tables, and databases to which it moves."""

from __future__ import annotations

import json
import zipfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from saas_app.db.base import utc_now
from saas_app.db.engine import create_engine
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.identity.role_ends import set_end
from saas_app.models import ApiClient, EmailDomain, Ending, FormerMembership, SsoPerson
from saas_app.operations.data.organization_export import export_organization
from saas_app.operations.data.tables import organization_parts, read_pages
from saas_app.operations.migrate import newest_migration
from saas_app.single_sign_on.queries import add_connection, change_connection, save_secret
from tests.conftest import OpenOffice
from tests.databases import Database, empty_database_at, migrate, migrated_database
from tests.integration.projects.rows import add_project
from tests.offices import Office

REVISION = newest_migration() or ""
Tables = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="package")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Another migrated database of the same kind. Every test has its own organization in it."""
    with migrated_database(tmp_path_factory.mktemp("elsewhere")) as database:
        yield database


@pytest.fixture(scope="package")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A migrated SQLite database, whatever the database of the tests is."""
    with empty_database_at(None, tmp_path_factory.mktemp("sqlite")) as url:
        migrate(url)
        yield url


@pytest.fixture
async def there(elsewhere: Database) -> AsyncIterator[UnitOfWork]:
    """Transactions in the other database."""
    engine = create_engine(elsewhere.owner_url)
    yield UnitOfWork(engine)
    await engine.dispose()


async def fill(operator: UnitOfWork, acme: Office) -> None:
    """Let the admin make a project, and add rows that only other ways write."""
    project = {"name": "Größe “ß”", "description": "a\nb"}
    await acme.browsers["admin"].post(f"{acme.root}/projects/new", project)
    now = utc_now()
    async with operator.writing(acme.id) as db:
        await add_project(db, tasks=3)
        db.add(ApiClient(client_id="m-1", name="Robot", created_by=acme.admin.id, created_at=now))
        names = {"organization_name": acme.name, "ending": Ending.LEFT}
        db.add(FormerMembership(organization_id=acme.id, user_id="gone", ended_at=now, **names))
        domain = f"{acme.id}.example".lower()
        db.add(EmailDomain(organization_id=acme.id, domain=domain, token="t", claimed_at=now))
        await add_connection(db, acme.id, f"c-{acme.id}", "Company", acme.admin.id, now)
        columns = {"domains": [domain], "group_roles": [["staff", "viewer"]], "on_at": now}
        await change_connection(db, acme.id, recovery_id=acme.admin.id, **columns)
        await save_secret(db, acme.id, b"sealed")
        db.add(SsoPerson(company_subject="u-1", subject="s-1", user_id=acme.admin.id))
        for user_id in ("u-1", "u-2"):  # the same role of two members
            await set_end(db, acme.id, user_id, "editor", now, given_by=acme.admin.id)


@pytest.fixture
async def acme(open_office: OpenOffice, operator: UnitOfWork) -> Office:
    """An organization with rows in many tables. A viewer was denied a page."""
    acme = await open_office(admin="Ada", viewer="Vera")
    await fill(operator, acme)
    await acme.browsers["viewer"].get(f"{acme.root}/audit", 403)
    return acme


@pytest.fixture
async def file(acme: Office, operator: UnitOfWork, tmp_path: Path) -> Path:
    """The organization's export."""
    path = tmp_path / "acme.zip"
    await export_organization(operator, acme.id, path, REVISION)
    return path


async def tables_of(work: UnitOfWork, organization_id: str) -> Tables:
    """Return all rows of an organization that an export contains."""
    found: Tables = {}
    async with work.reading(organization_id) as db:
        for part in organization_parts(organization_id):
            found[part.name] = [row async for page in read_pages(db, part) for row in page]
    return found


def contents_of(path: Path) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """Return the manifest of an export and the rows of its tables, read as any program would."""
    with zipfile.ZipFile(path) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        rows = {
            name.removesuffix(".jsonl"): list(map(json.loads, archive.read(name).decode().splitlines()))
            for name in archive.namelist()
            if name.endswith(".jsonl")
        }
    return manifest, rows


def files_in(folder: Path) -> list[str]:
    """Return the names of the files in a folder, also the hidden ones."""
    return [path.name for path in folder.iterdir()]
