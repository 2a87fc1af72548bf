"""Exports an organization: to move it to another database, or to hand its data over (GDPR Art. 20)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from saas_app.audit.recorder import SYSTEM, Action, AuditEntry, Target, record
from saas_app.db.base import utc_now
from saas_app.db.session import DatabaseSession
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import NotFound
from saas_app.models import AuditEvent, Organization
from saas_app.operations.data.archive import VERSION, Manifest, Named, new_archive
from saas_app.operations.data.tables import LEFT_OUT, organization_parts, read_pages
from saas_app.text.translation import _


@dataclass(frozen=True, slots=True)
class Moved:
    """An organization that was exported or imported, with the number of rows of each table."""

    organization_name: str
    rows: dict[str, int]


async def export_organization(work: UnitOfWork, organization_id: str, path: Path, revision: str) -> Moved:
    """Write everything that belongs to an organization to a new file, as it was at one moment.

    The audit event of the export comes first, so that no file exists without one. Raises :class:`NotFound`
    if the database knows no such organization, and :class:`UnusableFile`.
    """
    with new_archive(path) as archive:
        name = await _record_export(work, organization_id)
        async with work.snapshot(organization_id) as db:
            exported_at = utc_now()
            for part in organization_parts(organization_id):
                await archive.write_table(part.name, read_pages(db, part))
        archive.finish(
            Manifest(
                format="workroom-organization",
                version=VERSION,
                revision=revision,
                exported_at=exported_at,
                organization=Named(id=organization_id, name=name),
                tables=archive.tables,
                left_out=LEFT_OUT,
            )
        )
    return Moved(name, {table: file.rows for table, file in archive.tables.items()})


async def _record_export(work: UnitOfWork, organization_id: str) -> str:
    """Record the event, and return the organization's name, or its id if no name is stored."""
    async with work.writing(organization_id) as db:
        name = await _find_name(db, organization_id)
        target = Target("organization", organization_id, name)
        record(db, AuditEntry(SYSTEM, Action.ORGANIZATION_EXPORT, target))
    return name


async def _find_name(db: DatabaseSession, organization_id: str) -> str:
    name: str | None = await db.scalar(sa.select(Organization.name).where(Organization.id == organization_id))
    if name is not None:
        return name
    if await db.scalar(sa.select(AuditEvent.id).limit(1)) is None:
        raise NotFound(
            _(
                "This database has no organization with the ID %(organization_id)s.",
                organization_id=organization_id,
            )
        )
    return organization_id
