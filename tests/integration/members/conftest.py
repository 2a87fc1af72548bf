"""An organization with an admin at work, and what the tests of members look at afterwards."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from html import unescape
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from quart.wrappers import Response

from saas_app.logto import ManagementClient
from saas_app.models import AuditEvent, PendingChange
from saas_app.rbac.permissions import Permission
from saas_app.runtime import Runtime
from tests.clients import SAME_ORIGIN, Browser, Person
from tests.conftest import OpenBrowser
from tests.factories import Factory


@dataclass(frozen=True, slots=True)
class Acme:
    """An organization, its admin, and the admin's browser."""

    id: str
    admin: Person
    browser: Browser

    @property
    def members(self) -> str:
        """The list's path."""
        return f"/o/{self.id}/members"

    def roles_of(self, person: Person) -> str:
        """The path at which somebody's roles are changed."""
        return f"{self.members}/{person.id}/roles"


@pytest.fixture
async def acme(make: Factory, open_browser: OpenBrowser) -> Acme:
    admin = await make.person("Ada")
    organization_id = await make.organization("Acme", admin=admin)
    return Acme(organization_id, admin, await open_browser(admin))


async def post(browser: Browser, path: str, form: dict[str, str | list[str]]) -> Response:
    """POST a form whose fields may stand several times; whatever is answered."""
    headers = {**SAME_ORIGIN, "Content-Type": "application/x-www-form-urlencoded"}
    response = await browser.app.post(path, data=urlencode(form, doseq=True).encode(), headers=headers)
    assert isinstance(response, Response)
    return response


async def send(browser: Browser, path: str, form: dict[str, str | list[str]], expect: int = 303) -> Response:
    """POST a form, with the status it must answer."""
    response = await post(browser, path, form)
    if response.status_code != expect:
        body = (await response.get_data(as_text=True))[:2000]
        raise AssertionError(f"POST {path}: {response.status_code} (not {expect})\n{body}")
    return response


def roles_form(
    seen: Collection[str], roles: Collection[str], *, step: str = "confirm", **more: str
) -> dict[str, str | list[str]]:
    """The form that changes roles, as the page sends it."""
    return {"seen": ["", *seen], "roles": list(roles), "step": step, **more}


async def text_of(response: Response) -> str:
    return unescape(str(await response.get_data(as_text=True)))


async def roles_at_logto(
    management: ManagementClient, organization_id: str, person: Person
) -> set[str] | None:
    """What Logto itself says; None for who is not a member."""
    found = await management.find_member_roles(organization_id, person.id)
    return None if found is None else set(found)


async def events_of(runtime: Runtime, organization_id: str) -> list[AuditEvent]:
    """The audit trail, oldest first."""
    async with runtime.work.reading(organization_id) as db:
        return list(await db.scalars(sa.select(AuditEvent).order_by(AuditEvent.id)))


async def pending_in(runtime: Runtime, organization_id: str) -> list[PendingChange]:
    """Changes whose end is not known."""
    async with runtime.work.reading(organization_id) as db:
        return list(await db.scalars(sa.select(PendingChange)))


@pytest.fixture(scope="session")
async def people_manager(management: ManagementClient, settings: object) -> str:
    """A role somebody made in Logto, unknown to the registry: it manages members and may do nothing else."""
    scopes = {scope.name: scope.id for scope in await management.list_organization_scopes()}
    role = await management.create_organization_role("people-manager", "Manages members", "User")
    allowed = (Permission.MEMBERS_READ, Permission.MEMBERS_UPDATE, Permission.MEMBERS_REMOVE)
    await management.replace_role_scopes(role.id, [scopes[permission.value] for permission in allowed])
    return role.name


async def join_as(make: Factory, organization_id: str, person: Person, *role_names: str) -> None:
    """Make somebody a member with roles the registry may not know."""
    await make.management.add_members(organization_id, [person.id])
    await make.management.replace_roles(organization_id, person.id, role_names)
