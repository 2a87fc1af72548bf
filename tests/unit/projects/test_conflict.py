"""An edit conflict, shown field by field."""

from __future__ import annotations

from datetime import UTC, date, datetime

from saas_app.db.base import new_uuid
from saas_app.projects.conflict import Side, project_fields, task_fields
from saas_app.projects.values import (
    ProjectDetail,
    ProjectInput,
    ProjectStatus,
    TaskInput,
    TaskRow,
    TaskStatus,
)

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def test_only_fields_that_differ_are_to_be_chosen() -> None:
    theirs = ProjectDetail(
        new_uuid(), "Apollo", "The moon", ProjectStatus.ACTIVE, "Sam", NOW, NOW, 2, open_tasks=0, done_tasks=0
    )
    name, description = project_fields(theirs, ProjectInput("Apollo", ""))
    assert not name.differs
    assert description.differs
    assert description.theirs == Side("The moon", "The moon")
    assert description.yours == Side("", "Empty")


def test_a_field_of_a_task_has_a_text_for_people_and_a_value_for_the_form() -> None:
    theirs = TaskRow(new_uuid(), new_uuid(), "Launch", TaskStatus.DONE, date(2026, 12, 24), NOW, NOW, NOW, 3)
    yours = TaskInput("Launch", TaskStatus.DOING, None, "sam")
    title, status, due_on, assignee = task_fields(theirs, yours, {"sam": "Sam"})
    assert not title.differs
    assert (status.theirs, status.yours) == (Side("done", "Done"), Side("doing", "In progress"))
    assert (due_on.theirs, due_on.yours) == (Side("2026-12-24", "Dec 24, 2026"), Side("", "No due date"))
    assert (assignee.theirs, assignee.yours) == (Side("", "Nobody"), Side("sam", "Sam"))
