"""What is stored about a person, handed over in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import NotFound
from saas_app.operations.data.person_export import export_person
from tests.integration.operations.data.conftest import REVISION, contents_of, files_in
from tests.offices import Office


async def test_the_file_has_the_persons_rows_of_every_organization(
    acme: Office, operator: UnitOfWork, tmp_path: Path
) -> None:
    counts = await export_person(operator, acme.admin.id, tmp_path / "ada.zip", REVISION)

    manifest, rows = contents_of(tmp_path / "ada.zip")
    assert (manifest["format"], manifest["person"]) == ("workroom-person", {"id": acme.admin.id})
    assert counts == {table: len(found) for table, found in rows.items()}
    assert [row["username"] for row in rows["users"]] == [acme.admin.username]
    assert [row["created_by"] for row in rows["projects"]] == [acme.admin.id]
    assert [row["client_id"] for row in rows["api_clients"]] == ["m-1"]
    assert [row["recovery_id"] for row in rows["sso_connections"]] == [acme.admin.id]
    assert [row["company_subject"] for row in rows["sso_people"]] == ["u-1"]
    assert {(row["organization_id"], row["actor_id"]) for row in rows["audit_events"]} == {
        (acme.id, acme.admin.id)
    }


async def test_sessions_are_described_without_tokens(
    acme: Office, operator: UnitOfWork, tmp_path: Path
) -> None:
    await export_person(operator, acme.admin.id, tmp_path / "ada.zip", REVISION)

    (session,) = contents_of(tmp_path / "ada.zip")[1]["sessions"]
    assert {"created_at", "user_agent", "address"} <= session.keys()
    assert not {"cookie_hash", "id_token", "refresh_token"} & session.keys()


async def test_an_unknown_person_is_not_found(operator: UnitOfWork, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="Nothing is stored about a person with the ID nobody"):
        await export_person(operator, "nobody", tmp_path / "nobody.zip", REVISION)

    assert files_in(tmp_path) == []
