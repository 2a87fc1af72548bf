"""The twin on FastAPI, with pydantic's models of requests and responses."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from bench.twins.database import NotAMember, find_holder, open_database

_database = open_database()


class ProjectSummary(BaseModel):
    """A project in a list."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    name: str
    excerpt: str
    status: str
    updated_at: datetime
    open_tasks: int
    done_tasks: int


class ProjectList(BaseModel):
    """A page of projects."""

    items: list[ProjectSummary]
    next_cursor: str | None


class Project(BaseModel):
    """A project."""

    model_config = ConfigDict(from_attributes=True)

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


class NewTask(BaseModel):
    """A new task."""

    title: str = Field(min_length=1, max_length=200)


class Task(BaseModel):
    """A task."""

    id: uuid.UUID
    project_id: uuid.UUID
    title: str
    status: str
    created_at: datetime


@contextlib.asynccontextmanager
async def _lifespan(_app: FastAPI) -> AsyncIterator[None]:
    yield
    await _database.close()


app = FastAPI(lifespan=_lifespan)


async def _holder(authorization: Annotated[str, Header()] = "") -> str:
    user_id = find_holder(authorization.removeprefix("Bearer "))
    if user_id is None:
        raise HTTPException(401)
    return user_id


Holder = Annotated[str, Depends(_holder)]


@app.exception_handler(NotAMember)
async def _not_found(_request: Request, _error: Exception) -> JSONResponse:
    return JSONResponse({"title": "Not found"}, 404)


@app.get("/organizations/{organization_id}/projects")
async def list_projects(holder: Holder, organization_id: str) -> ProjectList:
    """List projects."""
    _name, rows = await _database.list_projects(holder, organization_id)
    return ProjectList(items=[ProjectSummary.model_validate(row) for row in rows], next_cursor=None)


@app.get("/organizations/{organization_id}/projects/{project_id}")
async def get_project(holder: Holder, organization_id: str, project_id: uuid.UUID) -> Project:
    """Read a project."""
    row = await _database.find_project(holder, organization_id, project_id)
    if row is None:
        raise HTTPException(404)
    return Project.model_validate(row)


@app.post("/organizations/{organization_id}/projects/{project_id}/tasks", status_code=201)
async def add_task(holder: Holder, organization_id: str, project_id: uuid.UUID, new: NewTask) -> Task:
    """Add a task to a project."""
    task: dict[str, Any] = await _database.add_task(holder, organization_id, project_id, new.title)
    return Task.model_validate(task)
