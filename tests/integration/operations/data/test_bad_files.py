"""A file that is damaged, was changed, or belongs elsewhere: a clear message, and nothing is written."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from saas_app.db.base import utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.models import EmailDomain
from saas_app.operations.data import organization_import
from saas_app.operations.data.archive import UnusableFile
from saas_app.operations.data.organization_export import export_organization
from saas_app.operations.data.organization_import import import_organization
from saas_app.organizations.removal import request_removal
from tests.integration.operations.data.conftest import REVISION, fill, tables_of
from tests.offices import Office

Rows = list[dict[str, Any]]
EditRows = Callable[[Rows], object]


class Export:
    """The files of an export, which a test changes. Hashes and counts are made again, as a forger would."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with zipfile.ZipFile(path) as archive:
            self.files = {name: archive.read(name) for name in archive.namelist()}
        self.manifest = json.loads(self.files["manifest.json"])

    def rows(self, table: str) -> Rows:
        return [json.loads(line) for line in self.files[f"{table}.jsonl"].splitlines()]

    def replace(self, table: str, rows: Rows) -> None:
        content = "".join(json.dumps(row) + "\n" for row in rows).encode()
        self.replace_content(table, content, len(rows))

    def replace_content(self, table: str, content: bytes, count: int) -> None:
        self.files[f"{table}.jsonl"] = content
        digest = hashlib.sha256(content).hexdigest()
        self.manifest["tables"][table] = {"rows": count, "sha256": digest}

    def save(self) -> Path:
        self.files["manifest.json"] = json.dumps(self.manifest).encode()
        with zipfile.ZipFile(self.path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in self.files.items():
                archive.writestr(name, content)
        return self.path


@pytest.fixture(scope="module")
async def original(
    shared_acme: Office, operator: UnitOfWork, tmp_path_factory: pytest.TempPathFactory
) -> bytes:
    """An export that is never imported, so that all tests can change copies of it."""
    await fill(operator, shared_acme)
    path = tmp_path_factory.mktemp("original") / "acme.zip"
    await export_organization(operator, shared_acme.id, path, REVISION)
    return path.read_bytes()


@pytest.fixture
def bad(original: bytes, tmp_path: Path) -> Path:
    """A file for a test to damage."""
    path = tmp_path / "acme.zip"
    path.write_bytes(original)
    return path


@pytest.fixture
def export(bad: Path) -> Export:
    return Export(bad)


async def assert_refused(there: UnitOfWork, acme: Office, path: Path, words: str) -> None:
    """Import a file, and check the message and that nothing was written."""
    with pytest.raises(UnusableFile, match=words):
        await import_organization(there, path, REVISION)
    found = await tables_of(there, acme.id)
    assert {name: rows for name, rows in found.items() if rows and name != "users"} == {}


@pytest.mark.parametrize(
    ("table", "edit", "words"),
    [
        ("projects", lambda rows: rows[0].update(organization_id="other"), "row 1 of projects belongs to"),
        ("organizations", lambda rows: rows[0].update(id="other"), "belongs to another organization"),
        ("projects", lambda rows: rows.append(rows[0]), "the database refused rows of projects"),
        ("users", lambda rows: rows.append(rows[0]), "row 2 of users is a duplicate"),
        ("projects", lambda rows: rows[0].update(color="red"), "the column 'color' is unknown"),
        ("projects", lambda rows: rows[0].pop("name"), "the column 'name' is missing"),
        ("projects", lambda rows: rows[0].update(name=None), "'name' is empty"),
        ("projects", lambda rows: rows[0].update(name=7), "'name' has an invalid value"),
        ("projects", lambda rows: rows[0].update(name="x" * 121), "'name' has an invalid value"),
        ("projects", lambda rows: rows[0].update(status="lost"), "'status' has an invalid value"),
        ("projects", lambda rows: rows[0].update(version=2**31), "'version' has an invalid value"),
        ("projects", lambda rows: rows[0].update(version=True), "'version' has an invalid value"),
        ("projects", lambda rows: rows[0].update(id="1"), "'id' has an invalid value"),
        ("projects", lambda rows: rows[0].update(created_at="2026-11-29T10:00:00"), "'created_at' has an"),
        ("tasks", lambda rows: rows[0].update(due_on="soon"), "'due_on' has an invalid value"),
        (
            "tasks",
            lambda rows: rows[0].update(project_id=rows[0]["id"]),
            "the database refused rows of tasks",
        ),
    ],
)
async def test_a_changed_row_is_rejected(
    shared_acme: Office, export: Export, there: UnitOfWork, table: str, edit: EditRows, words: str
) -> None:
    rows = export.rows(table)
    edit(rows)
    export.replace(table, rows)

    await assert_refused(there, shared_acme, export.save(), words)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[1]\n", "line 1 of projects.jsonl is no JSON object"),
        (b"{\n", "is no JSON object"),
        (b"[" * 100_000, "is no JSON object"),
        (b'{"id": NaN}\n', "is no JSON object"),
        (b"\xff\n", "is no JSON object"),
        (b" " * 2_000_000, "would unpack to 2,000,000 bytes"),
        (bytes(range(256)).replace(b"\n", b"") * 4_000, "has a line of more than 1,000,000 bytes"),
    ],
)
async def test_a_file_without_rows_is_rejected(
    shared_acme: Office, export: Export, there: UnitOfWork, content: bytes, words: str
) -> None:
    export.replace_content("projects", content, 1)

    await assert_refused(there, shared_acme, export.save(), words)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"version": 2}, "its format has the version 2, not 1"),
        ({"revision": "abc"}, "at the migration abc, and this one is at"),
        ({"format": "workroom-person"}, "no export of an organization"),
        ({"format": "other"}, "its manifest is invalid at 'format'"),
        ({"organization": {"id": "a/b"}}, "its manifest is invalid at 'organization.id'"),
        ({"surprise": 1}, "its manifest is invalid at 'surprise'"),
        ({"tables": {}}, "not contain exactly the files"),
    ],
)
async def test_a_manifest_of_something_else_is_rejected(
    shared_acme: Office, export: Export, there: UnitOfWork, changes: dict[str, Any], words: str
) -> None:
    export.manifest.update(changes)

    await assert_refused(there, shared_acme, export.save(), words)


