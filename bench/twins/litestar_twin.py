"""The twin on Litestar, with msgspec's structures of requests and responses."""

# No "from __future__ import annotations": Litestar reads the annotations of handlers.

import uuid
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Litestar, Request, Response, get, post
from litestar.di import Provide
from litestar.exceptions import NotAuthorizedException, NotFoundException

from bench.twins.database import NotAMember, find_holder, open_database

_database = open_database()


class ProjectSummary(msgspec.Struct):
    """A project in a list."""

    id: uuid.UUID
    name: str
    excerpt: str
    status: str
    updated_at: datetime
    open_tasks: int
    done_tasks: int


class ProjectList(msgspec.Struct):
    """A page of projects."""

    items: list[ProjectSummary]
    next_cursor: str | None


class Project(msgspec.Struct):
    """A project."""

    id: uuid.UUID
    name: str
    description: str
    status: str
    created_by: str
    created_at: datetime
    updated_at: datetime
    version: int
    open_tasks: int
    done_tasks: int


class NewTask(msgspec.Struct):
    """A new task."""

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Task(msgspec.Struct):
    """A task."""

    id: uuid.UUID
    project_id: uuid.UUID
    title: str
    status: str
    created_at: datetime


async def _holder(request: Request[Any, Any, Any]) -> str:
    user_id = find_holder(request.headers.get("authorization", "").removeprefix("Bearer "))
    if user_id is None:
        raise NotAuthorizedException
    return user_id


@get("/organizations/{organization_id:str}/projects")
async def list_projects(holder: str, organization_id: str) -> ProjectList:
    """List projects."""
    _name, rows = await _database.list_projects(holder, organization_id)
    return ProjectList(items=[ProjectSummary(*row) for row in rows], next_cursor=None)


@get("/organizations/{organization_id:str}/projects/{project_id:uuid}")
async def get_project(holder: str, organization_id: str, project_id: uuid.UUID) -> Project:
    """Read a project."""
    row = await _database.find_project(holder, organization_id, project_id)
    if row is None:
        raise NotFoundException
    return Project(*row)


@post("/organizations/{organization_id:str}/projects/{project_id:uuid}/tasks")
async def add_task(holder: str, organization_id: str, project_id: uuid.UUID, data: NewTask) -> Task:
    """Add a task to a project."""
    task = await _database.add_task(holder, organization_id, project_id, data.title)
    return Task(task["id"], task["project_id"], task["title"], task["status"], task["created_at"])


def _not_found(_request: Request[Any, Any, Any], _error: NotAMember) -> Response[dict[str, str]]:
    return Response({"title": "Not found"}, status_code=404)


app = Litestar(
    [list_projects, get_project, add_task],
    dependencies={"holder": Provide(_holder)},
    exception_handlers={NotAMember: _not_found},
    on_shutdown=[_database.close],
    openapi_config=None,
)
