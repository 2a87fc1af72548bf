"""Routes of the JSON API for tasks, registered below those of :mod:`saas_app.projects.api.projects`."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Final, TypeAlias

from pydantic import Field
from quart import Blueprint, Response, url_for
from quart_schema import tag

from saas_app.identity.tenant import Tenant
from saas_app.projects import changes, service
from saas_app.projects.assignees import Assignees
from saas_app.projects.cursors import read_task_place, task_page
from saas_app.projects.forms import TITLE_LENGTH
from saas_app.projects.values import TaskFilter, TaskInput, TaskRow, TaskSort, TaskStatus, WantedTasks
from saas_app.rbac.permissions import Permission
from saas_app.web.context import database, open_reading, runtime, transaction
from saas_app.web.guards import requires
from saas_app.web.json_api import (
    ApiModel,
    ApiResponse,
    Day,
    Line,
    ListQuery,
    accepts_if_match,
    answers,
    etag,
    list_response,
    matches,
    repeatable,
    require_match,
    requires_if_match,
    sends,
    unchanged,
    validate_querystring,
    validate_request,
    validate_response,
)

blueprint = Blueprint("tasks", __name__, url_prefix="/<uuid:project_id>/tasks")

MAX_PER_CALL: Final = 1_000
_CONFLICT: Final = 409  # the project is archived

Title: TypeAlias = Annotated[str, Line(TITLE_LENGTH)]


Member: TypeAlias = Annotated[str, Line(64)]


class TaskQuery(ListQuery):
    """The filter and the sort order of the list."""

    show: TaskFilter = TaskFilter.ALL
    sort: TaskSort = TaskSort.STATUS


class NewTask(ApiModel):
    """A new task. `due_on` is a date without a time, and `assignee_id` the ID of a member."""

    title: Title
    status: TaskStatus = TaskStatus.TODO
    due_on: Day | None = None
    assignee_id: Member | None = None


class NewTasks(ApiModel):
    """New tasks, to be added all or none. They name at most 20 different assignees."""

    items: list[NewTask] = Field(min_length=1, max_length=MAX_PER_CALL)


class TaskChanges(ApiModel):
    """The fields to change. Omitted fields stay the same. `due_on: null` removes the due date.

    `assignee_id: null` leaves the task to nobody.
    """

    title: Title = unchanged()
    status: TaskStatus = unchanged()
    due_on: Day | None = unchanged()
    assignee_id: Member | None = unchanged()


class TaskView(ApiModel):
    """A task. `version` is the value in the `ETag`.

    `assignee_id` is null if nobody is assigned. It becomes null when that member leaves the organization.
    """

    id: uuid.UUID
    project_id: uuid.UUID
    title: str
    status: TaskStatus
    due_on: date | None
    assignee_id: str | None
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None
    version: int


class TaskList(ApiModel):
    """A page of tasks."""

    items: list[TaskView]
    next_cursor: str | None


class CreatedTasks(ApiModel):
    """The IDs of the new tasks, in the order in which they were sent."""

    ids: list[uuid.UUID]


@blueprint.get("")
@requires(Permission.PROJECTS_READ)
@tag(["projects"])
@validate_querystring(TaskQuery)
@validate_response(TaskList)
async def list_tasks(tenant: Tenant, project_id: uuid.UUID, query_args: TaskQuery) -> ApiResponse:
    """List the tasks of a project."""
    wanted = WantedTasks(query_args.show, query_args.sort)
    place = read_task_place(query_args.cursor)
    project = await service.get_project(database(), tenant, project_id)
    portion = await service.page_tasks(database(), project, wanted, place, query_args.limit)
    page = task_page(portion, query_args.cursor)
    return list_response(TaskList.of(page), page.next_cursor)


@blueprint.post("")
@requires(Permission.PROJECTS_WRITE)
@tag(["projects"])
@answers(_CONFLICT)
@sends("ETag", "Location")
@repeatable
@validate_request(NewTask)
@validate_response(TaskView, 201)
async def create_task(tenant: Tenant, project_id: uuid.UUID, data: NewTask) -> ApiResponse:
    """Add a task to an active project."""
    assignee = await _assignees(tenant).check(data.assignee_id)
    task = await changes.add_task(transaction(), tenant, project_id, _input(data), assignee)
    return TaskView.of(task), 201, {**etag(task.version), "Location": _address(tenant, task)}


@blueprint.post("/bulk")
@requires(Permission.PROJECTS_WRITE, for_support=False)
@tag(["projects"])
@answers(_CONFLICT)
@repeatable
@validate_request(NewTasks)
@validate_response(CreatedTasks, 201)
async def create_tasks(tenant: Tenant, project_id: uuid.UUID, data: NewTasks) -> ApiResponse:
    """Add up to 1,000 tasks to an active project, all or none."""
    forms = [_input(item) for item in data.items]
    assignees = await _assignees(tenant).check_all([form.assignee_id for form in forms])
    tasks = await changes.add_tasks(transaction(), tenant, project_id, forms, assignees)
    return CreatedTasks(ids=[task.id for task in tasks]), 201


@blueprint.get("/<uuid:task_id>")
@requires(Permission.PROJECTS_READ)
@tag(["projects"])
@sends("ETag")
@validate_response(TaskView)
async def get_task(tenant: Tenant, project_id: uuid.UUID, task_id: uuid.UUID) -> ApiResponse:
    """Read a task."""
    task = await service.get_task(database(), tenant, project_id, task_id)
    return TaskView.of(task), 200, etag(task.version)


@blueprint.patch("/<uuid:task_id>")
@requires(Permission.PROJECTS_WRITE)
@tag(["projects"])
@answers(_CONFLICT)
@requires_if_match
@validate_request(TaskChanges)
@validate_response(TaskView)
async def change_task(
    tenant: Tenant, project_id: uuid.UUID, task_id: uuid.UUID, data: TaskChanges
) -> ApiResponse:
    """Update a task."""
    async with open_reading(tenant) as db:  # ends before Logto is asked
        current = await service.get_task(db, tenant, project_id, task_id)
    require_match(etag(current.version))
    form, assignee = replace(current.as_input, **data.model_dump(exclude_unset=True)), None
    if form.assignee_id != current.assignee_id:
        assignee = await _assignees(tenant).check(form.assignee_id)
    await changes.edit_task(transaction(), tenant, project_id, task_id, current.version, form, assignee)
    task = await service.get_task(database(), tenant, project_id, task_id)
    return TaskView.of(task), 200, etag(task.version)


@blueprint.delete("/<uuid:task_id>")
@requires(Permission.PROJECTS_WRITE)
@tag(["projects"])
@answers(204, _CONFLICT)
@accepts_if_match
async def delete_task(tenant: Tenant, project_id: uuid.UUID, task_id: uuid.UUID) -> ApiResponse:
    """Delete a task of an active project."""
    current = await service.get_task(database(), tenant, project_id, task_id)
    version = current.version if matches(etag(current.version)) else None
    await changes.delete_task(transaction(), tenant, project_id, task_id, version)
    return Response(status=204)


def _input(data: NewTask) -> TaskInput:
    return TaskInput(data.title, data.status, data.due_on, data.assignee_id)


def _assignees(tenant: Tenant) -> Assignees:
    return Assignees(runtime().work, runtime().directory, runtime().management, tenant)


def _address(tenant: Tenant, task: TaskRow) -> str:
    return url_for(
        "projects_api.tasks.get_task",
        organization_id=tenant.organization_id,
        project_id=task.project_id,
        task_id=task.id,
    )
