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
from saas_app.text.translation import _, number
from saas_app.web.sorting import Sort


class StatusFilter(StrEnum):
    """The status of the listed projects."""

    ACTIVE = "active"
    ARCHIVED = "archived"
    ALL = "all"


class ProjectSort(Sort):
    """The order of projects: by last activity or creation, latest first, or by name.

    A minus sign reverses it. A change can move a project by last activity or name, but not by creation.
    """

    UPDATED = "updated"
    UPDATED_OPPOSITE = "-updated"
    NAME = "name"
    NAME_OPPOSITE = "-name"
    CREATED = "created"
    CREATED_OPPOSITE = "-created"

    @property
    def is_down(self) -> bool:
        """Whether the last name, or the latest moment, comes first."""
        return self.is_opposite == (self.column == "name")


@dataclass(frozen=True, slots=True)
class ProjectFilter:
    """A filter and the sort order. ``search`` is a part of the name, ignoring case; empty means all."""

    search: str = ""
    status: StatusFilter = StatusFilter.ACTIVE
    sort: ProjectSort = ProjectSort.UPDATED


ProjectKey: TypeAlias = tuple[datetime | str, uuid.UUID]
"""A project's position in a list: the time or the ``folded_name`` by which it is sorted, and its id."""


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """A project in a list. ``excerpt`` is the beginning of the description."""

    id: uuid.UUID
    name: str
    folded_name: str
    excerpt: str
    status: ProjectStatus
    updated_at: datetime
    open_tasks: int
    done_tasks: int
    created_at: datetime
    version: int

    @property
    def all_tasks(self) -> int:
        """The number of tasks, open and done."""
        return self.open_tasks + self.done_tasks

    def key(self, sort: ProjectSort) -> ProjectKey:
        """Return the position in a list with this sort order."""
        if sort.column == "name":
            return self.folded_name, self.id
        return (self.created_at if sort.column == "created" else self.updated_at), self.id


@dataclass(frozen=True, slots=True)
class ProjectDetail:
    """A project with all its fields. ``created_by`` is a name, or an id if the name is unknown."""

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
        """The number of tasks, open and done."""
        return self.open_tasks + self.done_tasks

    @property
    def is_archived(self) -> bool:
        """Whether the project is archived, so that its tasks cannot be changed."""
        return self.status is ProjectStatus.ARCHIVED


@dataclass(frozen=True, slots=True)
class Count:
    """A number of rows, counted up to a bound. ``has_more`` says that there are or may be more."""

    number: int
    has_more: bool = False

    def __str__(self) -> str:
        """Return the number for people: "1,000+" if there may be more."""
        return f"{self.number:,}{'+' if self.has_more else ''}"

    def __html__(self) -> str:
        """Return what pages show, in the reader's language."""
        return f"{number(self.number)}{'+' if self.has_more else ''}"

    def __add__(self, other: Count) -> Count:
        return Count(self.number + other.number, self.has_more or other.has_more)


@dataclass(frozen=True, slots=True)
class Totals:
    """The numbers of an organization's projects and tasks. Tasks of archived projects are not counted."""

    active: Count
    archived: Count
    open_tasks: Count
    done_tasks: Count


@dataclass(frozen=True, slots=True)
class RecentProject:
    """A project in the list of recent activity."""

    id: uuid.UUID
    name: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Summary:
    """Totals, the latest projects, and how many tasks were completed in each of some periods."""

    totals: Totals
    recent: tuple[RecentProject, ...]
    completed: tuple[Count, ...]


@dataclass(frozen=True, slots=True)
class ExportRow:
    """A project with one of its tasks. A project without tasks has one row, with None for the task."""

    project_id: uuid.UUID
    task_id: uuid.UUID | None
    project: str
    description: str
    project_status: ProjectStatus
    task: str | None
    task_status: TaskStatus | None
    due_on: date | None
    completed_at: datetime | None
    assignee: str | None = None


class TaskSort(Sort):
    """The order of tasks: by status (in progress, to do, done), then due date, or by due date.

    A minus sign reverses it. Tasks without a due date come last in each order.
    """

    STATUS = "status"
    STATUS_OPPOSITE = "-status"
    DUE = "due"
    DUE_OPPOSITE = "-due"


TaskKey: TypeAlias = tuple[TaskStatus, date | None, uuid.UUID]
"""A task's position in a list: its status, its due date, and its id."""


class TaskFilter(StrEnum):
    """The status of the listed tasks."""

    OPEN = "open"
    DONE = "done"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class WantedTasks:
    """A filter of a project's tasks, and their order. With ``assignee_id``, those of others are left out."""

    shown: TaskFilter = TaskFilter.OPEN
    sort: TaskSort = TaskSort.STATUS
    assignee_id: str | None = None


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task. ``assignee`` is the name of the member with ``assignee_id``, or the id if it is unknown."""

    id: uuid.UUID
    project_id: uuid.UUID
    title: str
    status: TaskStatus
    due_on: date | None
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None
    version: int
    assignee_id: str | None = None
    assignee: str | None = None
    assignee_picture: str | None = None

    @property
    def as_input(self) -> TaskInput:
        """The editable fields."""
        return TaskInput(self.title, self.status, self.due_on, self.assignee_id)

    @property
    def key(self) -> TaskKey:
        """The position in a list."""
        return self.status, self.due_on, self.id

    def is_overdue(self, today: date) -> bool:
        """Return whether the task is not done and was due before ``today``."""
        return self.completed_at is None and self.due_on is not None and self.due_on < today


@dataclass(frozen=True, slots=True)
class ProjectInput:
    """The editable fields of a project, cleaned and limited by the form."""

    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class TaskInput:
    """The editable fields of a task, cleaned and limited by the form."""

    title: str
    status: TaskStatus = TaskStatus.TODO
    due_on: date | None = None
    assignee_id: str | None = None


@dataclass(frozen=True, slots=True)
class DayCount:
    """The number of tasks completed on a day."""

    day: date
    count: Count


@dataclass(frozen=True, slots=True)
class ProjectSummary:
    """The projects on an organization's overview. Tasks of archived projects are not counted.

    ``recent`` has at most five active projects. ``completed_by_day`` has the last 14 days and ends with
    today.
    """

    active: Count
    archived: Count
    open_tasks: Count
    done_tasks: Count
    recent: tuple[RecentProject, ...]
    completed_by_day: tuple[DayCount, ...]


class ProjectConflict(VersionConflict):
    """The project changed after the form was opened: the current version, and the caller's edit."""

    def __init__(self, theirs: ProjectDetail, yours: ProjectInput) -> None:
        super().__init__()
        self.theirs = theirs
        self.yours = yours


class TaskConflict(VersionConflict):
    """The task changed after the form was opened: the current version, and the caller's edit."""

    def __init__(self, theirs: TaskRow, yours: TaskInput) -> None:
        super().__init__()
        self.theirs = theirs
        self.yours = yours


class ProjectArchived(AppError):
    """The project is archived, so its tasks cannot be changed."""

    status, code, title = 409, "project-archived", _("This project is archived")
