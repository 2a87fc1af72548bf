"""Changes of several projects or tasks that somebody chose on a list, each with its entry in the audit log.

All run in the transaction of the request, so that a failure leaves every row as it was. A row that does not
exist in the organization, or changed after the list was read, is skipped.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeAlias, TypeVar

from saas_app.changes.rows import CHANGED_MEANWHILE, GONE, RowResult
from saas_app.db.session import WritingSession
from saas_app.identity.tenant import Tenant
from saas_app.projects.audit_log import AuditLog
from saas_app.projects.changes import hold_active
from saas_app.projects.queries import chosen as queries
from saas_app.projects.queries.projects import begin_change, moment_of_change, touch_project
from saas_app.projects.values import ProjectDetail, ProjectStatus, TaskRow, TaskStatus
from saas_app.text.translation import Sentence, _

Chosen: TypeAlias = Mapping[uuid.UUID, int]
"""The chosen rows, with the versions that their author saw."""

Row = TypeVar("Row")

_HAS_STATUS: Final = {
    ProjectStatus.ARCHIVED: _("It is already archived."),
    ProjectStatus.ACTIVE: _("It is not archived."),
}
_IS_DONE: Final = _("It is already done.")


async def archive_projects(db: WritingSession, tenant: Tenant, chosen: Chosen) -> list[RowResult]:
    """Archive projects. Their tasks stay as they are."""
    return await _change_status(db, tenant, chosen, ProjectStatus.ARCHIVED)


async def unarchive_projects(db: WritingSession, tenant: Tenant, chosen: Chosen) -> list[RowResult]:
    """Make archived projects active again."""
    return await _change_status(db, tenant, chosen, ProjectStatus.ACTIVE)


async def delete_projects(db: WritingSession, tenant: Tenant, chosen: Chosen) -> list[RowResult]:
    """Delete projects with their tasks."""
    await begin_change(db, tenant.organization_id)
    found = await queries.list_projects(db, chosen)
    results = [_project_result(row_id, version, found.get(row_id)) for row_id, version in chosen.items()]
    done = _changed(found, results)
    if done:
        await queries.delete_projects(db, [project.id for project in done])
    for project in done:
        AuditLog(db, tenant).project_deleted(project)
    return results


async def complete_tasks(
    db: WritingSession, tenant: Tenant, project_id: uuid.UUID, chosen: Chosen
) -> list[RowResult]:
    """Mark tasks of an active project as done. Raises :class:`NotFound`, :class:`ProjectArchived`."""
    project = await hold_active(db, tenant, project_id)
    found = await queries.list_tasks(db, project_id, chosen)
    results = [
        _task_result(row_id, version, found.get(row_id), finished=_IS_DONE)
        for row_id, version in chosen.items()
    ]
    done = _changed(found, results)
    if done:
        await touch_project(db, project_id, project.moment)
        await queries.complete_tasks(db, [task.id for task in done], project.moment)
    for task in done:
        AuditLog(db, tenant).task_edited(task, replace(task.as_input, status=TaskStatus.DONE))
    return results


async def delete_tasks(
    db: WritingSession, tenant: Tenant, project_id: uuid.UUID, chosen: Chosen
) -> list[RowResult]:
    """Delete tasks of an active project. Raises :class:`NotFound`, :class:`ProjectArchived`."""
    project = await hold_active(db, tenant, project_id)
    found = await queries.list_tasks(db, project_id, chosen)
    results = [_task_result(row_id, version, found.get(row_id)) for row_id, version in chosen.items()]
    done = _changed(found, results)
    if done:
        await touch_project(db, project_id, project.moment)
        await queries.delete_tasks(db, [task.id for task in done])
    for task in done:
        AuditLog(db, tenant).task_deleted(task, project.name)
    return results


async def _change_status(
    db: WritingSession, tenant: Tenant, chosen: Chosen, status: ProjectStatus
) -> list[RowResult]:
    await begin_change(db, tenant.organization_id)
    found = await queries.list_projects(db, chosen)
    results = [
        _project_result(row_id, version, found.get(row_id), status) for row_id, version in chosen.items()
    ]
    done = _changed(found, results)
    if done:
        await queries.update_statuses(
            db, [project.id for project in done], status, await moment_of_change(db)
        )
    log = AuditLog(db, tenant)
    for project in done:
        if status is ProjectStatus.ARCHIVED:
            log.project_archived(project)
        else:
            log.project_restored(project)
    return results


def _changed(found: Mapping[uuid.UUID, Row], results: Sequence[RowResult]) -> list[Row]:
    """Return the rows that are not skipped."""
    return [found[uuid.UUID(result.id)] for result in results if result.is_done]


def _project_result(
    row_id: uuid.UUID, version: int, project: ProjectDetail | None, wanted: ProjectStatus | None = None
) -> RowResult:
    if project is None:
        return RowResult(str(row_id), "", GONE)
    skipped: Sentence | None = None
    if project.status is wanted:
        skipped = _HAS_STATUS[wanted]
    elif project.version != version:
        skipped = CHANGED_MEANWHILE
    return RowResult(str(row_id), project.name, skipped)


def _task_result(
    row_id: uuid.UUID, version: int, task: TaskRow | None, finished: Sentence | None = None
) -> RowResult:
    if task is None:
        return RowResult(str(row_id), "", GONE)
    skipped: Sentence | None = None
    if finished is not None and task.status is TaskStatus.DONE:
        skipped = finished
    elif task.version != version:
        skipped = CHANGED_MEANWHILE
    return RowResult(str(row_id), task.title, skipped)
