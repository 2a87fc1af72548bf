"""Entries in the audit log for changes of projects and tasks, in the transaction of the change."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from saas_app.audit.recorder import Action, Actor, AuditEntry, Target, changed_fields, record
from saas_app.db.session import WritingSession

if TYPE_CHECKING:
    from saas_app.identity.tenant import Tenant
    from saas_app.projects.values import ProjectDetail, ProjectInput, TaskInput, TaskRow

_Fields: TypeAlias = dict[str, Any] | None

_ACTIVE = {"status": "active"}
_ARCHIVED = {"status": "archived"}


@dataclass(frozen=True, slots=True)
class AuditLog:
    """The audit log, for one caller in one transaction."""

    db: WritingSession
    tenant: Tenant

    def project_created(self, project_id: uuid.UUID, form: ProjectInput) -> None:
        """Record a new project, with all its fields."""
        self._project(Action.PROJECT_CREATE, project_id, form.name, None, project_fields(form))

    def project_edited(self, was: ProjectDetail, form: ProjectInput) -> None:
        """Record the fields that an edit changed. An edit that changes nothing is not recorded."""
        before, after = changed_fields(project_fields(was), project_fields(form))
        if after:
            self._project(Action.PROJECT_UPDATE, was.id, form.name, before, after)

    def project_archived(self, project: ProjectDetail) -> None:
        """Record that the project was archived."""
        self._project(Action.PROJECT_ARCHIVE, project.id, project.name, _ACTIVE, _ARCHIVED)

    def project_restored(self, project: ProjectDetail) -> None:
        """Record that the project is active again."""
        self._project(Action.PROJECT_RESTORE, project.id, project.name, _ARCHIVED, _ACTIVE)

    def project_deleted(self, was: ProjectDetail) -> None:
        """Record that the project was deleted, and how many tasks went with it."""
        before = {**project_fields(was), "status": was.status.value, "tasks": was.all_tasks}
        self._project(Action.PROJECT_DELETE, was.id, was.name, before, None)

    def projects_exported(self) -> None:
        """Record that all projects were exported."""
        target = Target("organization", self.tenant.organization_id, self.tenant.organization_name)
        self._record(Action.PROJECT_EXPORT, target, None, None)

    def task_created(self, task_id: uuid.UUID, project: str, form: TaskInput) -> None:
        """Record a new task, with all its fields and the name of its project."""
        self._task(Action.TASK_CREATE, task_id, form.title, None, {"project": project, **task_fields(form)})

    def task_edited(self, was: TaskRow, form: TaskInput) -> None:
        """Record the fields that an edit changed. An edit that changes nothing is not recorded."""
        before, after = changed_fields(task_fields(was), task_fields(form))
        if after:
            self._task(Action.TASK_UPDATE, was.id, form.title, before, after)

    def task_deleted(self, was: TaskRow, project: str) -> None:
        """Record that the task was deleted."""
        self._task(Action.TASK_DELETE, was.id, was.title, {"project": project, **task_fields(was)}, None)

    def _project(
        self, action: Action, project_id: uuid.UUID, name: str, before: _Fields, after: _Fields
    ) -> None:
        self._record(action, Target("project", str(project_id), name), before, after)

    def _task(self, action: Action, task_id: uuid.UUID, title: str, before: _Fields, after: _Fields) -> None:
        self._record(action, Target("task", str(task_id), title), before, after)

    def _record(self, action: Action, target: Target, before: _Fields, after: _Fields) -> None:
        actor = Actor.of(self.tenant.principal)
        record(self.db, AuditEntry(actor, action, target, before, after))


def project_fields(side: ProjectDetail | ProjectInput) -> dict[str, Any]:
    """Return the fields of a project as an event stores them."""
    return {"name": side.name, "description": side.description}


def task_fields(side: TaskRow | TaskInput) -> dict[str, Any]:
    """Return the fields of a task as an event stores them."""
    due_on = side.due_on.isoformat() if side.due_on else None
    return {
        "title": side.title,
        "status": side.status.value,
        "due_on": due_on,
        "assignee_id": side.assignee_id,
    }
