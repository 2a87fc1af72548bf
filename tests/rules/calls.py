"""How the rules about routes are asked: an address with rows of its own for each route, and what it says."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from quart.wrappers import Response

from saas_app.db.base import new_uuid, utc_now
from saas_app.email_domains.queries import add_claim
from saas_app.models import ApiClient, Project, ProjectStatus, Task, TaskStatus
from saas_app.models.project import fold_name
from saas_app.rbac.permissions import ROLE_PERMISSIONS, Role
from saas_app.runtime import Runtime
from saas_app.web.guards import Audience
from tests.factories import Factory
from tests.rules.routes import Route

UNKNOWN_ORGANIZATION = "doesnotexist"


def answers_as_registered(route: Route, role: Role, response: Response) -> bool:
    """Whether a route let this role in, or refused it, as the registry says."""
    assert route.guard is not None
    allowed = {
        Audience.MEMBER: True,
        Audience.PERMISSION: route.guard.permission in ROLE_PERMISSIONS[role],
    }[route.guard.audience]
    if allowed:
        return response.status_code not in (401, 403, 404) and response.status_code < 500
    return response.status_code == 403


async def path_with_rows(make: Factory, runtime: Runtime, route: Route, organization_id: str) -> str:
    """The route's address with rows of its own, so that what deletes one takes nothing from the next."""
    rows = nothing()
    if route.arguments & {"project_id", "task_id"}:
        rows |= await rows_of(runtime, organization_id)
    if "user_id" in route.arguments:
        member = await make.person("Other")
        await make.join(organization_id, member, Role.VIEWER)
        rows["user_id"] = member.id
    if "client_id" in route.arguments:
        rows["client_id"] = await api_client_of(make, runtime, organization_id)
    if "invitation_id" in route.arguments:
        rows["invitation_id"] = await make.invitation(organization_id)
    if route.endpoint == "organization_settings.verify_domain":
        async with runtime.work.writing() as db:
            await add_claim(db, organization_id, "example.test", "a token", utc_now())
    return fill(route, {**rows, "organization_id": organization_id})


def nothing() -> dict[str, Any]:
    """Values for a rule's arguments that name nothing there is."""
    return {
        "organization_id": UNKNOWN_ORGANIZATION,
        "project_id": new_uuid(),
        "task_id": new_uuid(),
        "session_id": new_uuid(),
    }


def fill(route: Route, values: dict[str, Any]) -> str:
    """The rule with its arguments filled in."""
    path = route.rule
    for name in route.arguments:
        for converter in ("", "uuid:", "string:"):
            path = path.replace(f"<{converter}{name}>", str(values.get(name, "unknown")))
    assert "<" not in path, path
    return path


async def api_client_of(make: Factory, runtime: Runtime, organization_id: str) -> str:
    """A machine client as if it had been made here."""
    machine = await make.machine(organization_id)
    async with runtime.work.writing(organization_id) as db:
        db.add(ApiClient(client_id=machine.id, name="Robot", created_by="test", created_at=utc_now()))
    return machine.id


async def rows_of(runtime: Runtime, organization_id: str) -> dict[str, UUID]:
    """A new project with a task, so that a route that deletes takes nothing from the next."""
    now, project_id, task_id = utc_now(), new_uuid(), new_uuid()
    name = f"Project {project_id}"
    async with runtime.work.writing(organization_id) as db:
        db.add(
            Project(
                id=project_id,
                name=name,
                folded_name=fold_name(name),
                description="",
                status=ProjectStatus.ACTIVE,
                created_by="test",
                created_at=now,
                updated_at=now,
            )
        )
        await db.flush()
        db.add(
            Task(
                id=task_id,
                project_id=project_id,
                title="Task",
                status=TaskStatus.TODO,
                created_by="test",
                created_at=now,
                updated_at=now,
            )
        )
    return {"project_id": project_id, "task_id": task_id}
