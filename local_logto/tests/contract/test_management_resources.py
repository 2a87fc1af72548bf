"""API resources and their scopes in the Management API."""

from __future__ import annotations

from dataclasses import replace

from contract.fixtures import LikeRecording
from contract.management import DEFAULT_RESOURCE, ManagementApi, Workshop
from contract.world import World


async def test_created_resource_is_as_recorded(
    api: ManagementApi, workshop: Workshop, like_recording: LikeRecording
) -> None:
    name = workshop.unique("resource")
    indicator = f"https://{workshop.tag}.example.test/made"
    body = {"name": name, "indicator": indicator, "accessTokenTtl": 3600}
    reply = await api.post("/resources", body)
    workshop.will_delete(f"/resources/{reply.body['id']}")
    like_recording("03-create-resource", reply)
    assert (reply.body["indicator"], len(reply.body["id"])) == (indicator, 21)


async def test_indicator_is_unique(api: ManagementApi, world: World, like_recording: LikeRecording) -> None:
    reply = await api.post("/resources", {"name": "x", "indicator": world.resource})
    like_recording("211-resource-dup", reply)


async def test_indicator_need_not_be_a_url(
    api: ManagementApi, workshop: Workshop, like_recording: LikeRecording
) -> None:
    reply = await api.post("/resources", {"name": "x", "indicator": workshop.unique("nope")})
    workshop.will_delete(f"/resources/{reply.body['id']}")
    like_recording("211-resource-bad", reply)


async def test_list_with_scopes_shows_them(api: ManagementApi, world: World) -> None:
    reply = (await api.get("/resources", includeScopes="true")).expect(200)
    ours = next(entry for entry in reply.body if entry["id"] == world.resource_id)
    assert {scope["name"] for scope in ours["scopes"]} == {world.read_reports, world.write_reports}
    assert "Total-Number" not in reply.headers


async def test_list_is_as_recorded(api: ManagementApi, world: World, like_recording: LikeRecording) -> None:
    reply = await api.get("/resources", includeScopes="true")
    ours = [entry for entry in reply.body if entry["indicator"] in (world.resource, DEFAULT_RESOURCE)]
    like_recording("211-resources", replace(reply, body=ours))
    assert len(ours) == 2


async def test_management_api_is_a_resource_itself(api: ManagementApi) -> None:
    reply = (await api.get("/resources", includeScopes="true")).expect(200)
    entry = next(entry for entry in reply.body if entry["indicator"] == DEFAULT_RESOURCE)
    assert [scope["name"] for scope in entry["scopes"]] == ["all"]


async def test_created_scope_is_as_recorded(
    api: ManagementApi, workshop: Workshop, like_recording: LikeRecording
) -> None:
    resource = await workshop.resource()
    body = {"name": "read:reports", "description": "read:reports"}
    reply = await api.post(f"/resources/{resource['id']}/scopes", body)
    like_recording("03-create-resource-scope-read_reports", reply)
    assert reply.body["resourceId"] == resource["id"]


async def test_scope_names_are_unique_within_a_resource(api: ManagementApi, workshop: Workshop) -> None:
    resource, other = await workshop.resource(), await workshop.resource()
    await workshop.resource_scope(resource["id"], "read:reports")
    await workshop.resource_scope(other["id"], "read:reports")
    path = f"/resources/{resource['id']}/scopes"
    reply = (await api.post(path, {"name": "read:reports"})).expect(422)
    assert reply.body["code"] == "scope.name_exists"


async def test_scope_name_has_no_space(api: ManagementApi, workshop: Workshop) -> None:
    path = f"/resources/{(await workshop.resource())['id']}/scopes"
    reply = (await api.post(path, {"name": "read reports"})).expect(400)
    assert reply.body["code"] == "scope.name_with_space"


async def test_scopes_are_listed_changed_and_deleted(api: ManagementApi, workshop: Workshop) -> None:
    resource = (await workshop.resource())["id"]
    scope = await workshop.resource_scope(resource, "read:reports")
    path = f"/resources/{resource}/scopes"
    listed = (await api.get(path)).expect(200)
    assert [entry["id"] for entry in listed.body] == [scope]
    assert listed.headers["Total-Number"] == "1"
    changed = await api.patch(f"{path}/{scope}", {"description": "other words"})
    assert changed.expect(200).body["description"] == "other words"
    (await api.delete(f"{path}/{scope}")).expect(204)
    assert (await api.get(path)).body == []


async def test_resource_can_be_changed_but_not_its_indicator(api: ManagementApi, workshop: Workshop) -> None:
    resource = await workshop.resource()
    body = {"name": "Other", "accessTokenTtl": 600, "indicator": "https://changed.example.test"}
    reply = (await api.patch(f"/resources/{resource['id']}", body)).expect(200)
    assert (reply.body["name"], reply.body["accessTokenTtl"]) == ("Other", 600)
    assert reply.body["indicator"] == resource["indicator"]


async def test_deleted_resource_is_gone(api: ManagementApi, workshop: Workshop) -> None:
    path = f"/resources/{(await workshop.resource())['id']}"
    (await api.delete(path)).expect(204)
    assert (await api.get(path)).status == 404
