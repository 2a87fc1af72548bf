"""Applications and their secrets in the Management API, and applications as members."""

from __future__ import annotations

from typing import Any

import pytest

from contract.fixtures import LikeRecording
from contract.management import ManagementApi, Workshop
from contract.people import AFTER_SIGN_OUT, CALLBACK, App
from contract.world import World

ADDRESSES = {"redirectUris": [CALLBACK], "postLogoutRedirectUris": [AFTER_SIGN_OUT]}


@pytest.fixture
async def robot(workshop: Workshop) -> App:
    return await workshop.application("MachineToMachine")


async def test_created_web_application_is_as_recorded_and_shows_no_secret(
    api: ManagementApi, workshop: Workshop, like_recording: LikeRecording
) -> None:
    body = {
        "name": workshop.unique("web"),
        "description": "probe",
        "type": "Traditional",
        "oidcClientMetadata": ADDRESSES,
    }
    reply = await api.post("/applications", body)
    workshop.will_delete(f"/applications/{reply.body['id']}")
    like_recording("04-create-app-traditional", reply)
    assert "secret" not in reply.body
    assert reply.body["oidcClientMetadata"] == ADDRESSES


async def test_created_public_application_is_as_recorded(
    api: ManagementApi, workshop: Workshop, like_recording: LikeRecording
) -> None:
    body = {"name": workshop.unique("spa"), "type": "SPA", "oidcClientMetadata": ADDRESSES}
    reply = await api.post("/applications", body)
    workshop.will_delete(f"/applications/{reply.body['id']}")
    like_recording("04-create-app-spa", reply)


async def test_created_machine_application_is_as_recorded(
    api: ManagementApi, workshop: Workshop, like_recording: LikeRecording
) -> None:
    body = {"name": workshop.unique("robot"), "type": "MachineToMachine"}
    reply = await api.post("/applications", body)
    workshop.will_delete(f"/applications/{reply.body['id']}")
    like_recording("210-m2m-create", reply)


async def test_custom_client_metadata_is_kept_as_given(
    api: ManagementApi, workshop: Workshop, like_recording: LikeRecording
) -> None:
    body: dict[str, Any] = {
        "name": workshop.unique("short"),
        "type": "Traditional",
        "oidcClientMetadata": {"redirectUris": [CALLBACK], "postLogoutRedirectUris": []},
        "customClientMetadata": {"refreshTokenTtl": 10, "alwaysIssueRefreshToken": True},
    }
    reply = await api.post("/applications", body)
    workshop.will_delete(f"/applications/{reply.body['id']}")
    like_recording("34-create-app-short-ttl", reply)
    assert reply.body["customClientMetadata"] == body["customClientMetadata"]


@pytest.mark.parametrize("body", [{"type": "Traditional"}, {"name": "x"}, {"name": "x", "type": "Nope"}])
async def test_application_needs_a_name_and_a_known_type(api: ManagementApi, body: dict[str, str]) -> None:
    reply = (await api.post("/applications", body)).expect(400)
    assert reply.body["code"] == "guard.invalid_input"


async def test_list_without_paging_is_whole_and_uncounted(api: ManagementApi, world: World) -> None:
    reply = (await api.get("/applications")).expect(200)
    assert {world.web.id, world.spa.id} <= {entry["id"] for entry in reply.body}
    assert "Total-Number" not in reply.headers


async def test_list_can_be_limited_to_a_type(api: ManagementApi, world: World) -> None:
    reply = (await api.get("/applications", types="Traditional")).expect(200)
    assert {entry["type"] for entry in reply.body} == {"Traditional"}
    assert world.web.id in {entry["id"] for entry in reply.body}


async def test_application_is_found_by_its_exact_name(api: ManagementApi, workshop: Workshop) -> None:
    app = await workshop.application()
    name = (await api.get(f"/applications/{app.id}")).expect(200).body["name"]
    query = {"search.name": name, "mode.name": "exact"}
    assert [entry["id"] for entry in (await api.get("/applications", **query)).body] == [app.id]


async def test_metadata_is_replaced_whole(
    api: ManagementApi, workshop: Workshop, like_recording: LikeRecording
) -> None:
    app = await workshop.application(description="probe")
    metadata = {
        **ADDRESSES,
        "backchannelLogoutUri": "http://127.0.0.1:3055/bcl",
        "backchannelLogoutSessionRequired": True,
    }
    reply = await api.patch(f"/applications/{app.id}", {"oidcClientMetadata": metadata})
    like_recording("84-set-backchannel-logout-uri", reply)
    reply = await api.patch(f"/applications/{app.id}", {"oidcClientMetadata": ADDRESSES})
    assert reply.expect(200).body["oidcClientMetadata"] == ADDRESSES


