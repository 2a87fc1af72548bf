"""``saas-app organization`` and ``saas-app person``: output, messages and exit codes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from click.testing import Result
from local_logto.testing import Provider

from saas_app.db.engine import create_engine
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.logto import ManagementClient
from saas_app.operations.data.database import on_database
from tests.clients import Person
from tests.commands import ask, run
from tests.databases import Database, empty_database
from tests.factories import Factory
from tests.integration.audit.conftest import add_events


@pytest.fixture
def environment(provider: Provider, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of an operator: the database, and the Management API."""
    for name, value in {**provider.environment, **database.environment}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def organization_id(database: Database, request: pytest.FixtureRequest) -> str:
    """An organization with two audit events."""
    organization_id = f"org-{abs(hash(request.node.nodeid))}"

    async def fill() -> None:
        engine = create_engine(database.owner_url)
        await add_events(UnitOfWork(engine), organization_id, 2)
        await engine.dispose()

    asyncio.run(fill())
    return organization_id


def assert_failed(result: Result, words: str) -> None:
    assert result.exit_code == 1
    assert words in result.output
    assert "Traceback" not in result.output


@pytest.mark.usefixtures("environment")
def test_an_organization_is_exported_and_imported(
    organization_id: str, elsewhere: Database, tmp_path: Path
) -> None:
    exported = run("organization", "export", organization_id, "--to", tmp_path / "acme.zip")
    imported = run("organization", "import", tmp_path / "acme.zip", **elsewhere.environment)

    assert exported.exit_code == imported.exit_code == 0, exported.output + imported.output
    assert "         3  audit_events" in exported.output.splitlines()
    assert exported.output.splitlines()[-1] == f"Exported {organization_id}: 3 rows."
    assert imported.output.splitlines()[-1] == f"Imported {organization_id}: 3 rows."


@pytest.mark.usefixtures("environment")
def test_a_file_that_is_no_export_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "acme.zip").write_text("hello")

    assert_failed(run("organization", "import", tmp_path / "acme.zip"), "it is no zip file")


@pytest.mark.usefixtures("environment")
def test_an_unknown_organization_is_an_error(tmp_path: Path) -> None:
    assert_failed(run("organization", "export", "none", "--to", tmp_path / "n.zip"), "has no organization")


@pytest.mark.usefixtures("environment")
def test_a_database_without_migrations_is_rejected(tmp_path: Path) -> None:
    with empty_database(tmp_path) as url:
        result = run("organization", "export", "acme", "--to", tmp_path / "a.zip", DATABASE_OWNER_URL=url)

    assert_failed(result, "Run 'saas-app migrate' first")


@pytest.fixture
async def people(make: Factory) -> tuple[str, Person]:
    """An organization's name and its only admin, beside another member."""
    admin = await make.person("Ada")
    organization = await make.empty_organization()
    await make.join(organization.id, admin, "admin")
    await make.member(organization.id, "Vera", "viewer")
    return organization.name, admin


@pytest.mark.usefixtures("environment")
def test_a_person_with_an_account_is_not_erased_and_sole_admins_are_named(
    people: tuple[str, Person],
) -> None:
    name, admin = people

    result = run("person", "erase", admin.id)

    assert_failed(result, f"The account {admin.id} still exists in Logto")
    assert "cannot be undone" not in result.output
    assert f"Warning: this person is the only admin of {name}." in result.output


@pytest.mark.usefixtures("environment")
def test_a_person_whose_account_is_deleted_is_erased(provider: Provider, people: tuple[str, Person]) -> None:
    _name, admin = people
    ask(provider, lambda client: _delete(client, admin))

    result = run("person", "erase", admin.id, "--yes")

    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[-1].startswith("Erased. The pseudonym is erased-")
    assert "The person's ID stays for 24 hours" in result.output


@pytest.mark.usefixtures("environment")
def test_an_erasure_is_confirmed(provider: Provider, people: tuple[str, Person]) -> None:
    _name, admin = people
    ask(provider, lambda client: _delete(client, admin))
    assert_failed(run("person", "erase", admin.id), "Erase this person? This cannot be undone.")


@pytest.mark.usefixtures("environment")
def test_a_person_is_exported(tmp_path: Path) -> None:
    async def add(work: UnitOfWork, _revision: str) -> None:
        await add_events(work, "org-of-sam", 1)

    on_database(add)

    result = run("person", "export", "sam", "--to", tmp_path / "sam.zip")

    assert result.exit_code == 0, result.output
    assert "audit_events" in result.output


async def _delete(client: ManagementClient, person: Person) -> None:
    await client._transport.call("DELETE", f"/users/{person.id}")
