"""The database of the twins: its tables, its rows, and the statements of each request.

``python -m bench.twins.database`` creates and fills the database that ``TWIN_DATABASE_URL`` names.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

TOKEN: Final = "a-token-of-a-twin"
USER_ID: Final = "user00000001"
READ_ORGANIZATION: Final = "read00000001"
"""The organization whose projects are read. Requests change nothing in it."""
WRITTEN_ORGANIZATION: Final = "writ00000001"
"""The organization that gets new tasks."""
READ_PROJECT: Final = uuid.UUID("019a0000-0000-7000-8000-000000000001")
WRITTEN_PROJECT: Final = uuid.UUID("019a0000-0000-7000-8000-00000000ffff")
LIMIT: Final = 20

_IDLE: Final = 4  # connections that stay open; all servers of a run share PostgreSQL's limit of 100
_MORE: Final = 16
_PROJECTS: Final = 20
_TASKS: Final = 4  # of each project
_EXCERPT: Final = 140
_HOLDERS: Final = {hashlib.sha256(TOKEN.encode()).digest(): USER_ID}
"""The people whose tokens are known, by the hash of the token."""

_metadata = sa.MetaData()

_organizations = sa.Table(
    "organizations",
    _metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(120), nullable=False),
)

_memberships = sa.Table(
    "memberships",
    _metadata,
    sa.Column("organization_id", sa.String(64), sa.ForeignKey("organizations.id"), primary_key=True),
    sa.Column("user_id", sa.String(64), primary_key=True),
    sa.Column("role", sa.String(32), nullable=False),
)

_projects = sa.Table(
    "projects",
    _metadata,
    sa.Column("organization_id", sa.String(64), primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.String(120), nullable=False),
    sa.Column("description", sa.String(2000), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("created_by", sa.String(64), nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Index("ix_projects_listed", "organization_id", "status", "updated_at", "id"),
)

_tasks = sa.Table(
    "tasks",
    _metadata,
    sa.Column("organization_id", sa.String(64), primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("project_id", sa.Uuid, nullable=False),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("created_by", sa.String(64), nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(["organization_id", "project_id"], ["projects.organization_id", "projects.id"]),
    sa.Index("ix_tasks_counted", "organization_id", "project_id", "status"),
)

_audit_events = sa.Table(
    "audit_events",
    _metadata,
    sa.Column("organization_id", sa.String(64), primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("actor_id", sa.String(64), nullable=False),
    sa.Column("action", sa.String(64), nullable=False),
    sa.Column("target_id", sa.String(64), nullable=False),
    sa.Column("after", sa.JSON, nullable=False),
)


def _count_tasks(*statuses: str) -> sa.ScalarSelect[int]:
    return (
        sa.select(sa.func.count())
        .select_from(_tasks)
        .where(
            _tasks.c.organization_id == _projects.c.organization_id,
            _tasks.c.project_id == _projects.c.id,
            _tasks.c.status.in_(statuses),
        )
        .correlate(_projects)
        .scalar_subquery()
    )


_ORGANIZATION_ID = sa.bindparam("organization_id", type_=sa.String)
_OPEN, _DONE = _count_tasks("todo", "doing"), _count_tasks("done")

# Built once. SQLAlchemy compiles each of them at its first execution.
_MEMBER: Final = (
    sa.select(_organizations.c.name, _memberships.c.role)
    .join(_organizations, _organizations.c.id == _memberships.c.organization_id)
    .where(
        _memberships.c.organization_id == _ORGANIZATION_ID, _memberships.c.user_id == sa.bindparam("user_id")
    )
)
_LIST: Final = (
    sa.select(
        _projects.c.id,
        _projects.c.name,
        sa.func.substr(_projects.c.description, 1, _EXCERPT).label("excerpt"),
        _projects.c.status,
        _projects.c.updated_at,
        _OPEN.label("open_tasks"),
        _DONE.label("done_tasks"),
    )
    .where(_projects.c.organization_id == _ORGANIZATION_ID, _projects.c.status == "active")
    .order_by(_projects.c.updated_at.desc(), _projects.c.id.desc())
    .limit(LIMIT + 1)
)
_PROJECT: Final = sa.select(
    _projects.c.id,
    _projects.c.name,
    _projects.c.description,
    _projects.c.status,
    _projects.c.created_by,
    _projects.c.created_at,
    _projects.c.updated_at,
    _projects.c.version,
    _OPEN.label("open_tasks"),
    _DONE.label("done_tasks"),
).where(_projects.c.organization_id == _ORGANIZATION_ID, _projects.c.id == sa.bindparam("project_id"))
_ADD_TASK: Final = sa.insert(_tasks)
_ADD_EVENT: Final = sa.insert(_audit_events)


class NotAMember(Exception):
    """The caller does not belong to the organization. Twins answer 404."""


def find_holder(token: str) -> str | None:
    """Return the person of a token or a session cookie, or None if there is no such token or session."""
    return _HOLDERS.get(hashlib.sha256(token.encode()).digest())


class Database:
    """The statements of each request. Reads are not part of a transaction."""

    def __init__(self, url: str) -> None:
        self._reading = _engine(url, isolation_level="AUTOCOMMIT")
        self._writing = _engine(url)

    async def close(self) -> None:
        """Close all connections."""
        await self._reading.dispose()
        await self._writing.dispose()

    async def list_projects(self, user_id: str, organization_id: str) -> tuple[str, Sequence[sa.Row[Any]]]:
        """Return the organization's name and the page of projects. Raises :class:`NotAMember`."""
        async with self._reading.connect() as connection:
            name = await _require_member(connection, user_id, organization_id)
            rows = (await connection.execute(_LIST, {"organization_id": organization_id})).all()
        return name, rows[:LIMIT]

    async def find_project(
        self, user_id: str, organization_id: str, project_id: uuid.UUID
    ) -> sa.Row[Any] | None:
        """Return a project with all its fields. Raises :class:`NotAMember`."""
        async with self._reading.connect() as connection:
            await _require_member(connection, user_id, organization_id)
            key = {"organization_id": organization_id, "project_id": project_id}
            return (await connection.execute(_PROJECT, key)).one_or_none()

    async def add_task(
        self, user_id: str, organization_id: str, project_id: uuid.UUID, title: str
    ) -> dict[str, Any]:
        """Add a task and its audit event in one transaction, and return it. Raises :class:`NotAMember`."""
        now = datetime.now(UTC)
        task = {
            "organization_id": organization_id,
            "id": uuid.uuid4(),
            "project_id": project_id,
            "title": title,
            "status": "todo",
            "created_by": user_id,
            "created_at": now,
        }
        happened = {
            "organization_id": organization_id,
            "id": uuid.uuid4(),
            "occurred_at": now,
            "actor_id": user_id,
            "action": "task.created",
            "target_id": str(task["id"]),
            "after": {"title": title, "status": "todo"},
        }
        async with self._writing.begin() as connection:
            await _require_member(connection, user_id, organization_id)
            await connection.execute(_ADD_TASK, task)
            await connection.execute(_ADD_EVENT, happened)
        return task


