"""The organization template: organization scopes, roles, and the scopes that a role bundles."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from contract.fixtures import LikeRecording
from contract.management import ManagementApi, Workshop
from contract.world import World


async def test_created_scope_is_as_recorded(workshop: Workshop, like_recording: LikeRecording) -> None:
    name = f"read:members:{workshop.tag}"
    reply = await workshop.post("/organization-scopes", {"name": name, "description": name})
    like_recording("03-create-org-scope-read_members", reply)
    assert (reply.body["name"], len(reply.body["id"])) == (name, 21)


async def test_scope_names_are_unique(
    api: ManagementApi, world: World, like_recording: LikeRecording
) -> None:
    reply = await api.post("/organization-scopes", {"name": world.read_members})
    like_recording("211-scope-dup", reply)


async def test_changed_scope_can_be_read(api: ManagementApi, workshop: Workshop) -> None:
    name = f"some:thing:{workshop.tag}"
    path = f"/organization-scopes/{await workshop.organization_scope(name)}"
    changed = (await api.patch(path, {"description": "other words"})).expect(200).body
    assert (changed["name"], changed["description"]) == (name, "other words")
    assert (await api.get(path)).expect(200).body == changed


async def test_deleted_scope_is_gone(api: ManagementApi, workshop: Workshop) -> None:
    path = f"/organization-scopes/{await workshop.organization_scope(f'some:thing:{workshop.tag}')}"
    (await api.delete(path)).expect(204)
    assert (await api.get(path)).status == 404


async def test_list_of_scopes_without_paging_is_complete_and_has_no_total(
    api: ManagementApi, world: World
) -> None:
    reply = (await api.get("/organization-scopes")).expect(200)
    assert world.organization_scopes <= {scope["name"] for scope in reply.body}
    assert "Total-Number" not in reply.headers


async def test_page_of_scopes_has_a_total(api: ManagementApi, world: World) -> None:
    reply = (await api.get("/organization-scopes", page="1", page_size="2")).expect(200)
    assert len(reply.body) == 2
    assert int(reply.headers["Total-Number"]) >= len(world.organization_scopes)


async def test_created_role_is_as_recorded(
    workshop: Workshop, world: World, like_recording: LikeRecording
) -> None:
    body = {
        "name": workshop.unique("admin"),
        "description": "Organization admin",
        "organizationScopeIds": [world.read_members_id],
        "resourceScopeIds": [world.read_reports_id],
    }
    like_recording("03-create-org-role-admin", await workshop.post("/organization-roles", body))


async def test_created_role_for_machines_is_as_recorded(
    workshop: Workshop, like_recording: LikeRecording
) -> None:
    body = {"name": workshop.unique("machine"), "type": "MachineToMachine"}
    like_recording("55-create-m2m-org-role", await workshop.post("/organization-roles", body))


async def test_role_names_are_unique(api: ManagementApi, world: World, like_recording: LikeRecording) -> None:
    like_recording("211-role-dup", await api.post("/organization-roles", {"name": world.admin_name}))


async def test_single_role_is_returned_without_its_scopes(
    api: ManagementApi, world: World, like_recording: LikeRecording
) -> None:
    like_recording("204-role-get", await api.get(f"/organization-roles/{world.admin}"))


async def test_role_in_the_list_is_returned_with_its_scopes(api: ManagementApi, world: World) -> None:
    reply = (await api.get("/organization-roles", q=world.admin_name)).expect(200)
    role = next(role for role in reply.body if role["id"] == world.admin)
    assert {scope["name"] for scope in role["scopes"]} == world.organization_scopes
    assert {scope["name"] for scope in role["resourceScopes"]} == {
        world.read_reports,
        world.write_reports,
    }
    assert {scope["resource"]["id"] for scope in role["resourceScopes"]} == {world.resource_id}


async def test_list_of_roles_is_as_recorded(
    api: ManagementApi, world: World, like_recording: LikeRecording
) -> None:
    query = {"q": world.tag, "page": "1", "page_size": "100"}
    reply = await api.get("/organization-roles", **query)
    like_recording("204-roles-list", reply)
    assert {role["id"] for role in reply.body} == {world.admin, world.member, world.machine}


async def test_list_of_roles_is_always_paged(api: ManagementApi) -> None:
    reply = (await api.get("/organization-roles")).expect(200)
    assert "Total-Number" in reply.headers
    assert len(reply.body) <= 20


async def test_role_can_be_renamed(api: ManagementApi, workshop: Workshop) -> None:
    name = workshop.unique("renamed")
    reply = await api.patch(f"/organization-roles/{await workshop.role()}", {"name": name})
    assert reply.expect(200).body["name"] == name


async def test_deleted_role_is_gone(api: ManagementApi, workshop: Workshop) -> None:
    path = f"/organization-roles/{await workshop.role()}"
    (await api.delete(path)).expect(204)
    assert (await api.get(path)).status == 404


# --- scopes of a role


@dataclass(frozen=True, slots=True)
class RoleScopes:
    """The organization scopes, or the API scopes, that a role bundles: at first only ``one``, not ``two``."""

    api: ManagementApi
    path: str
    member: str
    one: str
    two: str

    def body(self, *ids: str) -> dict[str, list[str]]:
        return {self.member: list(ids)}

    async def ids(self) -> set[str]:
        return {scope["id"] for scope in (await self.api.get(self.path)).expect(200).body}


@pytest.fixture(params=["organization scopes", "API scopes"])
async def scopes(request: pytest.FixtureRequest, api: ManagementApi, workshop: Workshop) -> RoleScopes:
    names = [f"one:thing:{workshop.tag}", f"two:things:{workshop.tag}"]
    if request.param == "organization scopes":
        one, two = [await workshop.organization_scope(name) for name in names]
        path = f"/organization-roles/{await workshop.role(scope_ids=[one])}/scopes"
        return RoleScopes(api, path, "organizationScopeIds", one, two)
    resource = (await workshop.resource())["id"]
    one, two = [await workshop.resource_scope(resource, name) for name in names]
    path = f"/organization-roles/{await workshop.role(resource_scope_ids=[one])}/resource-scopes"
    return RoleScopes(api, path, "scopeIds", one, two)


async def test_added_scope_joins_the_others(scopes: RoleScopes) -> None:
    (await scopes.api.post(scopes.path, scopes.body(scopes.two))).expect(201)
    assert await scopes.ids() == {scopes.one, scopes.two}


async def test_scopes_can_be_replaced(scopes: RoleScopes) -> None:
    (await scopes.api.put(scopes.path, scopes.body(scopes.two))).expect(204)
    assert await scopes.ids() == {scopes.two}


async def test_scopes_can_be_replaced_by_none(scopes: RoleScopes) -> None:
    (await scopes.api.put(scopes.path, scopes.body())).expect(204)
    assert await scopes.ids() == set()


async def test_scope_can_be_removed(scopes: RoleScopes) -> None:
    (await scopes.api.delete(f"{scopes.path}/{scopes.one}")).expect(204)
    assert await scopes.ids() == set()


async def test_scope_that_the_role_lacks_cannot_be_removed(scopes: RoleScopes) -> None:
    assert (await scopes.api.delete(f"{scopes.path}/{scopes.two}")).status == 404


async def test_adding_no_scope_is_refused(scopes: RoleScopes) -> None:
    reply = await scopes.api.post(scopes.path, scopes.body())
    assert reply.refusal == (400, "guard.invalid_input")


async def test_adding_an_unknown_scope_is_refused(scopes: RoleScopes) -> None:
    reply = await scopes.api.post(scopes.path, scopes.body("nope"))
    assert reply.refusal == (422, "entity.relation_foreign_key_not_found")


async def test_assigning_an_api_scope_is_as_recorded(
    api: ManagementApi, workshop: Workshop, world: World, like_recording: LikeRecording
) -> None:
    path = f"/organization-roles/{await workshop.role()}/resource-scopes"
    added = await api.post(path, {"scopeIds": [world.read_reports_id]})
    like_recording("03-assign-resource-scope-to-org-role", added)


async def test_api_scopes_of_a_role_are_as_recorded(
    api: ManagementApi, workshop: Workshop, world: World, like_recording: LikeRecording
) -> None:
    role = await workshop.role(resource_scope_ids=[world.read_reports_id])
    reply = await api.get(f"/organization-roles/{role}/resource-scopes")
    like_recording("03-get-org-role-resource-scopes", reply)


async def test_deleted_scope_is_removed_from_its_roles(api: ManagementApi, workshop: Workshop) -> None:
    scope = await workshop.organization_scope(f"going:away:{workshop.tag}")
    role = await workshop.role(scope_ids=[scope])
    (await api.delete(f"/organization-scopes/{scope}")).expect(204)
    assert (await api.get(f"/organization-roles/{role}/scopes")).expect(200).body == []
