"""The twin on Starlette."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bench.twins.database import NotAMember, find_holder, open_database

_database = open_database()


async def list_projects(request: Request) -> JSONResponse:
    """List projects."""
    _name, rows = await _database.list_projects(_holder(request), request.path_params["organization_id"])
    items = [
        {
            "id": str(row.id),
            "name": row.name,
            "excerpt": row.excerpt,
            "status": row.status,
            "updated_at": row.updated_at.isoformat(),
            "open_tasks": row.open_tasks,
            "done_tasks": row.done_tasks,
        }
        for row in rows
    ]
    return JSONResponse({"items": items, "next_cursor": None})


async def get_project(request: Request) -> JSONResponse:
    """Read a project."""
    row = await _database.find_project(
        _holder(request), request.path_params["organization_id"], request.path_params["project_id"]
    )
    if row is None:
        raise HTTPException(404)
    return JSONResponse(
        {
            "id": str(row.id),
            "name": row.name,
            "description": row.description,
            "status": row.status,
            "created_by": row.created_by,
            "created_at": row.created_at.isoformat(),
            "updated_at": row.updated_at.isoformat(),
            "version": row.version,
            "open_tasks": row.open_tasks,
            "done_tasks": row.done_tasks,
        }
    )


async def add_task(request: Request) -> JSONResponse:
    """Add a task to a project."""
    title = (await request.json())["title"]
    if not isinstance(title, str) or not 0 < len(title) <= 200:
        raise HTTPException(400)
    organization_id: str = request.path_params["organization_id"]
    project_id: uuid.UUID = request.path_params["project_id"]
    task = await _database.add_task(_holder(request), organization_id, project_id, title)
    body = {
        "id": str(task["id"]),
        "project_id": str(task["project_id"]),
        "title": task["title"],
        "status": task["status"],
        "created_at": task["created_at"].isoformat(),
    }
    return JSONResponse(body, 201)


def _holder(request: Request) -> str:
    user_id = find_holder(request.headers.get("authorization", "").removeprefix("Bearer "))
    if user_id is None:
        raise HTTPException(401)
    return user_id


async def _not_found(_request: Request, _error: Exception) -> JSONResponse:
    return JSONResponse({"title": "Not found"}, 404)


@contextlib.asynccontextmanager
async def _lifespan(_app: Any) -> AsyncIterator[None]:
    yield
    await _database.close()


app = Starlette(
    routes=[
        Route("/organizations/{organization_id}/projects", list_projects),
        Route("/organizations/{organization_id}/projects/{project_id:uuid}", get_project),
        Route(
            "/organizations/{organization_id}/projects/{project_id:uuid}/tasks", add_task, methods=["POST"]
        ),
    ],
    exception_handlers={NotAMember: _not_found},
    lifespan=_lifespan,
)
