"""Projects with tasks, for the rules about routes and for tests that need data."""

from __future__ import annotations

from uuid import UUID

from saas_app.db.base import new_uuid, utc_now
from saas_app.db.session import DatabaseSession
from saas_app.models import Project, ProjectStatus, Task, TaskStatus
from saas_app.models.project import fold_name
from saas_app.runtime import Runtime
from tests.factories import Factory
from tests.rules.rows import Rows


async def add_project(db: DatabaseSession, tasks: int = 1) -> tuple[UUID, list[UUID]]:
    """Add a project with tasks and return their ids. No audit event is written."""
    project_id, task_ids = new_uuid(), [new_uuid() for _ in range(tasks)]
    name, now = f"Project {project_id}", utc_now()
    made = {"created_by": "test", "created_at": now, "updated_at": now}
    status = ProjectStatus.ACTIVE
    db.add(
        Project(id=project_id, name=name, folded_name=fold_name(name), description="", status=status, **made)
    )
    await db.flush()
    db.add_all(
        Task(id=task_id, project_id=project_id, title="Task", status=TaskStatus.TODO, **made)
        for task_id in task_ids
    )
    return project_id, task_ids


async def make_project(_make: Factory, runtime: Runtime, organization_id: str) -> dict[str, UUID]:
    """Make a project with a task. Each route gets a new one, because some routes delete it."""
    async with runtime.work.writing(organization_id) as db:
        project_id, (task_id,) = await add_project(db)
    return {"project_id": project_id, "task_id": task_id}


ROWS = Rows(frozenset({"project_id", "task_id"}), make_project)
