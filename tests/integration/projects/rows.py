"""A project with a task, for the rules about routes."""

from __future__ import annotations

from uuid import UUID

from saas_app.db.base import new_uuid, utc_now
from saas_app.models import Project, ProjectStatus, Task, TaskStatus
from saas_app.models.project import fold_name
from saas_app.runtime import Runtime
from tests.factories import Factory
from tests.rules.rows import Rows


async def make_project(_make: Factory, runtime: Runtime, organization_id: str) -> dict[str, UUID]:
    """Make a project with a task, so that a route that deletes takes nothing from the next."""
    project_id, task_id = new_uuid(), new_uuid()
    name, now = f"Project {project_id}", utc_now()
    made = {"created_by": "test", "created_at": now, "updated_at": now}
    async with runtime.work.writing(organization_id) as db:
        db.add(
            Project(
                id=project_id,
                name=name,
                folded_name=fold_name(name),
                description="",
                status=ProjectStatus.ACTIVE,
                **made,
            )
        )
        await db.flush()
        db.add(Task(id=task_id, project_id=project_id, title="Task", status=TaskStatus.TODO, **made))
    return {"project_id": project_id, "task_id": task_id}


ROWS = Rows(frozenset({"project_id", "task_id"}), make_project)
