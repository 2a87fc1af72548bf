"""The organization template: organization scopes and roles, and what a role bundles."""

from __future__ import annotations

from contract.fixtures import LikeRecording
from contract.management import ManagementApi, Workshop
from contract.world import World


async def test_created_scope_is_as_recorded(
    api: ManagementApi, workshop: Workshop, like_recording: LikeRecording
) -> None:
    name = f"read:members:{workshop.tag}"
    reply = await api.post("/organization-scopes", {"name": name, "description": name})
    workshop.will_delete(f"/organization-scopes/{reply.body['id']}")
    like_recording("03-create-org-scope-read_members", reply)
    assert (reply.body["name"], len(reply.body["id"])) == (name, 21)


async def test_scope_names_are_unique(
    api: ManagementApi, world: World, like_recording: LikeRecording
) -> None:
    reply = await api.post("/organization-scopes", {"name": world.read_members})
    like_recording("211-scope-dup", reply)


async def test_scope_can_be_read_changed_and_deleted(api: ManagementApi, workshop: Workshop) -> None:
    name = f"some:thing:{workshop.tag}"
    path = f"/organization-scopes/{await workshop.organization_scope(name)}"
    changed = (await api.patch(path, {"description": "other words"})).expect(200).body
    assert (changed["name"], changed["description"]) == (name, "other words")
    assert (await api.get(path)).expect(200).body == changed
    (await api.delete(path)).expect(204)
    assert (await api.get(path)).status == 404


async def test_list_of_scopes_without_paging_is_whole_and_uncounted(api: ManagementApi, world: World) -> None:
    reply = (await api.get("/organization-scopes")).expect(200)
    assert world.organization_scopes <= {scope["name"] for scope in reply.body}
    assert "Total-Number" not in reply.headers


async def test_list_of_scopes_with_paging_is_counted(api: ManagementApi, world: World) -> None:
    reply = (await api.get("/organization-scopes", page="1", page_size="2")).expect(200)
    assert len(reply.body) == 2
    assert int(reply.headers["Total-Number"]) >= len(world.organization_scopes)


async def test_created_role_is_as_recorded(
    api: ManagementApi, workshop: Workshop, world: World, like_recording: LikeRecording
) -> None:
    body = {
        "name": workshop.unique("admin"),
        "description": "Organization admin",
        "organizationScopeIds": [world.read_members_id],
        "resourceScopeIds": [world.read_reports_id],
    }
    reply = await api.post("/organization-roles", body)
    workshop.will_delete(f"/organization-roles/{reply.body['id']}")
    like_recording("03-create-org-role-admin", reply)


async def test_created_machine_role_is_as_recorded(
    api: ManagementApi, workshop: Workshop, like_recording: LikeRecording
) -> None:
    body = {"name": workshop.unique("machine"), "type": "MachineToMachine"}
    reply = await api.post("/organization-roles", body)
    workshop.will_delete(f"/organization-roles/{reply.body['id']}")
    like_recording("55-create-m2m-org-role", reply)


async def test_role_names_are_unique(api: ManagementApi, world: World, like_recording: LikeRecording) -> None:
    like_recording("211-role-dup", await api.post("/organization-roles", {"name": world.admin_name}))


async def test_role_read_alone_has_no_scopes(
    api: ManagementApi, world: World, like_recording: LikeRecording
) -> None:
    like_recording("204-role-get", await api.get(f"/organization-roles/{world.admin}"))


async def test_role_in_the_list_has_its_scopes(api: ManagementApi, world: World) -> None:
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


async def test_role_can_be_renamed_and_deleted(api: ManagementApi, workshop: Workshop) -> None:
    path = f"/organization-roles/{await workshop.role()}"
    name = workshop.unique("renamed")
    assert (await api.patch(path, {"name": name})).expect(200).body["name"] == name
    (await api.delete(path)).expect(204)
    assert (await api.get(path)).status == 404


async def test_scopes_of_a_role_are_added_replaced_and_removed(
    api: ManagementApi, workshop: Workshop
) -> None:
    one = await workshop.organization_scope(f"one:thing:{workshop.tag}")
    two = await workshop.organization_scope(f"two:things:{workshop.tag}")
    path = f"/organization-roles/{await workshop.role(scope_ids=[one])}/scopes"

    async def ids() -> set[str]:
        return {scope["id"] for scope in (await api.get(path)).expect(200).body}

    (await api.post(path, {"organizationScopeIds": [two]})).expect(201)
    assert await ids() == {one, two}
    (await api.put(path, {"organizationScopeIds": [two]})).expect(204)
    assert await ids() == {two}
    (await api.delete(f"{path}/{two}")).expect(204)
    assert await ids() == set()
    assert (await api.delete(f"{path}/{two}")).status == 404


async def test_adding_no_scope_is_refused(api: ManagementApi, world: World) -> None:
    path = f"/organization-roles/{world.admin}/scopes"
    reply = (await api.post(path, {"organizationScopeIds": []})).expect(400)
    assert reply.body["code"] == "guard.invalid_input"


async def test_adding_an_unknown_scope_is_refused(api: ManagementApi, workshop: Workshop) -> None:
    path = f"/organization-roles/{await workshop.role()}/scopes"
    reply = (await api.post(path, {"organizationScopeIds": ["nope"]})).expect(422)
    assert reply.body["code"] == "entity.relation_foreign_key_not_found"


async def test_resource_scopes_of_a_role_are_as_recorded(
    api: ManagementApi, workshop: Workshop, world: World, like_recording: LikeRecording
) -> None:
    path = f"/organization-roles/{await workshop.role()}/resource-scopes"
    added = await api.post(path, {"scopeIds": [world.read_reports_id]})
    like_recording("03-assign-resource-scope-to-org-role", added)
    like_recording("03-get-org-role-resource-scopes", await api.get(path))


async def test_resource_scopes_of_a_role_are_replaced_and_removed(
    api: ManagementApi, workshop: Workshop, world: World
) -> None:
    role = await workshop.role(resource_scope_ids=[world.read_reports_id])
    path = f"/organization-roles/{role}/resource-scopes"
    (await api.put(path, {"scopeIds": []})).expect(204)
    assert (await api.get(path)).expect(200).body == []
    (await api.put(path, {"scopeIds": [world.read_reports_id]})).expect(204)
    (await api.delete(f"{path}/{world.read_reports_id}")).expect(204)
    assert (await api.get(path)).expect(200).body == []


async def test_deleted_scope_leaves_its_roles(api: ManagementApi, workshop: Workshop) -> None:
    scope = await workshop.organization_scope(f"going:away:{workshop.tag}")
    role = await workshop.role(scope_ids=[scope])
    (await api.delete(f"/organization-scopes/{scope}")).expect(204)
    assert (await api.get(f"/organization-roles/{role}/scopes")).expect(200).body == []