async def test_unknown_application(api: ManagementApi) -> None:
    for reply in (await api.get("/applications/nope"), await api.patch("/applications/nope", {})):
        assert reply.expect(404).body["code"].startswith("entity.not_")


async def test_deleted_application_is_gone(
    api: ManagementApi, robot: App, like_recording: LikeRecording
) -> None:
    like_recording("210-m2m-delete", await api.delete(f"/applications/{robot.id}"))
    assert (await api.get(f"/applications/{robot.id}")).status == 404


# --- secrets


async def test_first_secret_is_as_recorded(
    api: ManagementApi, robot: App, like_recording: LikeRecording
) -> None:
    reply = await api.get(f"/applications/{robot.id}/secrets")
    like_recording("210-m2m-secrets", reply)
    assert reply.body[0]["name"] == "Default secret"
    assert len(reply.body[0]["value"]) == 32


async def test_web_application_has_a_first_secret_too(
    api: ManagementApi, world: World, like_recording: LikeRecording
) -> None:
    like_recording("04-app-secrets", await api.get(f"/applications/{world.web.id}/secrets"))


async def test_secrets_are_added_once_by_name_and_deleted(
    api: ManagementApi, robot: App, like_recording: LikeRecording
) -> None:
    path = f"/applications/{robot.id}/secrets"
    like_recording("210-m2m-secret-add", await api.post(path, {"name": "second"}))
    like_recording("210-m2m-secret-dup", await api.post(path, {"name": "second"}))
    assert len((await api.get(path)).body) == 2
    like_recording("210-m2m-secret-delete", await api.delete(f"{path}/second"))
    assert [secret["name"] for secret in (await api.get(path)).body] == ["Default secret"]


# --- applications as members


async def test_machine_as_a_member_is_as_recorded(
    api: ManagementApi,
    workshop: Workshop,
    robot: App,
    world: World,
    like_recording: LikeRecording,
) -> None:
    path = f"/organizations/{await workshop.organization()}/applications"
    like_recording("210-org-app-add", await api.post(path, {"applicationIds": [robot.id]}))
    given = await api.post(f"{path}/{robot.id}/roles", {"organizationRoleIds": [world.machine]})
    like_recording("210-org-app-role", given)
    listed = await api.get(path)
    like_recording("210-org-app-list", listed)
    assert [role["id"] for role in listed.body[0]["organizationRoles"]] == [world.machine]
    like_recording("210-org-app-remove", await api.delete(f"{path}/{robot.id}"))
    assert (await api.get(path)).body == []


async def test_machine_tells_the_organizations_it_belongs_to(
    api: ManagementApi, workshop: Workshop, robot: App, world: World
) -> None:
    path = f"/applications/{robot.id}/organizations"
    assert (await api.get(path)).expect(200).body == []
    first, second = await workshop.organization(), await workshop.organization()
    for organization in (first, second):
        members = f"/organizations/{organization}/applications"
        (await api.post(members, {"applicationIds": [robot.id]})).expect(201)
    given = {"organizationRoleIds": [world.machine]}
    (await api.post(f"/organizations/{first}/applications/{robot.id}/roles", given)).expect(201)

    listed = (await api.get(path)).expect(200)
    roles = {entry["id"]: [role["id"] for role in entry["organizationRoles"]] for entry in listed.body}
    assert roles == {first: [world.machine], second: []}
    assert "Total-Number" not in listed.headers
    assert (await api.get(path, page="1", page_size="1")).headers["Total-Number"] == "2"
    assert (await api.get("/applications/nope/organizations")).status == 404


async def test_role_for_people_is_not_for_machines(
    api: ManagementApi, workshop: Workshop, robot: App, world: World
) -> None:
    path = f"/organizations/{await workshop.organization()}/applications"
    (await api.post(path, {"applicationIds": [robot.id]})).expect(201)
    reply = await api.post(f"{path}/{robot.id}/roles", {"organizationRoleIds": [world.member]})
    assert reply.expect(422).body["code"] == "entity.db_constraint_violated"
