"""Organizations that exist only in the database, for tests of queries and changes."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from saas_app.db.unit_of_work import UnitOfWork
from saas_app.identity.tenant import Tenant
from saas_app.projects.changes import add_task, create_project
from saas_app.projects.values import ProjectInput, TaskInput
from tests.integration.tenants import admin_of


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization without members in Logto, and transactions in it."""

    tenant: Tenant
    work: UnitOfWork

    async def add_projects(self, *names: str) -> list[uuid.UUID]:
        """Add active projects in this order."""
        async with self.work.writing(self.tenant.organization_id) as db:
            return [await create_project(db, self.tenant, ProjectInput(name)) for name in names]

    async def add_tasks(self, project_id: uuid.UUID, *tasks: TaskInput) -> list[uuid.UUID]:
        """Add tasks to a project in this order."""
        async with self.work.writing(self.tenant.organization_id) as db:
            return [(await add_task(db, self.tenant, project_id, task)).id for task in tasks]

    async def write(self, action: Callable[..., Any], *arguments: Any) -> Any:
        """Call a change in one transaction."""
        async with self.work.writing(self.tenant.organization_id) as db:
            return await action(db, self.tenant, *arguments)

    async def query(self, statement: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Call a query, which takes no tenant, with a reading session."""
        async with self.work.reading(self.tenant.organization_id) as db:
            return await statement(db, *arguments, **named)

    async def read(self, action: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Call a service function with a reading session."""
        async with self.work.reading(self.tenant.organization_id) as db:
            return await action(db, self.tenant, *arguments, **named)


@pytest.fixture
def acme(work: UnitOfWork) -> Organization:
    return Organization(admin_of(), work)


@pytest.fixture
def globex(work: UnitOfWork) -> Organization:
    return Organization(admin_of(), work)
