"""The frozen values that the parts of this feature hand to each other, and its errors."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TypeAlias

from saas_app.errors import AppError, VersionConflict
from saas_app.models import ProjectStatus as ProjectStatus
from saas_app.models import TaskStatus as TaskStatus

CHANGED_MEANWHILE = "Another change was saved after you opened it. Nothing was overwritten."


class StatusFilter(StrEnum):
    """The status of the listed projects."""

    ACTIVE = "active"
    ARCHIVED = "archived"
    ALL = "all"


class ProjectSort(StrEnum):
    """The sort order of projects: by last activity, by name, or newest first.

    Only the last of these is an order in which nothing ever moves.
    """

    UPDATED = "updated"
    NAME = "name"
    CREATED = "created"


@dataclass(frozen=True, slots=True)
class ProjectFilter:
    """What a list is asked for. ``search`` is a part of the name, in any case; empty means all."""

    search: str = ""
    status: StatusFilter = StatusFilter.ACTIVE
    sort: ProjectSort = ProjectSort.UPDATED


ProjectKey: TypeAlias = tuple[datetime | str, uuid.UUID]
"""A project's place in a list: the moment or the ``folded_name`` by which it is sorted, and its id."""


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """A line of the list. ``excerpt`` is how the description begins."""

    id: uuid.UUID
    name: str
    folded_name: str
    excerpt: str
    status: ProjectStatus
    updated_at: datetime
    open_tasks: int
    done_tasks: int
    created_at: datetime

    @property
    def all_tasks(self) -> int:
        """How many tasks the project has."""
        return self.open_tasks + self.done_tasks

    def key(self, sort: ProjectSort) -> ProjectKey:
        """Its place in a list sorted like this."""
        if sort is ProjectSort.NAME:
            return self.folded_name, self.id
        return (self.created_at if sort is ProjectSort.CREATED else self.updated_at), self.id


@dataclass(frozen=True, slots=True)
class ProjectDetail:
    """A project as its own page shows it. ``created_by`` is a name, or an id nobody has a name for."""

    id: uuid.UUID
    name: str
    description: str
    status: ProjectStatus
    created_by: str
    created_at: datetime
    updated_at: datetime
    version: int
    open_tasks: int
    done_tasks: int

    @property
    def all_tasks(self) -> int:
        """How many tasks the project has."""
        return self.open_tasks + self.done_tasks

    @property
    def is_archived(self) -> bool:
        """Whether its tasks can no longer be changed."""
        return self.status is ProjectStatus.ARCHIVED


@dataclass(frozen=True, slots=True)
class Totals:
    """How many projects and tasks an organization has; tasks of archived projects are not counted."""

    active: int
    archived: int
    open_tasks: int
    done_tasks: int


@dataclass(frozen=True, slots=True)
class RecentProject:
    """A project that was worked on lately."""

    id: uuid.UUID
    name: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ExportRow:
    """A project with one of its tasks; one without tasks comes once, its task's values None."""

    project_id: uuid.UUID
    task_id: uuid.UUID | None
    project: str
    description: str
    project_status: ProjectStatus
    task: str | None
    task_status: TaskStatus | None
    due_on: date | None
    completed_at: datetime | None


TaskKey: TypeAlias = tuple[TaskStatus, date, uuid.UUID]
"""A task's place in a list: by status, then the soonest due (no date: ``date.max``), then the oldest."""


class TaskFilter(StrEnum):
    """The status of the listed tasks."""

    OPEN = "open"
    DONE = "done"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task as lists and its own page show it."""

    id: uuid.UUID
    project_id: uuid.UUID
    title: str
    status: TaskStatus
    due_on: date | None
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None
    version: int

    @property
    def key(self) -> TaskKey:
        """Its place in a list."""
        return self.status, self.due_on or date.max, self.id

    def is_overdue(self, today: date) -> bool:
        """Whether it should have been done before ``today``."""
        return self.completed_at is None and self.due_on is not None and self.due_on < today


@dataclass(frozen=True, slots=True)
class ProjectInput:
    """What somebody typed for a project; bounds and spaces were seen to by the form."""

    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class TaskInput:
    """What somebody typed for a task; bounds and spaces were seen to by the form."""

    title: str
    status: TaskStatus = TaskStatus.TODO
    due_on: date | None = None


@dataclass(frozen=True, slots=True)
class DayCount:
    """How many tasks were completed on a day."""

    day: date
    count: int


@dataclass(frozen=True, slots=True)
class ProjectSummary:
    """What an organization's overview shows. Tasks of archived projects are not counted.

    ``recent`` holds at most five active projects, ``completed_by_day`` the last 14 days, the
    oldest first, today last.
    """

    active: int
    archived: int
    open_tasks: int
    done_tasks: int
    recent: tuple[RecentProject, ...]
    completed_by_day: tuple[DayCount, ...]


class ProjectConflict(VersionConflict):
    """A project's edit that lost: what stands now, and what was to be saved instead."""

    def __init__(self, theirs: ProjectDetail, yours: ProjectInput) -> None:
        super().__init__(CHANGED_MEANWHILE)
        self.theirs = theirs
        self.yours = yours


class TaskConflict(VersionConflict):
    """A task's edit that lost: what stands now, and what was to be saved instead."""

    def __init__(self, theirs: TaskRow, yours: TaskInput) -> None:
        super().__init__(CHANGED_MEANWHILE)
        self.theirs = theirs
        self.yours = yours


class ProjectArchived(AppError):
    """Tasks of an archived project stay as they are."""

    status, code, title = 409, "project-archived", "This project is archived"
