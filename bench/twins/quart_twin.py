"""The twin on Quart: the JSON API, the page of projects, and the bare route."""

from __future__ import annotations

import uuid
from typing import Any

from quart import Quart, Response, abort, jsonify, render_template, request

from bench.twins.database import NotAMember, find_holder, open_database

app = Quart(__name__)
_database = open_database()
_COOKIE = "session_of_a_twin"


@app.get("/bare")
async def bare() -> str:
    """Return a line of text."""
    return "Hello\n"


@app.get("/organizations/<organization_id>/projects")
async def list_projects(organization_id: str) -> Response:
    """List projects."""
    _name, rows = await _database.list_projects(_holder(_bearer_token()), organization_id)
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
    return jsonify({"items": items, "next_cursor": None})


@app.get("/organizations/<organization_id>/projects/<uuid:project_id>")
async def get_project(organization_id: str, project_id: uuid.UUID) -> Response:
    """Read a project."""
    row = await _database.find_project(_holder(_bearer_token()), organization_id, project_id)
    if row is None:
        abort(404)
    return jsonify(
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


@app.post("/organizations/<organization_id>/projects/<uuid:project_id>/tasks")
async def add_task(organization_id: str, project_id: uuid.UUID) -> tuple[Response, int]:
    """Add a task to a project."""
    holder, title = _holder(_bearer_token()), (await request.get_json())["title"]
    if not isinstance(title, str) or not 0 < len(title) <= 200:
        abort(400)
    task = await _database.add_task(holder, organization_id, project_id, title)
    body = {
        "id": str(task["id"]),
        "project_id": str(task["project_id"]),
        "title": task["title"],
        "status": task["status"],
        "created_at": task["created_at"].isoformat(),
    }
    return jsonify(body), 201


@app.get("/o/<organization_id>/projects")
async def show_projects(organization_id: str) -> str:
    """Show projects to a person with a session cookie."""
    holder = _holder(request.cookies.get(_COOKIE, ""))
    name, rows = await _database.list_projects(holder, organization_id)
    return await render_template(
        "projects.html", organization_id=organization_id, organization_name=name, projects=rows
    )


@app.errorhandler(NotAMember)
async def not_found(_error: NotAMember) -> tuple[dict[str, Any], int]:
    """Answer 404 to people who are not members."""
    return {"title": "Not found"}, 404


@app.after_serving
async def close() -> None:
    """Close the database."""
    await _database.close()


def _bearer_token() -> str:
    return request.headers.get("Authorization", "").removeprefix("Bearer ")


def _holder(token: str) -> str:
    user_id = find_holder(token)
    if user_id is None:
        abort(401)
    return user_id
