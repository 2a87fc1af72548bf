"""What a new API client may do: the permissions chosen on the form, which Logto grants by several roles."""

from __future__ import annotations

import pytest

from saas_app.rbac.permissions import Permission, Role
from saas_app.runtime import Runtime
from tests.clients import Browser, Machine, Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.api_clients.conftest import Acme, Programs, new_form, shown
from tests.integration.records import events_of


async def create(acme: Acme, *permissions: str, name: str = "Dashboard") -> Machine:
    return await shown(await acme.send("/new", new_form(name, permissions=list(permissions))))


async def test_a_client_that_may_view_projects_changes_nothing(acme: Acme, programs: Programs) -> None:
    robot = await programs.connect(await create(acme, "projects:read"), acme.id)

    await robot.json("GET", "/projects")

    denied = await robot.json("POST", "/projects", 403, json={"name": "By a robot"})
    assert denied["decision"]["permission"] == "projects:write"


async def test_a_client_can_have_permissions_of_several_roles(
    acme: Acme, programs: Programs, runtime: Runtime
) -> None:
    machine = await create(acme, "projects:read", "projects:delete", "audit:read")

    projects = await programs.connect(machine, acme.id)
    log = await programs.connect_to_organization(machine, acme.id)
    await projects.call("DELETE", "/projects/00000000-0000-7000-8000-000000000000", 404)
    await log.json("GET", "/audit-events")
    await projects.json("POST", "/projects", 403, json={"name": "By a robot"})
    await log.json("GET", "/members", 403)

    (made,) = [event for event in await events_of(runtime, acme.id) if event.action == "api-client.create"]
    assert (made.after or {})["roles"] == ["audit-reader", "project-remover"]


async def test_a_permission_brings_those_it_includes_and_no_role_twice(
    acme: Acme, programs: Programs
) -> None:
    machine = await create(acme, "projects:read", "projects:write")

    (held,) = (await acme.management.list_machines_page(acme.id, page=1, page_size=9)).items
    assert held.role_names == {"integration"}
    page = await acme.browser.text(f"{acme.clients}/{machine.id}/secret")
    assert "'scope=projects:read projects:write'" in page


@pytest.fixture
async def zoe(acme: Acme, make: Factory) -> Person:
    """A viewer of Acme who leaves the company."""
    return await make.member(acme.id, "Zoe", Role.VIEWER)


async def test_a_client_with_that_permission_removes_a_member(
    acme: Acme, programs: Programs, zoe: Person
) -> None:
    robot = await programs.connect_to_organization(await create(acme, "members:remove"), acme.id)

    await robot.call("DELETE", f"/members/{zoe.id}", 204)

    assert await acme.roles_at_logto(zoe) is None


async def test_the_page_has_the_commands_for_each_kind_of_token(acme: Acme) -> None:
    machine = await create(acme, "projects:read", "audit:read")

    page = await acme.browser.text(f"{acme.clients}/{machine.id}/secret")

    of_api, of_organization = page.split('id="token-command')[1:]
    assert "scope=projects:read" in of_api
    assert "resource=" in of_api
    assert "/projects" in of_api
    assert "scope=audit:read" in of_organization
    assert "resource=" not in of_organization
    assert f"/api/v1/organizations/{acme.id}/audit-events" in of_organization


@pytest.fixture
async def key_manager(acme: Acme, make: Factory, open_browser: OpenBrowser) -> Browser:
    """The browser of a viewer who may also manage API clients."""
    role = await make.role(f"keys {acme.id}", Permission.API_CLIENTS_MANAGE)
    person = await make.member(acme.id, "Sam", Role.VIEWER)
    await make.give_roles(acme.id, person, role, Role.VIEWER)
    return await open_browser(person)


async def test_the_form_offers_the_permissions_that_one_holds(acme: Acme, key_manager: Browser) -> None:
    page = await key_manager.text(f"{acme.clients}/new")

    boxes = {part.split('"')[0]: part.split(">")[0] for part in page.split('name="permissions" value="')[1:]}
    assert {name for name, box in boxes.items() if "disabled" not in box} == {"projects:read", "members:read"}
    assert "You cannot give this permission, because you do not have <code>projects:write</code>" in page
    assert "Includes <code>projects:read</code>." in page


async def test_one_gives_and_rotates_only_permissions_that_one_holds(
    acme: Acme, key_manager: Browser
) -> None:
    writing = await create(acme, "projects:write", name="Writer")
    reading = await create(acme, "projects:read", "members:read")

    forged = new_form("Mine", permissions=["projects:read", "projects:write"])
    refused = await key_manager.submit(f"{acme.clients}/new", forged, 403)
    await key_manager.post(f"{acme.clients}/{writing.id}/rotate", expect=403)
    await key_manager.post(f"{acme.clients}/new", new_form("Mine", permissions="projects:read"))
    await key_manager.post(f"{acme.clients}/{reading.id}/rotate")

    assert "The integration role includes projects:write, which you do not have." in refused
    (secret,) = await acme.management.list_secrets(writing.id)
    assert secret.value == writing.secret


@pytest.mark.parametrize("chosen", ["organization:delete", "api-clients:manage", "projects:*", "admin", []])
async def test_a_permission_that_clients_cannot_have_is_refused(acme: Acme, chosen: str | list[str]) -> None:
    page = await acme.browser.submit(f"{acme.clients}/new", new_form("Robot", permissions=chosen), 422)

    assert "Choose at least one of these permissions." in page
    assert (await acme.management.list_machines_page(acme.id, page=1, page_size=9)).total == 0


async def test_what_was_chosen_stays_in_a_form_with_a_mistake(acme: Acme) -> None:
    page = await acme.browser.submit(f"{acme.clients}/new", new_form("", permissions="audit:read"), 422)

    boxes = [part.split(">")[0] for part in page.split('name="permissions" value="')[1:]]
    assert [box.split('"')[0] for box in boxes if " checked" in box] == ["audit:read"]


async def test_a_role_that_logto_lacks_names_the_command_that_fixes_it(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    roles = await acme.management.list_organization_roles()

    async def without_one(*_: object) -> list[object]:
        return [role for role in roles if role.name != "audit-reader"]

    monkeypatch.setattr(type(acme.management), "list_organization_roles", without_one)
    form = new_form("Robot", permissions=["projects:read", "audit:read"])
    page = await acme.browser.submit(f"{acme.clients}/new", form, 409)

    assert "The audit-reader role for API clients does not exist in Logto." in page
    assert "saas-app provision" in page
