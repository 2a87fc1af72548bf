"""The tenant's roles of people: how they are created, given and taken, and the claim that names them.

What is expected is in Logto 1.42's source (``role.ts``, ``admin-user/role.ts``). Nothing was recorded.
"""

from __future__ import annotations

from typing import Any

import pytest

from contract.client import LogtoBrowser
from contract.management import ManagementApi, Workshop
from contract.oidc import Oidc
from contract.people import App, Person


@pytest.fixture
async def staff(workshop: Workshop) -> dict[str, Any]:
    """A role of people."""
    body = {"name": workshop.unique("staff"), "description": "Everybody"}
    made: dict[str, Any] = (await workshop.post("/roles", body)).expect(200).body
    return made


@pytest.fixture
async def machine_role(api: ManagementApi) -> str:
    """The role that lets a machine use the Management API."""
    [found] = (await api.get("/roles", type="MachineToMachine", page_size="1")).expect(200).body
    return str(found["id"])


async def held(api: ManagementApi, person: Person) -> list[str]:
    found = (await api.get(f"/users/{person.id}/roles")).expect(200).body
    return [one["id"] for one in found]


async def test_new_role_is_for_people(staff: dict[str, Any], api: ManagementApi) -> None:
    assert staff.keys() == {"tenantId", "id", "name", "description", "type", "isDefault"}
    assert (staff["type"], staff["isDefault"]) == ("User", False)
    assert (await api.get(f"/roles/{staff['id']}")).expect(200).body == staff


async def test_name_is_taken_once(staff: dict[str, Any], api: ManagementApi) -> None:
    reply = await api.post("/roles", {"name": staff["name"], "description": "Another"})
    assert reply.refusal == (422, "role.name_in_use")
    assert reply.body["message"] == f"This role name {staff['name']} is already in use"


@pytest.mark.parametrize("body", [{"name": "x"}, {"description": "x"}, {"name": "", "description": "x"}])
async def test_role_needs_a_name_and_a_description(api: ManagementApi, body: dict[str, object]) -> None:
    assert (await api.post("/roles", body)).refusal == (400, "guard.invalid_input")


async def test_role_is_given_and_taken(api: ManagementApi, otto: Person, staff: dict[str, Any]) -> None:
    """One scenario: each step begins where the last one ended."""
    path, body = f"/users/{otto.id}/roles", {"roleIds": [staff["id"]]}
    given = await api.post(path, body)
    assert given.expect(201).body == {**body, "addedRoleIds": [staff["id"]]}
    assert (await api.post(path, body)).expect(201).body == {**body, "addedRoleIds": []}
    assert await held(api, otto) == [staff["id"]]
    (await api.delete(f"{path}/{staff['id']}")).expect(204)
    assert (await api.delete(f"{path}/{staff['id']}")).refusal == (404, "entity.not_found")
    assert await held(api, otto) == []


async def test_roles_are_replaced(api: ManagementApi, otto: Person, staff: dict[str, Any]) -> None:
    path, body = f"/users/{otto.id}/roles", {"roleIds": [staff["id"]]}
    assert (await api.put(path, body)).expect(200).body == {"roleIds": [staff["id"]]}
    assert await held(api, otto) == [staff["id"]]
    assert (await api.put(path, {"roleIds": []})).expect(200).body == {"roleIds": []}
    assert await held(api, otto) == []


async def test_role_of_machines_is_refused(api: ManagementApi, otto: Person, machine_role: str) -> None:
    reply = await api.post(f"/users/{otto.id}/roles", {"roleIds": [machine_role]})
    assert reply.refusal == (422, "user.invalid_role_type")


async def test_machine_gets_no_role_of_people(
    api: ManagementApi, workshop: Workshop, staff: dict[str, Any]
) -> None:
    machine = (await workshop.post("/applications", {"name": "M", "type": "MachineToMachine"})).expect(200)
    reply = await api.post(f"/applications/{machine.body['id']}/roles", {"roleIds": [staff["id"]]})
    assert reply.refusal == (422, "application.invalid_role_type")


async def test_unknown_role_and_unknown_person_are_not_found(
    api: ManagementApi, otto: Person, staff: dict[str, Any]
) -> None:
    assert (await api.post(f"/users/{otto.id}/roles", {"roleIds": ["nosuch"]})).status == 404
    assert (await api.post("/users/nosuch/roles", {"roleIds": [staff["id"]]})).status == 404
    assert (await api.get("/users/nosuch/roles")).status == 404


async def test_deleted_role_is_taken_from_everybody(
    api: ManagementApi, otto: Person, staff: dict[str, Any]
) -> None:
    (await api.post(f"/users/{otto.id}/roles", {"roleIds": [staff["id"]]})).expect(201)
    (await api.delete(f"/roles/{staff['id']}")).expect(204)
    assert await held(api, otto) == []
    assert (await api.get(f"/roles/{staff['id']}")).status == 404


async def test_list_of_roles_shows_who_has_them(
    api: ManagementApi, otto: Person, staff: dict[str, Any]
) -> None:
    (await api.post(f"/users/{otto.id}/roles", {"roleIds": [staff["id"]]})).expect(201)
    wanted = {"search": f"%{staff['name']}%"}
    [shown] = (await api.get("/roles", **wanted)).expect(200).body
    assert (shown["usersCount"], [one["id"] for one in shown["featuredUsers"]]) == (1, [otto.id])
    assert shown["featuredUsers"][0].keys() == {"id", "avatar", "name"}
    assert (await api.get("/roles", **wanted, excludeUserId=otto.id)).expect(200).body == []


@pytest.mark.parametrize(("scope", "expected"), [("openid roles", True), ("openid", False)])
async def test_claim_names_the_roles(
    browser: LogtoBrowser,
    oidc: Oidc,
    api: ManagementApi,
    app: App,
    otto: Person,
    staff: dict[str, Any],
    scope: str,
    expected: bool,
) -> None:
    (await api.post(f"/users/{otto.id}/roles", {"roleIds": [staff["id"]]})).expect(201)
    tokens = await oidc.sign_in(browser, app, otto, scope=scope)
    claims = (await oidc.userinfo(tokens.access_token)).expect(200).body
    assert claims.get("roles") == ([staff["name"]] if expected else None)
