"""The forms for projects and tasks: input is cleaned, bounded, and errors are shown at their fields."""

from __future__ import annotations

from datetime import date

import pytest
from werkzeug.datastructures import MultiDict

from saas_app.errors import BadRequest
from saas_app.projects.forms import (
    ProjectForm,
    TaskForm,
    clean_line,
    clean_text,
    read_project_filter,
    read_task_status,
    read_version,
    read_wanted_tasks,
)
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


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Apollo  ", "Apollo"),
        ("Apo\x00llo\x1b", "Apollo"),
        ("two\nlines\tand a tab", "two lines and a tab"),
        ("u\u0308", "ü"),
        (None, ""),
    ],
)
def test_a_line_is_composed_and_has_no_control_characters(typed: str | None, kept: str) -> None:
    assert clean_line(typed) == kept


def test_a_text_keeps_its_lines_with_any_line_endings() -> None:
    assert clean_text(" one\r\n\r\ntwo\rthree\x00\n ") == "one\n\ntwo\nthree"


def test_a_project_is_read_from_its_form() -> None:
    form = ProjectForm(MultiDict({"name": " Apollo ", "description": "a\r\nb"}))
    assert form.validate()
    assert form.as_input() == ProjectInput("Apollo", "a\nb")


@pytest.mark.parametrize(
    ("typed", "field", "message"),
    [
        ({"name": "   "}, "name", "Enter a name for the project."),
        ({}, "name", "Enter a name for the project."),
        ({"name": "\x00"}, "name", "Enter a name for the project."),
        ({"name": "x" * 121}, "name", "Use at most 120 characters."),
        ({"name": "x", "description": "x" * 2001}, "description", "Use at most 2,000 characters."),
    ],
)
def test_an_error_of_a_project_is_shown_at_its_field(typed: dict[str, str], field: str, message: str) -> None:
    form = ProjectForm(MultiDict(typed))
    assert not form.validate()
    assert form.errors == {field: [message]}


def test_lengths_are_checked_after_cleaning() -> None:
    form = ProjectForm(MultiDict({"name": "  " + "x" * 120 + "  ", "description": "a\r\n" * 1000}))
    assert form.validate(), form.errors
    assert len(form.as_input().name) == 120


def test_a_task_is_to_do_without_a_date_by_default() -> None:
    form = TaskForm(MultiDict({"title": "Launch", "due_on": ""}))
    assert form.validate(), form.errors
    assert form.as_input() == TaskInput("Launch", TaskStatus.TODO, None)


def test_a_task_is_read_from_its_form() -> None:
    form = TaskForm(MultiDict({"title": "Launch", "status": "doing", "due_on": "2026-12-24"}))
    assert form.validate(), form.errors
    assert form.as_input() == TaskInput("Launch", TaskStatus.DOING, date(2026, 12, 24))


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "x", "status": "finished"}, "status"),
        ({"title": "x", "due_on": "tomorrow"}, "due_on"),
        ({"title": "x", "due_on": "2026-02-30"}, "due_on"),
    ],
)
def test_an_error_of_a_task_is_shown_at_its_field(typed: dict[str, str], field: str) -> None:
    form = TaskForm(MultiDict(typed))
    assert not form.validate()
    assert list(form.errors) == [field]


def test_an_invalid_date_stays_in_the_field_as_typed() -> None:
    form = TaskForm(MultiDict({"title": "x", "due_on": "tomorrow"}))
    form.validate()
    assert 'value="tomorrow"' in str(form.due_on())
    assert form.errors["due_on"] == ["Enter a date like 2026-11-21, or leave this field empty."]


def test_a_version_is_a_number_that_fits_the_database() -> None:
    assert read_version({"version": "17"}) == 17


@pytest.mark.parametrize("text", ["", "-1", "1.0", "x", "²", "9" * 10])
def test_a_form_without_a_valid_version_is_rejected(text: str) -> None:
    with pytest.raises(BadRequest):
        read_version({"version": text})


def test_a_button_stands_for_a_known_status() -> None:
    assert read_task_status({"status": "done"}) is TaskStatus.DONE


@pytest.mark.parametrize("fields", [{"status": "finished"}, {}])
def test_a_missing_or_unknown_status_is_rejected(fields: dict[str, str]) -> None:
    with pytest.raises(BadRequest):
        read_task_status(fields)


def test_filters_are_read_from_the_query() -> None:
    query = {"q": " Apo\x00llo ", "status": "all", "sort": "name"}
    assert read_project_filter(query) == ProjectFilter("Apollo", StatusFilter.ALL, ProjectSort.NAME)
    query = {"show": "done", "sort": "-due", "mine": "yes"}
    assert read_wanted_tasks(query, "eve") == WantedTasks(TaskFilter.DONE, TaskSort.DUE_OPPOSITE, "eve")


def test_unknown_filters_fall_back_to_the_defaults() -> None:
    assert read_project_filter({"status": "gone", "sort": "size"}) == ProjectFilter()
    assert read_wanted_tasks({"show": "some", "sort": "title", "mine": "no"}, "eve") == WantedTasks()


def test_a_search_text_is_bounded() -> None:
    assert len(read_project_filter({"q": "x" * 5000}).search) == 120
