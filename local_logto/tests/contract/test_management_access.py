"""The tenant role that lets a machine use the Management API: seeded, given, taken away."""

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
    """The seeded role, found as an admin would find it."""
    found = (await api.get("/roles", search=f"%{ROLE_NAME}%", type="MachineToMachine")).expect(200).body
    return next(role for role in found if role["name"] == ROLE_NAME)


@pytest.fixture
async def machine(workshop: Workshop) -> App:
    return await workshop.application("MachineToMachine")


async def granted_scope(oidc: Oidc, machine: App) -> str | None:
    form = {"grant_type": "client_credentials", "resource": DEFAULT_RESOURCE, "scope": "all"}
    scope: str | None = (await oidc.token(machine, **form)).expect(200).body.get("scope")
    return scope


async def test_machine_with_the_role_may_use_the_management_api(
    api: ManagementApi,
    oidc: Oidc,
    http: aiohttp.ClientSession,
    server: Server,
    role: dict[str, Any],
    machine: App,
) -> None:
    given = await api.post(f"/applications/{machine.id}/roles", {"roleIds": [role["id"]]})
    assert given.expect(201).body == {"roleIds": [role["id"]], "addedRoleIds": [role["id"]]}
    form = {"grant_type": "client_credentials", "resource": DEFAULT_RESOURCE, "scope": "all"}
    token = (await oidc.token(machine, **form)).expect(200).body["access_token"]
    own = ManagementApi(http, server.endpoint, token)
    assert (await own.get(f"/applications/{machine.id}")).expect(200).body["id"] == machine.id


async def test_machine_without_the_role_gets_no_scope(oidc: Oidc, machine: App) -> None:
    assert await granted_scope(oidc, machine) is None


async def test_role_is_given_once_and_taken_away(
    api: ManagementApi, oidc: Oidc, role: dict[str, Any], machine: App
) -> None:
    path = f"/applications/{machine.id}/roles"
    (await api.post(path, {"roleIds": [role["id"]]})).expect(201)
    again = (await api.post(path, {"roleIds": [role["id"]]})).expect(201)
    assert again.body == {"roleIds": [role["id"]], "addedRoleIds": []}
    assert [held["id"] for held in (await api.get(path)).expect(200).body] == [role["id"]]
    (await api.delete(f"{path}/{role['id']}")).expect(204)
    assert await granted_scope(oidc, machine) is None
    (await api.delete(f"{path}/{role['id']}")).expect(404)


async def test_roles_of_a_machine_are_replaced(
    api: ManagementApi, oidc: Oidc, role: dict[str, Any], machine: App, like_recording: LikeRecording
) -> None:
    path = f"/applications/{machine.id}/roles"
    (await api.put(path, {"roleIds": [role["id"]]})).expect(200)
    assert await granted_scope(oidc, machine) == "all"
    like_recording("445-application-roles-put-empty", await api.put(path, {"roleIds": []}))
    assert await granted_scope(oidc, machine) is None  # refused, and yet they are gone


async def test_listed_role_counts_its_holders(api: ManagementApi, role: dict[str, Any]) -> None:
    assert (role["type"], role["isDefault"]) == ("MachineToMachine", False)
    assert (role["usersCount"], role["featuredUsers"]) == (0, [])
    assert len(role["featuredApplications"]) == min(3, role["applicationsCount"])
    assert (await api.get(f"/roles/{role['id']}")).expect(200).body["name"] == ROLE_NAME
    assert (await api.get("/roles/nope")).status == 404


async def test_role_that_is_held_can_be_left_out(
    api: ManagementApi, role: dict[str, Any], machine: App
) -> None:
    async def offered() -> list[str]:
        reply = await api.get("/roles", excludeApplicationId=machine.id)
        return [offer["id"] for offer in reply.expect(200).body]

    assert role["id"] in await offered()
    (await api.post(f"/applications/{machine.id}/roles", {"roleIds": [role["id"]]})).expect(201)
    assert role["id"] not in await offered()


async def test_only_machines_have_roles(api: ManagementApi, workshop: Workshop, role: dict[str, Any]) -> None:
    website = await workshop.application()
    reply = await api.post(f"/applications/{website.id}/roles", {"roleIds": [role["id"]]})
    assert reply.expect(422).body["code"] == "application.invalid_type"


async def test_unknown_role_is_not_given(api: ManagementApi, machine: App) -> None:
    reply = await api.post(f"/applications/{machine.id}/roles", {"roleIds": ["nope"]})
    assert reply.expect(404).body["code"] == "entity.not_exists_with_id"
