"""Exports what is stored about a person, in all organizations (GDPR Art. 15 and 20)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from saas_app.db.base import utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import NotFound
from saas_app.operations.data.archive import VERSION, Manifest, Named, new_archive
from saas_app.operations.data.organizations import list_organization_ids
from saas_app.operations.data.tables import (
    person_parts,
    person_parts_in_organization,
    read_pages,
)
from saas_app.text.translation import _

_LEFT_OUT = {
    "kept_forms": "Forms that wait for a sign-in. They are encrypted, and expire within hours.",
    "lab_players": "Secrets of role-play members of the lab.",
    "session_tokens": "Tokens.",
    "shown_secrets": "Secrets.",
    "sign_in_attempts": "Sign-ins under way, and how browsers signed in. They are encrypted, and expire.",
}

_Pages = AsyncIterator[list[dict[str, Any]]]


async def export_person(work: UnitOfWork, user_id: str, path: Path, revision: str) -> dict[str, int]:
    """Write what is stored about a person to a new file, and return the number of rows of each table.

    Raises :class:`NotFound` if that is nothing, and :class:`saas_app.operations.data.archive.UnusableFile`.
    """
    with new_archive(path) as archive:
        exported_at = utc_now()
        for place, part in enumerate(person_parts(user_id)):
            await archive.write_table(part.name, _outside(work, user_id, place))
        organization_ids = await list_organization_ids(work)
        for place, part in enumerate(person_parts_in_organization(user_id)):
            await archive.write_table(part.name, _inside(work, organization_ids, user_id, place))
        rows = {table: file.rows for table, file in archive.tables.items()}
        if not any(rows.values()):
            raise NotFound(_("Nothing is stored about a person with the ID %(user_id)s.", user_id=user_id))
        archive.finish(
            Manifest(
                format="workroom-person",
                version=VERSION,
                revision=revision,
                exported_at=exported_at,
                person=Named(id=user_id),
                tables=archive.tables,
                left_out=_LEFT_OUT,
            )
        )
    return rows


async def _outside(work: UnitOfWork, user_id: str, place: int) -> _Pages:
    async with work.reading() as db:
        async for rows in read_pages(db, person_parts(user_id)[place]):
            yield rows


async def _inside(work: UnitOfWork, organization_ids: list[str], user_id: str, place: int) -> _Pages:
    for organization_id in organization_ids:
        async with work.reading(organization_id) as db:
            async for rows in read_pages(db, person_parts_in_organization(user_id)[place]):
                yield rows
