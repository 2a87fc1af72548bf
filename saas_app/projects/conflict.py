"""Both versions of an edit conflict, field by field, for the page that lets the caller choose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from saas_app.projects.forms import TASK_STATUS_LABELS
from saas_app.projects.values import ProjectDetail, ProjectInput, TaskInput, TaskRow
from saas_app.text.translation import _
from saas_app.web.times import day_text

_NO_NAMES: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True)
class Side:
    """One version of a field: the value in the form, and the text for people."""

    value: str
    shown: str


@dataclass(frozen=True, slots=True)
class ConflictField:
    """A field of the form, in the current version and in the caller's edit."""

    name: str
    label: str
    theirs: Side
    yours: Side

    @property
    def differs(self) -> bool:
        """Whether the two versions differ, so that there is something to choose."""
        return self.theirs.value != self.yours.value


def project_fields(theirs: ProjectDetail, yours: ProjectInput) -> list[ConflictField]:
    """Return the fields of a project's form."""
    return [
        ConflictField("name", _("Name"), _text(theirs.name), _text(yours.name)),
        ConflictField("description", _("Description"), _text(theirs.description), _text(yours.description)),
    ]


def task_fields(
    theirs: TaskRow, yours: TaskInput, names: Mapping[str, str] = _NO_NAMES
) -> list[ConflictField]:
    """Return the fields of a task's form. ``names`` are those of the assignees, by id."""
    return [
        ConflictField("title", _("Title"), _text(theirs.title), _text(yours.title)),
        ConflictField("status", _("Status"), _status(theirs), _status(yours)),
        ConflictField("due_on", _("Due date"), _due(theirs), _due(yours)),
        ConflictField("assignee_id", _("Assignee"), _assignee(theirs, names), _assignee(yours, names)),
    ]


def _assignee(side: TaskRow | TaskInput, names: Mapping[str, str]) -> Side:
    user_id = side.assignee_id
    return Side(user_id, names.get(user_id, user_id)) if user_id else Side("", _("Nobody"))


def _text(value: str) -> Side:
    return Side(value, value or _("Empty"))


def _status(side: TaskRow | TaskInput) -> Side:
    return Side(side.status.value, TASK_STATUS_LABELS[side.status])


def _due(side: TaskRow | TaskInput) -> Side:
    due_on = side.due_on
    return Side(due_on.isoformat(), day_text(due_on)) if due_on else Side("", _("No due date"))
