"""The tenant role that lets a machine use the Management API: how it is assigned and removed."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from contract.conftest import Server
from contract.fixtures import LikeRecording
from contract.management import DEFAULT_RESOURCE, ManagementApi, Workshop
from contract.oidc import Oidc
from contract.people import App

ROLE_NAME = "Logto Management API access"


@pytest.fixture
async def role(api: ManagementApi) -> dict[str, Any]:
    """The seeded role, found by its name."""
    found = (await api.get("/roles", search=f"%{ROLE_NAME}%", type="MachineToMachine")).expect(200).body
    return next(role for role in found if role["name"] == ROLE_NAME)


@pytest.fixture
async def machine(workshop: Workshop) -> App:
    return await workshop.application("MachineToMachine")


@pytest.fixture
async def roles(api: ManagementApi, role: dict[str, Any], machine: App) -> str:
    """The path of the machine's roles; it holds the seeded role."""
    path = f"/applications/{machine.id}/roles"
    (await api.post(path, {"roleIds": [role["id"]]})).expect(201)
    return path


async def granted_scope(oidc: Oidc, machine: App) -> str | None:
    form = {"grant_type": "client_credentials", "resource": DEFAULT_RESOURCE, "scope": "all"}
    scope: str | None = (await oidc.token(machine, **form)).expect(200).body.get("scope")
    return scope


@pytest.mark.usefixtures("roles")
async def test_machine_with_the_role_can_use_the_management_api(
    oidc: Oidc, http: aiohttp.ClientSession, server: Server, machine: App
) -> None:
    form = {"grant_type": "client_credentials", "resource": DEFAULT_RESOURCE, "scope": "all"}
    token = (await oidc.token(machine, **form)).expect(200).body["access_token"]
    own = ManagementApi(http, server.endpoint, token)
    assert (await own.get(f"/applications/{machine.id}")).expect(200).body["id"] == machine.id


async def test_machine_without_the_role_gets_no_scope(oidc: Oidc, machine: App) -> None:
    assert await granted_scope(oidc, machine) is None


async def test_assigned_role_is_reported_as_added(
    api: ManagementApi, role: dict[str, Any], machine: App
) -> None:
    reply = await api.post(f"/applications/{machine.id}/roles", {"roleIds": [role["id"]]})
    assert reply.expect(201).body == {"roleIds": [role["id"]], "addedRoleIds": [role["id"]]}


async def test_role_that_is_assigned_again_is_held_once(
    api: ManagementApi, role: dict[str, Any], roles: str
) -> None:
    again = (await api.post(roles, {"roleIds": [role["id"]]})).expect(201)
    assert again.body == {"roleIds": [role["id"]], "addedRoleIds": []}
    assert [held["id"] for held in (await api.get(roles)).expect(200).body] == [role["id"]]


async def test_removed_role_grants_no_scope(
    api: ManagementApi, oidc: Oidc, role: dict[str, Any], machine: App, roles: str
) -> None:
    (await api.delete(f"{roles}/{role['id']}")).expect(204)
    assert await granted_scope(oidc, machine) is None


async def test_role_that_the_machine_lacks_cannot_be_removed(
    api: ManagementApi, role: dict[str, Any], machine: App
) -> None:
    assert (await api.delete(f"/applications/{machine.id}/roles/{role['id']}")).status == 404


async def test_roles_can_be_replaced(
    api: ManagementApi, oidc: Oidc, role: dict[str, Any], machine: App
) -> None:
    (await api.put(f"/applications/{machine.id}/roles", {"roleIds": [role["id"]]})).expect(200)
    assert await granted_scope(oidc, machine) == "all"


async def test_replacing_roles_by_none_is_refused_and_yet_removes_them(
    api: ManagementApi, oidc: Oidc, machine: App, roles: str, like_recording: LikeRecording
) -> None:
    like_recording("445-application-roles-put-empty", await api.put(roles, {"roleIds": []}))
    assert await granted_scope(oidc, machine) is None


async def test_listed_role_counts_its_holders(role: dict[str, Any]) -> None:
    assert (role["type"], role["isDefault"]) == ("MachineToMachine", False)
    assert (role["usersCount"], role["featuredUsers"]) == (0, [])
    assert len(role["featuredApplications"]) == min(3, role["applicationsCount"])


async def test_role_can_be_read(api: ManagementApi, role: dict[str, Any]) -> None:
    assert (await api.get(f"/roles/{role['id']}")).expect(200).body["name"] == ROLE_NAME


async def test_unknown_role_is_not_found(api: ManagementApi) -> None:
    assert (await api.get("/roles/nope")).status == 404


async def test_role_that_the_machine_lacks_is_offered(
    api: ManagementApi, role: dict[str, Any], machine: App
) -> None:
    offered = (await api.get("/roles", excludeApplicationId=machine.id)).expect(200).body
    assert role["id"] in [offer["id"] for offer in offered]


@pytest.mark.usefixtures("roles")
async def test_role_that_the_machine_holds_is_not_offered(
    api: ManagementApi, role: dict[str, Any], machine: App
) -> None:
    offered = (await api.get("/roles", excludeApplicationId=machine.id)).expect(200).body
    assert role["id"] not in [offer["id"] for offer in offered]


async def test_role_cannot_be_assigned_to_a_website(
    api: ManagementApi, workshop: Workshop, role: dict[str, Any]
) -> None:
    website = await workshop.application()
    reply = await api.post(f"/applications/{website.id}/roles", {"roleIds": [role["id"]]})
    assert reply.refusal == (422, "application.invalid_type")


async def test_unknown_role_cannot_be_assigned(api: ManagementApi, machine: App) -> None:
    reply = await api.post(f"/applications/{machine.id}/roles", {"roleIds": ["nope"]})
    assert reply.refusal == (404, "entity.not_exists_with_id")
