"""API resources and their scopes in the Management API."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contract.fixtures import LikeRecording
from contract.management import DEFAULT_RESOURCE, ManagementApi, Workshop
from contract.world import World


async def test_created_resource_is_as_recorded(workshop: Workshop, like_recording: LikeRecording) -> None:
    name = workshop.unique("resource")
    indicator = f"https://{workshop.tag}.example.test/made"
    body = {"name": name, "indicator": indicator, "accessTokenTtl": 3600}
    reply = await workshop.post("/resources", body)
    like_recording("03-create-resource", reply)
    assert (reply.body["indicator"], len(reply.body["id"])) == (indicator, 21)


async def test_indicator_is_unique(api: ManagementApi, world: World, like_recording: LikeRecording) -> None:
    reply = await api.post("/resources", {"name": "x", "indicator": world.resource})
    like_recording("211-resource-dup", reply)


async def test_indicator_need_not_be_a_url(workshop: Workshop, like_recording: LikeRecording) -> None:
    reply = await workshop.post("/resources", {"name": "x", "indicator": workshop.unique("nope")})
    like_recording("211-resource-bad", reply)


async def test_list_can_include_the_scopes(api: ManagementApi, world: World) -> None:
    reply = (await api.get("/resources", includeScopes="true")).expect(200)
    ours = next(entry for entry in reply.body if entry["id"] == world.resource_id)
    assert {scope["name"] for scope in ours["scopes"]} == {world.read_reports, world.write_reports}
    assert "Total-Number" not in reply.headers


async def test_list_is_as_recorded(api: ManagementApi, world: World, like_recording: LikeRecording) -> None:
    reply = await api.get("/resources", includeScopes="true")
    ours = [entry for entry in reply.body if entry["indicator"] in (world.resource, DEFAULT_RESOURCE)]
    like_recording("211-resources", replace(reply, body=ours))
    assert len(ours) == 2


async def test_management_api_is_one_of_the_resources(api: ManagementApi) -> None:
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
    assert (await api.post(path, {"name": "read:reports"})).refusal == (422, "scope.name_exists")


async def test_scope_name_with_a_space_is_refused(api: ManagementApi, workshop: Workshop) -> None:
    path = f"/resources/{(await workshop.resource())['id']}/scopes"
    assert (await api.post(path, {"name": "read reports"})).refusal == (400, "scope.name_with_space")


@pytest.fixture
async def scope(workshop: Workshop) -> tuple[str, str]:
    """The path of a resource's scopes, and the id of its only scope."""
    resource = (await workshop.resource())["id"]
    return f"/resources/{resource}/scopes", await workshop.resource_scope(resource, "read:reports")


async def test_scopes_are_listed_with_a_total(api: ManagementApi, scope: tuple[str, str]) -> None:
    path, scope_id = scope
    listed = (await api.get(path)).expect(200)
    assert [entry["id"] for entry in listed.body] == [scope_id]
    assert listed.headers["Total-Number"] == "1"


async def test_scope_can_be_changed(api: ManagementApi, scope: tuple[str, str]) -> None:
    reply = await api.patch("/".join(scope), {"description": "other words"})
    assert reply.expect(200).body["description"] == "other words"


async def test_deleted_scope_is_gone(api: ManagementApi, scope: tuple[str, str]) -> None:
    (await api.delete("/".join(scope))).expect(204)
    assert (await api.get(scope[0])).body == []


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
