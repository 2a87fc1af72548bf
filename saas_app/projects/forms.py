"""Forms for projects and tasks, and the filters of their lists."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import Enum
from typing import TypeVar

from wtforms import BooleanField, Form, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Optional

from saas_app.errors import BadRequest
from saas_app.projects.values import (
    ProjectFilter,
    ProjectInput,
    ProjectSort,
    StatusFilter,
    TaskFilter,
    TaskInput,
    TaskSort,
    TaskStatus,
    WantedTasks,
)
from saas_app.text.translation import _, pgettext
from saas_app.web.typed_text import DayField, at_most, clean_line, clean_text, whole_number

NAME_LENGTH = 120
DESCRIPTION_LENGTH = 2000
TITLE_LENGTH = 200
_MEMBER_LENGTH = 128  # of the text by which members are found

TASK_STATUS_LABELS = {
    TaskStatus.TODO: _("To do"),
    TaskStatus.DOING: _("In progress"),
    TaskStatus.DONE: pgettext("task", "Done"),
}

Choice = TypeVar("Choice", bound=Enum)


class ProjectForm(Form):
    """A project, new or edited."""

    name = StringField(
        _("Name"),
        filters=[clean_line],
        validators=[DataRequired(_("Enter a name for the project.")), at_most(NAME_LENGTH)],
    )
    description = TextAreaField(
        _("Description"), filters=[clean_text], validators=[at_most(DESCRIPTION_LENGTH)]
    )

    def as_input(self) -> ProjectInput:
        """Return the input. Call :meth:`validate` first."""
        return ProjectInput(name=self.name.data or "", description=self.description.data or "")


def _search_text(typed: str | None) -> str:
    return clean_line(typed)[:_MEMBER_LENGTH]


class TaskForm(Form):
    """A task, new or edited."""

    title = StringField(
        _("Title"),
        filters=[clean_line],
        validators=[DataRequired(_("Enter a title for the task.")), at_most(TITLE_LENGTH)],
    )
    status = SelectField(
        _("Status"),
        default=TaskStatus.TODO.value,
        choices={status.value: label for status, label in TASK_STATUS_LABELS.items()},
    )
    due_on = DayField(_("Due date"), validators=[Optional()])
    assignee_id = SelectField(_("Assignee"), default="", choices=[], validate_choice=False)

    member = StringField(_("Find a member"), filters=[_search_text])
    found = StringField(filters=[_search_text])  # the text for which members were listed before
    find = BooleanField()

    @property
    def is_search(self) -> bool:
        """Whether the form was sent to find members, by its button or with a new text, and not to save."""
        return bool(self.find.data) or self.member.data != self.found.data

    def offer(self, members: Mapping[str, str]) -> None:
        """Offer the members, by id, as assignees."""
        self.assignee_id.choices = list({"": _("Nobody"), **members}.items())

    def as_input(self) -> TaskInput:
        """Return the input. Call :meth:`validate` first."""
        due_on: date | None = self.due_on.data
        return TaskInput(
            self.title.data or "", TaskStatus(self.status.data), due_on, self.assignee_id.data or None
        )


def read_version(fields: Mapping[str, str]) -> int:
    """Return the version with which a form was opened, from its hidden field. Raises :class:`BadRequest`."""
    version = whole_number(fields.get("version", ""))
    if version is None:
        raise BadRequest(_("The form does not say which version was edited. Reload the page and try again."))
    return version


def read_task_status(fields: Mapping[str, str]) -> TaskStatus:
    """Return the status of the pressed button. Raises :class:`BadRequest`."""
    status = _choice(TaskStatus, fields.get("status"), None)
    if status is None:
        raise BadRequest(_("Choose to do, in progress or done."))
    return status


def read_project_filter(query: Mapping[str, str]) -> ProjectFilter:
    """Return the filter and sort order of a list. Unknown values fall back to the defaults."""
    return ProjectFilter(
        search=clean_line(query.get("q"))[:NAME_LENGTH],
        status=_choice(StatusFilter, query.get("status"), StatusFilter.ACTIVE),
        sort=_choice(ProjectSort, query.get("sort"), ProjectSort.UPDATED),
    )


def read_wanted_tasks(query: Mapping[str, str], reader_id: str) -> WantedTasks:
    """Return the filter and sort order of a list of tasks, for the person who reads it."""
    return WantedTasks(
        shown=_choice(TaskFilter, query.get("show"), TaskFilter.OPEN),
        sort=_choice(TaskSort, query.get("sort"), TaskSort.STATUS),
        assignee_id=reader_id if query.get("mine") == "yes" else None,
    )


Fallback = TypeVar("Fallback")


def _choice(kind: type[Choice], value: str | None, fallback: Fallback) -> Choice | Fallback:
    return next((member for member in kind if member.value == value), fallback)
