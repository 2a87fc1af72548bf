"""Organizations that exist only in the database, for tests of queries and changes."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from saas_app.db.base import new_uuid, utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.tenant import Tenant
from saas_app.projects.changes import add_task, create_project
from saas_app.projects.values import ProjectInput, TaskInput
from saas_app.rbac.permissions import Carrier, Permission


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
            return [await add_task(db, self.tenant, project_id, task) for task in tasks]

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
def new_organization(engine: AsyncEngine) -> Callable[[], Organization]:
    def make() -> Organization:
        principal = SessionPrincipal(
            subject=f"user_{uuid.uuid4().hex[:8]}", session_id=new_uuid(), name="Sam"
        )
        tenant = Tenant(
            organization_id=f"org_{uuid.uuid4().hex[:8]}",
            organization_name="Acme",
            principal=principal,
            role_names=frozenset({"admin"}),
            granted=frozenset(Permission),
            carriers=frozenset(Carrier),
            read_at=utc_now(),
        )
        return Organization(tenant, UnitOfWork(engine))

    return make


@pytest.fixture
def acme(new_organization: Callable[[], Organization]) -> Organization:
    return new_organization()


@pytest.fixture
def globex(new_organization: Callable[[], Organization]) -> Organization:
    return new_organization()
