"""An organization moves to another database: what its people see there, and every row."""

from __future__ import annotations

import hashlib
import stat
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import Base, TenantOwned, utc_now
from saas_app.db.engine import create_engine
from saas_app.db.session import DatabaseSession
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import NotFound
from saas_app.identity.role_ends import set_end
from saas_app.models import AuditActor, AuditEvent, Project, ProjectName
from saas_app.operations.data import organization_export
from saas_app.operations.data.archive import UnusableFile
from saas_app.operations.data.organization_export import export_organization
from saas_app.operations.data.organization_import import import_organization
from saas_app.operations.data.tables import BATCH, LEFT_OUT, Part, organization_parts, tenant_models
from saas_app.runtime import Runtime
from saas_app.single_sign_on.queries import find_secret
from tests.conftest import OpenApp, OpenBrowser
from tests.databases import Database
from tests.integration.audit.conftest import add_events
from tests.integration.operations.data.conftest import REVISION, contents_of, files_in, tables_of
from tests.integration.records import actions_of, events_of
from tests.offices import Office


async def test_people_sign_in_at_the_other_installation_and_see_the_same_pages(
    acme: Office,
    file: Path,
    there: UnitOfWork,
    elsewhere: Database,
    open_app: OpenApp,
    open_browser: OpenBrowser,
) -> None:
    await import_organization(there, file, REVISION)
    urls = {"database_url": elsewhere.url, "database_jobs_url": elsewhere.jobs_url}

    ada = await open_browser(acme.admin, at=await open_app(**urls))

    projects = await ada.text(f"{acme.root}/projects")
    assert "Größe “ß”" in projects
    audit = await ada.text(f"{acme.root}/audit")
    for words in ("Project created", "Access denied", "Organization exported", "Organization imported"):
        assert words in audit
    assert "Größe “ß”" in await ada.text(f"{acme.root}/projects?q=gr%C3%B6%C3%9Fe")  # the index for searching
    assert "Access denied" in await ada.text(f"{acme.root}/audit?actor=vera")


async def test_every_row_is_the_same_in_the_other_database(
    acme: Office, file: Path, operator: UnitOfWork, there: UnitOfWork
) -> None:
    await import_organization(there, file, REVISION)

    moved, original = await tables_of(there, acme.id), await tables_of(operator, acme.id)
    assert moved["audit_events"].pop()["action"] == "organization.import"
    assert moved == original
    assert all(
        original[name]
        for name in (
            *("projects", "tasks", "audit_events", "api_clients", "email_domains"),
            *("sso_connections", "sso_people", "role_ends"),
        )
    )


async def test_the_secret_of_single_sign_on_stays(file: Path, acme: Office, there: UnitOfWork) -> None:
    await import_organization(there, file, REVISION)

    async with there.reading(acme.id) as db:
        assert await find_secret(db) is None
    assert "sso_secrets" in contents_of(file)[0]["left_out"]


async def test_rows_survive_sqlite_and_the_way_back(
    acme: Office, file: Path, operator: UnitOfWork, there: UnitOfWork, on_sqlite: str, tmp_path: Path
) -> None:
    engine = create_engine(on_sqlite)
    await import_organization(UnitOfWork(engine), file, REVISION)
    await export_organization(UnitOfWork(engine), acme.id, tmp_path / "again.zip", REVISION)
    await engine.dispose()

    await import_organization(there, tmp_path / "again.zip", REVISION)

    back, original = await tables_of(there, acme.id), await tables_of(operator, acme.id)
    assert back.pop("audit_events")[: len(original["audit_events"])] == original.pop("audit_events")
    assert back == original


async def test_derived_tables_are_filled_once(
    acme: Office, file: Path, operator: UnitOfWork, there: UnitOfWork
) -> None:
    await import_organization(there, file, REVISION)

    names = sa.select(ProjectName.id, ProjectName.folded_name).order_by(ProjectName.id)
    actors = sa.select(AuditActor.id, AuditActor.name).order_by(AuditActor.id)
    async with operator.reading(acme.id) as here, there.reading(acme.id) as new:
        for derived in (names, actors):
            assert (await new.execute(derived)).all() == (await here.execute(derived)).all()


async def test_the_export_is_recorded_and_contains_its_own_entry(
    acme: Office, file: Path, runtime: Runtime
) -> None:
    recorded = await events_of(runtime, acme.id)

    assert (recorded[-1].action, recorded[-1].actor_id) == ("organization.export", "system")
    assert contents_of(file)[1]["audit_events"][-1]["id"] == str(recorded[-1].id)