def open_database() -> Database:
    """Open the database that ``TWIN_DATABASE_URL`` names."""
    return Database(os.environ["TWIN_DATABASE_URL"])


async def _require_member(connection: Any, user_id: str, organization_id: str) -> str:
    key = {"organization_id": organization_id, "user_id": user_id}
    member = (await connection.execute(_MEMBER, key)).one_or_none()
    if member is None:
        raise NotAMember
    return str(member.name)


def _engine(url: str, **options: Any) -> AsyncEngine:
    engine = create_async_engine(url, pool_size=_IDLE, max_overflow=_MORE, **options)
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


async def fill(url: str) -> None:
    """Create the tables and the rows: an organization with projects and tasks, and one for new tasks."""
    engine, began = _engine(url), datetime(2026, 1, 1, tzinfo=UTC)
    async with engine.begin() as connection:
        await connection.run_sync(_metadata.create_all)
        for organization_id, name in ((READ_ORGANIZATION, "Read"), (WRITTEN_ORGANIZATION, "Written")):
            await connection.execute(sa.insert(_organizations), {"id": organization_id, "name": name})
            membership = {"organization_id": organization_id, "user_id": USER_ID, "role": "admin"}
            await connection.execute(sa.insert(_memberships), membership)
        projects = [
            _project(READ_ORGANIZATION, uuid.UUID(int=READ_PROJECT.int + number), number, began)
            for number in range(_PROJECTS)
        ]
        written = _project(WRITTEN_ORGANIZATION, WRITTEN_PROJECT, 0, began)
        await connection.execute(sa.insert(_projects), [*projects, written])
        tasks = [
            {
                "organization_id": READ_ORGANIZATION,
                "id": uuid.uuid4(),
                "project_id": project["id"],
                "title": f"Task {number}",
                "status": ("todo", "doing", "done", "done")[number],
                "created_by": USER_ID,
                "created_at": began,
            }
            for project in projects
            for number in range(_TASKS)
        ]
        await connection.execute(_ADD_TASK, tasks)
    await engine.dispose()


def _project(organization_id: str, project_id: uuid.UUID, number: int, began: datetime) -> dict[str, Any]:
    return {
        "organization_id": organization_id,
        "id": project_id,
        "name": f"Project {number}",
        "description": description_of(number),
        "status": "active",
        "created_by": USER_ID,
        "created_at": began + timedelta(hours=number),
        "updated_at": began + timedelta(days=1, hours=number),
        "version": 1,
    }


def description_of(number: int) -> str:
    """Return the description of a project, for the twins and for Workroom."""
    return f"What project {number} is for, in a sentence as long as those that people write about their work."


if __name__ == "__main__":
    asyncio.run(fill(os.environ["TWIN_DATABASE_URL"]))
