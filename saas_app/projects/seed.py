"""Creates the demo's projects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle

from saas_app.audit.recorder import SYSTEM, Action, AuditEntry, Target, record
from saas_app.db.base import new_uuid, utc_now
from saas_app.db.session import WritingSession
from saas_app.models import Project, ProjectStatus, Task, TaskStatus
from saas_app.models.project import fold_name
from saas_app.projects.queries import projects as queries

__all__ = ["SeedProject", "SeedTask", "TaskStatus", "seed_projects"]


@dataclass(frozen=True, slots=True)
class SeedTask:
    """A task. Days are counted from the day of seeding, so that a demo never looks old.

    A negative ``due_in_days`` makes it overdue. ``completed_days_ago`` is ignored unless the task is done.
    """

    title: str
    status: TaskStatus = TaskStatus.TODO
    due_in_days: int | None = None
    completed_days_ago: float = 0


@dataclass(frozen=True, slots=True)
class SeedProject:
    """A project with its tasks. Days are counted back from the day of seeding."""

    name: str
    description: str = ""
    archived: bool = False
    created_days_ago: float = 30
    updated_days_ago: float = 0
    tasks: tuple[SeedTask, ...] = ()


async def seed_projects(
    db: WritingSession, created_by: str, projects: Sequence[SeedProject], workers: Sequence[str] = ()
) -> tuple[str, ...]:
    """Create the projects whose names the organization does not have yet, and return their names.

    ``db`` is a writing session bound to the organization. ``created_by`` is the subject that is shown as
    their creator. ``workers`` are members, who take turns as assignees of the tasks. What nobody has started
    at the end of a project is assigned to nobody.
    """
    present = await queries.find_names_among(db, [project.name for project in projects])
    now, turns = utc_now(), cycle(workers or [None])
    created = []
    for seed in projects:
        if seed.name in present:
            continue
        present.add(seed.name)
        project = _project(seed, created_by, now)
        db.add(project)
        for task in seed.tasks:
            is_free = task is seed.tasks[-1] and task.status is TaskStatus.TODO
            db.add(_task(task, project, now, None if is_free else next(turns)))
        _record(db, project, seed)
        created.append(seed.name)
    await db.flush()
    return tuple(created)


def _record(db: WritingSession, project: Project, seed: SeedProject) -> None:
    """Record the creation of a project, at its backdated time."""
    target = Target("project", str(project.id), project.name)
    after = {"name": project.name, "description": project.description, "tasks": len(seed.tasks)}
    record(db, AuditEntry(SYSTEM, Action.PROJECT_CREATE, target, after=after), at=project.created_at)


def _project(seed: SeedProject, created_by: str, now: datetime) -> Project:
    return Project(
        id=new_uuid(),
        name=seed.name,
        folded_name=fold_name(seed.name),
        description=seed.description,
        status=ProjectStatus.ARCHIVED if seed.archived else ProjectStatus.ACTIVE,
        created_by=created_by,
        created_at=now - timedelta(days=seed.created_days_ago),
        updated_at=now - timedelta(days=seed.updated_days_ago),
    )


def _task(seed: SeedTask, project: Project, now: datetime, assignee_id: str | None) -> Task:
    done = seed.status is TaskStatus.DONE
    completed_at = now - timedelta(days=seed.completed_days_ago) if done else None
    return Task(
        id=new_uuid(),
        project_id=project.id,
        title=seed.title,
        status=seed.status,
        due_on=None if seed.due_in_days is None else now.date() + timedelta(days=seed.due_in_days),
        assignee_id=assignee_id,
        created_by=project.created_by,
        created_at=project.created_at,
        updated_at=completed_at or project.created_at,
        completed_at=completed_at,
    )
