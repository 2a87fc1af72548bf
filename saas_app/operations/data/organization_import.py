"""Imports an organization from the file of an export, completely or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DataError, IntegrityError

from saas_app.audit.recorder import SYSTEM, Action, AuditEntry, Target, record
from saas_app.db.session import WritingSession
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.db.upsert import insert_into
from saas_app.models import OrganizationRemoval
from saas_app.operations.data.archive import ArchiveReader, open_archive
from saas_app.operations.data.encoding import InvalidRow, decode_row
from saas_app.operations.data.organization_export import Moved
from saas_app.operations.data.tables import BATCH, Part, organization_parts, tenant_models
from saas_app.text.translation import _

_Rows = list[dict[str, Any]]


async def import_organization(work: UnitOfWork, path: Path, revision: str) -> Moved:
    """Check the whole file, and then insert its rows in one transaction, with an audit event.

    Names of people and of the organization that are known here stay. Raises
    :class:`saas_app.operations.data.archive.UnusableFile` if the file is damaged or was changed, and if the
    organization has rows here already.
    """
    with open_archive(path) as archive:
        organization_id, name, parts = _check_manifest(archive, revision)
        for part in parts:
            for _rows in _batches(archive, part, organization_id):
                pass  # reading to the end checks the hash
        async with work.writing(organization_id) as db:
            await _require_absent(archive, db, organization_id)
            for part in parts:
                await _insert(archive, db, part, organization_id)
            target = Target("organization", organization_id, name)
            record(db, AuditEntry(SYSTEM, Action.ORGANIZATION_IMPORT, target))
    return Moved(name, {table: file.rows for table, file in archive.manifest.tables.items()})


def _check_manifest(archive: ArchiveReader, revision: str) -> tuple[str, str, list[Part]]:
    manifest, organization = archive.manifest, archive.manifest.organization
    if manifest.format != "workroom-organization" or organization is None:
        archive.refuse(_("it is no export of an organization"))
    if manifest.revision != revision:
        archive.refuse(
            _(
                "it was exported from a database at the migration %(revision)s, and this one is at "
                "%(own_revision)s. Export it with the same version of Workroom",
                revision=manifest.revision[:32],
                own_revision=revision,
            )
        )
    parts = organization_parts(organization.id)
    if odd := sorted(manifest.tables.keys() ^ {part.name for part in parts}):
        archive.refuse(
            _("the table '%(name)s' is unknown", name=odd[0][:64])
            if odd[0] in manifest.tables
            else _("the table '%(name)s' is missing", name=odd[0][:64])
        )
    return organization.id, organization.name or organization.id, parts


def _batches(archive: ArchiveReader, part: Part, organization_id: str) -> Iterator[_Rows]:
    """Yield the rows of a part with the types of its columns. Their organization and keys are checked."""
    batch: _Rows = []
    seen: set[Any] = set()
    for number, found in enumerate(archive.rows(part.name), start=1):
        try:
            row = decode_row(part.columns, found)
        except InvalidRow as invalid:
            archive.refuse(
                _(
                    "row %(number)s of %(name)s is invalid: %(invalid)s",
                    number=str(number),
                    name=part.name,
                    invalid=invalid.reason,
                )
            )
        if _organization_of(part, row) not in (None, organization_id):
            archive.refuse(
                _(
                    "row %(number)s of %(name)s belongs to another organization",
                    number=str(number),
                    name=part.name,
                )
            )
        if part.key_of(row) in seen:
            archive.refuse(_("row %(number)s of %(name)s is a duplicate", number=str(number), name=part.name))
        if part.model not in _OWNED:  # the database itself refuses duplicates in tenant-owned tables
            seen.add(part.key_of(row))
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _organization_of(part: Part, row: dict[str, Any]) -> str | None:
    """Return the organization of a row, or None if it is a person."""
    owner: str | None = row["id"] if part.name == "organizations" else row.get("organization_id")
    return owner


async def _require_absent(archive: ArchiveReader, db: WritingSession, organization_id: str) -> None:
    """Check that no tenant-owned table has a row of the organization, and that it was not deleted here."""
    if await db.get(OrganizationRemoval, organization_id) is not None:
        archive.refuse(
            _(
                "the organization %(organization_id)s was deleted from this database",
                organization_id=organization_id,
            )
        )
    for model in tenant_models():
        if await db.scalar(sa.select(model.id).limit(1)) is not None:
            archive.refuse(
                _(
                    "this database has rows of the organization %(organization_id)s already, in %(table)s",
                    organization_id=organization_id,
                    table=model.__tablename__,
                )
            )


async def _insert(archive: ArchiveReader, db: WritingSession, part: Part, organization_id: str) -> None:
    """Insert the rows of a part. A row that is not confined to the organization stays if it exists."""
    statement: sa.Insert = sa.insert(part.model)
    if part.model not in _OWNED:
        key = sa.inspect(part.model).primary_key
        statement = insert_into(db, part.model).on_conflict_do_nothing(index_elements=list(key))
    try:
        for rows in _batches(archive, part, organization_id):
            await db.execute(statement, rows)
    except (IntegrityError, DataError):
        archive.refuse(
            _(
                "the database refused rows of %(name)s: they are duplicates, refer to rows that are "
                "missing, or claim what another organization holds here",
                name=part.name,
            )
        )


_OWNED = frozenset[Any](tenant_models())