async def test_an_unknown_table_is_rejected(shared_acme: Office, export: Export, there: UnitOfWork) -> None:
    export.replace("sessions", [])

    await assert_refused(there, shared_acme, export.save(), "the table 'sessions' is unknown")


async def test_a_missing_table_is_rejected(shared_acme: Office, export: Export, there: UnitOfWork) -> None:
    del export.files["tasks.jsonl"], export.manifest["tables"]["tasks"]

    await assert_refused(there, shared_acme, export.save(), "the table 'tasks' is missing")


@pytest.mark.parametrize("what", [{"rows": 1}, {"sha256": "0" * 64}])
async def test_rows_that_differ_from_the_manifest_are_rejected(
    shared_acme: Office, export: Export, there: UnitOfWork, what: dict[str, Any]
) -> None:
    export.manifest["tables"]["audit_events"].update(what)

    await assert_refused(
        there, shared_acme, export.save(), "audit_events.jsonl is not what its manifest says"
    )


@pytest.mark.parametrize("length", [0, 10, 500, -1])
async def test_a_truncated_file_is_rejected(
    shared_acme: Office, bad: Path, there: UnitOfWork, length: int
) -> None:
    bad.write_bytes(bad.read_bytes()[:length])  # noqa: ASYNC240 - a small file

    await assert_refused(there, shared_acme, bad, "it is no zip file, or is incomplete")


async def test_a_damaged_file_is_rejected(shared_acme: Office, bad: Path, there: UnitOfWork) -> None:
    with zipfile.ZipFile(bad) as archive:
        place = archive.getinfo("audit_events.jsonl").header_offset + 200
    content = bytearray(bad.read_bytes())  # noqa: ASYNC240 - a small file
    content[place] ^= 0xFF
    bad.write_bytes(content)  # noqa: ASYNC240

    await assert_refused(there, shared_acme, bad, r"audit_events.jsonl is (damaged|not what)|no JSON object")


async def test_a_missing_file_is_named(shared_acme: Office, there: UnitOfWork, tmp_path: Path) -> None:
    await assert_refused(there, shared_acme, tmp_path / "none.zip", "cannot be read: No such file")


async def test_an_organization_that_has_rows_there_is_rejected(
    acme: Office, file: Path, there: UnitOfWork
) -> None:
    await import_organization(there, file, REVISION)
    before = await tables_of(there, acme.id)

    with pytest.raises(UnusableFile, match=f"has rows of the organization {acme.id} already"):
        await import_organization(there, file, REVISION)

    assert await tables_of(there, acme.id) == before


async def test_an_organization_that_was_deleted_there_is_rejected(
    acme: Office, file: Path, there: UnitOfWork
) -> None:
    async with there.writing() as db:
        await request_removal(db, acme.id, acme.name, "ada")

    await assert_refused(there, acme, file, "was deleted from this database")


async def test_a_domain_that_another_organization_has_verified_is_rejected(
    shared_acme: Office, export: Export, there: UnitOfWork
) -> None:
    (claim,) = export.rows("email_domains")
    export.replace("email_domains", [{**claim, "verified_at": claim["claimed_at"]}])
    now = utc_now()
    holder = {"token": "t", "claimed_at": now, "verified_at": now}
    async with there.writing() as db:
        db.add(EmailDomain(organization_id="holder", domain=claim["domain"], **holder))

    await assert_refused(there, shared_acme, export.save(), "claim what another organization holds here")


async def test_a_crash_while_rows_are_inserted_leaves_nothing(
    acme: Office, file: Path, there: UnitOfWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_arguments: object) -> None:
        raise RuntimeError("crash")

    with monkeypatch.context() as patched:
        patched.setattr(organization_import, "record", crash)  # the last step of the import
        with pytest.raises(RuntimeError, match="crash"):
            await import_organization(there, file, REVISION)

    await import_organization(there, file, REVISION)
    assert (await tables_of(there, acme.id))["projects"]
