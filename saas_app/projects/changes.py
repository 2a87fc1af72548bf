"""Changes of projects and tasks, each with its entry in the audit log, in the transaction of the request.

The guard on the route has decided that the caller may do it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from saas_app.db.base import new_uuid
from saas_app.db.session import WritingSession
from saas_app.errors import Busy, VersionConflict
from saas_app.identity.named_members import CheckedMember, require_still_member
from saas_app.identity.tenant import Tenant
from saas_app.models import Project
from saas_app.models.project import fold_name
from saas_app.projects.audit_log import AuditLog
from saas_app.projects.queries import projects as queries
from saas_app.projects.queries import tasks as task_queries
from saas_app.projects.queries.projects import HeldProject, begin_change, moment_of_change
from saas_app.projects.service import get_project, get_task, no_project
from saas_app.projects.values import (
    ProjectArchived,
    ProjectConflict,
    ProjectDetail,
    ProjectInput,
    ProjectStatus,
    TaskConflict,
    TaskInput,
    TaskRow,
    TaskStatus,
)
from saas_app.text.translation import _
from saas_app.text.visible import isolated


async def create_project(db: WritingSession, tenant: Tenant, form: ProjectInput) -> uuid.UUID:
    """Create a project and return its id."""
    await begin_change(db, tenant.organization_id)
    project = _new_project(form, tenant.principal.subject, await moment_of_change(db))
    db.add(project)
    await db.flush()
    AuditLog(db, tenant).project_created(project.id, form)
    return project.id


async def edit_project(
    db: WritingSession, tenant: Tenant, project_id: uuid.UUID, version: int, form: ProjectInput
) -> None:
    """Save an edit of ``version``. Raises :class:`ProjectConflict` if the project has changed since."""
    now = (await _hold(db, tenant, project_id)).moment
    theirs = await get_project(db, tenant, project_id)
    if await queries.update_project(
        db, project_id, version, name=form.name, description=form.description, now=now
    ):
        AuditLog(db, tenant).project_edited(theirs, form)
        return
    if ProjectInput(theirs.name, theirs.description) != form:  # two equal edits do not conflict
        raise ProjectConflict(theirs, form)


async def archive_project(
    db: WritingSession, tenant: Tenant, project_id: uuid.UUID, version: int | None = None
) -> None:
    """Archive a project. Its tasks stay as they are. An archived project stays archived.

    ``version``, if given, must be the current one. Raises :class:`NotFound`, :class:`VersionConflict`.
    """
    project = await _change_status(db, tenant, project_id, version, ProjectStatus.ARCHIVED)
    if project is not None:
        AuditLog(db, tenant).project_archived(project)


async def unarchive_project(
    db: WritingSession, tenant: Tenant, project_id: uuid.UUID, version: int | None = None
) -> None:
    """Make an archived project active again. An active project stays active.

    ``version``, if given, must be the current one. Raises :class:`NotFound`, :class:`VersionConflict`.
    """
    project = await _change_status(db, tenant, project_id, version, ProjectStatus.ACTIVE)
    if project is not None:
        AuditLog(db, tenant).project_restored(project)


async def delete_project(
    db: WritingSession, tenant: Tenant, project_id: uuid.UUID, version: int | None = None
) -> None:
    """Delete a project and its tasks. ``version``, if given, must be the current one.

    Raises :class:`NotFound`, :class:`VersionConflict`.
    """
    await _hold(db, tenant, project_id)
    project = await get_project(db, tenant, project_id)
    _require_version(project, version)
    await queries.delete_project(db, project_id)
    AuditLog(db, tenant).project_deleted(project)


async def add_task(
    db: WritingSession,
    tenant: Tenant,
    project_id: uuid.UUID,
    form: TaskInput,
    assignee: CheckedMember | None = None,
) -> TaskRow:
    """Add a task to an active project and return it. See :func:`add_tasks`."""
    (task,) = await add_tasks(db, tenant, project_id, [form], [assignee] if assignee else ())
    return task


async def add_tasks(
    db: WritingSession,
    tenant: Tenant,
    project_id: uuid.UUID,
    forms: Sequence[TaskInput],
    assignees: Sequence[CheckedMember] = (),
) -> list[TaskRow]:
    """Add tasks to an active project, all or none, and return them in order.

    ``assignees`` are the people whom they name, as checked. Raises :class:`NotFound`,
    :class:`ProjectArchived`, and :class:`Busy` if a membership has just changed.
    """
    project = await _touch(db, tenant, project_id)
    await _require_checked(db, tenant, {form.assignee_id for form in forms}, assignees)
    tasks = [_new_task(form, project_id, project.moment) for form in forms]
    await task_queries.insert_tasks(db, tasks, tenant.principal.subject)
    log = AuditLog(db, tenant)
    for task, form in zip(tasks, forms, strict=True):
        log.task_created(task.id, project.name, form)
    return tasks


async def edit_task(
    db: WritingSession,
    tenant: Tenant,
    project_id: uuid.UUID,
    task_id: uuid.UUID,
    version: int,
    form: TaskInput,
    assignee: CheckedMember | None = None,
) -> None:
    """Save an edit of ``version``. ``assignee`` is a new assignee, as checked.

    Raises :class:`TaskConflict` if the task has changed since, :class:`ProjectArchived`, and :class:`Busy` if
    the membership of the assignee has just changed.
    """
    now = (await _touch(db, tenant, project_id)).moment
    theirs = await get_task(db, tenant, project_id, task_id)
    if form.assignee_id != theirs.assignee_id:
        await _require_checked(db, tenant, {form.assignee_id}, [assignee] if assignee else [])
    if await task_queries.update_task(db, project_id, task_id, version, form, now):
        AuditLog(db, tenant).task_edited(theirs, form)
        return
    if theirs.as_input != form:
        raise TaskConflict(theirs, form)


async def set_task_status(
    db: WritingSession, tenant: Tenant, task: TaskRow, version: int, status: TaskStatus
) -> None:
    """Change only the status of a task, read at ``version``.

    Raises :class:`TaskConflict` if the task has changed since, and :class:`ProjectArchived`.
    """
    form = replace(task.as_input, status=status)
    await edit_task(db, tenant, task.project_id, task.id, version, form)


async def delete_task(
    db: WritingSession,
    tenant: Tenant,
    project_id: uuid.UUID,
    task_id: uuid.UUID,
    version: int | None = None,
) -> None:
    """Delete a task of an active project. ``version``, if given, must be the current one.

    Raises :class:`NotFound`, :class:`ProjectArchived`, :class:`VersionConflict`.
    """
    project = await _touch(db, tenant, project_id)
    task = await get_task(db, tenant, project_id, task_id)
    _require_version(task, version)
    await task_queries.delete_task(db, project_id, task_id)
    AuditLog(db, tenant).task_deleted(task, project.name)


async def _require_checked(
    db: WritingSession, tenant: Tenant, named: set[str | None], checked: Sequence[CheckedMember]
) -> None:
    """Check that those whom tasks are assigned to were found to be members, and still are.

    Raises :class:`Busy`: a task that was assigned meanwhile was not checked.
    """
    members = {member.user_id: member for member in checked}
    for user_id in sorted(filter(None, named)):
        if user_id not in members:
            raise Busy(_("The assignee has just changed. Try again."))
        await require_still_member(db, tenant.organization_id, members[user_id])


async def _change_status(
    db: WritingSession, tenant: Tenant, project_id: uuid.UUID, version: int | None, status: ProjectStatus
) -> ProjectDetail | None:
    """Return the project as it was before the change, or None if it has the status already."""
    now = (await _hold(db, tenant, project_id)).moment
    project = await get_project(db, tenant, project_id)
    _require_version(project, version)
    return project if await queries.update_status(db, project_id, status, now) else None


def _require_version(current: ProjectDetail | TaskRow, version: int | None) -> None:
    if version is not None and current.version != version:
        raise VersionConflict


async def _touch(db: WritingSession, tenant: Tenant, project_id: uuid.UUID) -> HeldProject:
    """Hold an active project while one of its tasks changes, and record that it changes.

    Raises :class:`NotFound`, :class:`ProjectArchived`.
    """
    project = await hold_active(db, tenant, project_id)
    await queries.touch_project(db, project_id, project.moment)
    return project


async def hold_active(db: WritingSession, tenant: Tenant, project_id: uuid.UUID) -> HeldProject:
    """Lock an active project until the transaction ends.

    Raises :class:`NotFound`, :class:`ProjectArchived`.
    """
    project = await _hold(db, tenant, project_id)
    if project.status is ProjectStatus.ARCHIVED:
        raise ProjectArchived(
            _("“%(name)s” is archived. Unarchive it to change its tasks.", name=isolated(project.name))
        )
    return project


async def _hold(db: WritingSession, tenant: Tenant, project_id: uuid.UUID) -> HeldProject:
    """Lock the project until the transaction ends. Raises :class:`NotFound`."""
    await begin_change(db, tenant.organization_id)
    project = await queries.hold_project(db, project_id)
    if project is None:
        raise no_project(tenant)
    return project


def record_export(db: WritingSession, tenant: Tenant) -> None:
    """Record in the audit log that the projects were exported."""
    AuditLog(db, tenant).projects_exported()


def _new_project(form: ProjectInput, created_by: str, now: datetime) -> Project:
    return Project(
        id=new_uuid(),
        name=form.name,
        folded_name=fold_name(form.name),
        description=form.description,
        status=ProjectStatus.ACTIVE,
        created_by=created_by,
        created_at=now,
        updated_at=now,
    )


def _new_task(form: TaskInput, project_id: uuid.UUID, now: datetime) -> TaskRow:
    return TaskRow(
        id=new_uuid(),
        project_id=project_id,
        title=form.title,
        status=form.status,
        due_on=form.due_on,
        created_at=now,
        updated_at=now,
        completed_at=now if form.status is TaskStatus.DONE else None,
        version=1,
        assignee_id=form.assignee_id,
    )