async def test_the_manifest_says_what_is_in_the_file(acme: Office, file: Path) -> None:
    manifest, rows = contents_of(file)

    assert (manifest["format"], manifest["version"]) == ("workroom-organization", 1)
    assert manifest["organization"] == {"id": acme.id, "name": acme.name}
    assert manifest["revision"] == REVISION
    assert manifest["left_out"] == LEFT_OUT
    with zipfile.ZipFile(file) as archive:
        for name, entry in manifest["tables"].items():
            content = archive.read(f"{name}.jsonl")
            assert entry == {"rows": len(rows[name]), "sha256": hashlib.sha256(content).hexdigest()}
    assert {row["id"] for row in rows["users"]} == {acme.admin.id}  # the viewer made nothing


async def test_more_rows_than_a_batch_are_exported_in_order(
    acme: Office, runtime: Runtime, operator: UnitOfWork, tmp_path: Path
) -> None:
    await add_events(operator, acme.id, 2 * BATCH)

    await export_organization(operator, acme.id, tmp_path / "acme.zip", REVISION)

    ids = [row["id"] for row in contents_of(tmp_path / "acme.zip")[1]["audit_events"]]
    assert ids == [str(event.id) for event in await events_of(runtime, acme.id)]


async def test_more_ends_of_one_role_than_a_batch_are_exported(
    acme: Office, operator: UnitOfWork, tmp_path: Path
) -> None:
    people = [f"u-{number:04}" for number in range(BATCH + 3)]
    async with operator.writing(acme.id) as db:
        for user_id in people:
            await set_end(db, acme.id, user_id, "viewer", utc_now(), given_by=acme.admin.id)

    await export_organization(operator, acme.id, tmp_path / "acme.zip", REVISION)

    rows = contents_of(tmp_path / "acme.zip")[1]["role_ends"]
    assert [row["user_id"] for row in rows if row["role"] == "viewer"] == people


async def test_a_change_during_the_export_is_not_in_it(
    acme: Office, runtime: Runtime, operator: UnitOfWork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_pages = organization_export.read_pages

    async def with_a_change(db: DatabaseSession, part: Part) -> AsyncIterator[list[dict[str, Any]]]:
        async for rows in read_pages(db, part):
            yield rows
            await add_events(operator, acme.id, 1)

    monkeypatch.setattr(organization_export, "read_pages", with_a_change)
    await export_organization(operator, acme.id, tmp_path / "acme.zip", REVISION)

    exported = contents_of(tmp_path / "acme.zip")[1]["audit_events"]
    assert exported[-1]["action"] == "organization.export"
    assert (await actions_of(runtime, acme.id))[-1] == "project.create"


async def test_a_new_tenant_owned_table_is_exported_without_a_change() -> None:
    class Note(TenantOwned, Base):
        __tablename__ = "notes_of_a_test"

        text: Mapped[str] = mapped_column(sa.Text)

    try:
        parts = {part.name: part for part in organization_parts("acme")}
        assert list(parts["notes_of_a_test"].columns) == ["text", "organization_id", "id"]
    finally:
        Base.metadata.remove(Note.__table__)  # type: ignore[arg-type]
        Base.registry._dispose_cls(Note)


def test_every_table_is_exported_or_left_out_for_a_reason() -> None:
    exported = {part.name for part in organization_parts("acme")}

    assert exported | set(LEFT_OUT) == set(Base.metadata.tables)
    assert not exported & set(LEFT_OUT)
    assert {Project, AuditEvent} <= set(tenant_models())


async def test_no_secret_of_a_session_is_exported(acme: Office, file: Path, runtime: Runtime) -> None:
    _manifest, rows = contents_of(file)

    assert not {"sessions", "session_tokens", "shown_secrets", "idempotency_keys"} & rows.keys()
    assert acme.browser.session_cookie not in str(rows)


def test_only_its_owner_can_read_the_file(file: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert files_in(file.parent) == [file.name]


async def test_an_existing_file_stays(acme: Office, operator: UnitOfWork, tmp_path: Path) -> None:
    path = tmp_path / "acme.zip"
    path.write_text("mine")

    with pytest.raises(UnusableFile, match="exists already"):
        await export_organization(operator, acme.id, path, REVISION)

    assert path.read_text() == "mine"


async def test_a_failed_export_leaves_no_file(
    acme: Office, operator: UnitOfWork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(organization_export, "Manifest", None)

    with pytest.raises(TypeError):
        await export_organization(operator, acme.id, tmp_path / "acme.zip", REVISION)

    assert files_in(tmp_path) == []


async def test_an_unknown_organization_is_not_found(operator: UnitOfWork, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no organization with the ID nowhere"):
        await export_organization(operator, "nowhere", tmp_path / "acme.zip", REVISION)

    assert files_in(tmp_path) == []
