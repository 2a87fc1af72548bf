"""Applications and their secrets in the Management API, and applications as members."""

from __future__ import annotations

from typing import Any

import pytest

from contract.fixtures import LikeRecording
from contract.management import ManagementApi, Workshop
from contract.people import AFTER_SIGN_OUT, CALLBACK, App
from contract.world import World

ADDRESSES = {"redirectUris": [CALLBACK], "postLogoutRedirectUris": [AFTER_SIGN_OUT]}
BACKCHANNEL = {"backchannelLogoutUri": "http://127.0.0.1:3055/bcl", "backchannelLogoutSessionRequired": True}


@pytest.fixture
async def robot(workshop: Workshop) -> App:
    return await workshop.application("MachineToMachine")


@pytest.mark.parametrize(
    ("values", "recording"),
    [
        (
            {"type": "Traditional", "description": "probe", "oidcClientMetadata": ADDRESSES},
            "04-create-app-traditional",
        ),
        ({"type": "SPA", "oidcClientMetadata": ADDRESSES}, "04-create-app-spa"),
        ({"type": "MachineToMachine"}, "210-m2m-create"),
        (
            {
                "type": "Traditional",
                "oidcClientMetadata": {"redirectUris": [CALLBACK], "postLogoutRedirectUris": []},
                "customClientMetadata": {"refreshTokenTtl": 10, "alwaysIssueRefreshToken": True},
            },
            "34-create-app-short-ttl",
        ),
    ],
    ids=["web", "public", "machine", "custom metadata"],
)
async def test_created_application_is_as_recorded_and_shows_no_secret(
    workshop: Workshop, like_recording: LikeRecording, values: dict[str, Any], recording: str
) -> None:
    reply = await workshop.post("/applications", {"name": workshop.unique("application"), **values})
    like_recording(recording, reply)
    assert {name: reply.body[name] for name in values} == values
    assert "secret" not in reply.body


@pytest.mark.parametrize("body", [{"type": "Traditional"}, {"name": "x"}, {"name": "x", "type": "Nope"}])
async def test_application_needs_a_name_and_a_known_type(api: ManagementApi, body: dict[str, str]) -> None:
    assert (await api.post("/applications", body)).refusal == (400, "guard.invalid_input")


async def test_list_without_paging_is_complete_and_has_no_total(api: ManagementApi, world: World) -> None:
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


async def test_changed_metadata_is_as_recorded(
    api: ManagementApi, workshop: Workshop, like_recording: LikeRecording
) -> None:
    app = await workshop.application(description="probe")
    reply = await api.patch(f"/applications/{app.id}", {"oidcClientMetadata": {**ADDRESSES, **BACKCHANNEL}})
    like_recording("84-set-backchannel-logout-uri", reply)


async def test_new_metadata_replaces_all_of_the_old(api: ManagementApi, workshop: Workshop) -> None:
    app = await workshop.application(oidcClientMetadata=BACKCHANNEL)
    reply = await api.patch(f"/applications/{app.id}", {"oidcClientMetadata": ADDRESSES})
    assert reply.expect(200).body["oidcClientMetadata"] == ADDRESSES


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PATCH", {})])
async def test_unknown_application_is_not_found(
    api: ManagementApi, method: str, body: dict[str, str] | None
) -> None:
    reply = (await api.send(method, "/applications/nope", body)).expect(404)
    assert reply.body["code"].startswith("entity.not_")


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


@pytest.fixture
async def secrets(api: ManagementApi, robot: App) -> str:
    """The path of the secrets of an application that has a second one."""
    path = f"/applications/{robot.id}/secrets"
    (await api.post(path, {"name": "second"})).expect(201)
    return path


async def secret_names(api: ManagementApi, secrets: str) -> set[str]:
    return {secret["name"] for secret in (await api.get(secrets)).expect(200).body}


async def test_added_secret_is_as_recorded(
    api: ManagementApi, robot: App, like_recording: LikeRecording
) -> None:
    reply = await api.post(f"/applications/{robot.id}/secrets", {"name": "second"})
    like_recording("210-m2m-secret-add", reply)


async def test_second_secret_of_a_name_is_refused(
    api: ManagementApi, secrets: str, like_recording: LikeRecording
) -> None:
    like_recording("210-m2m-secret-dup", await api.post(secrets, {"name": "second"}))
    assert await secret_names(api, secrets) == {"Default secret", "second"}


async def test_deleted_secret_is_gone(
    api: ManagementApi, secrets: str, like_recording: LikeRecording
) -> None:
    like_recording("210-m2m-secret-delete", await api.delete(f"{secrets}/second"))
    assert await secret_names(api, secrets) == {"Default secret"}


# --- applications as members


@pytest.fixture
async def organization(workshop: Workshop) -> str:
    return await workshop.organization()


@pytest.fixture
async def machines(workshop: Workshop, organization: str, robot: App, world: World) -> str:
    """The path of an organization's machines: the robot, with the role for machines."""
    await workshop.join_machine(organization, robot, world.machine)
    return f"/organizations/{organization}/applications"


async def test_adding_a_machine_is_as_recorded(
    api: ManagementApi, organization: str, robot: App, like_recording: LikeRecording
) -> None:
    reply = await api.post(f"/organizations/{organization}/applications", {"applicationIds": [robot.id]})
    like_recording("210-org-app-add", reply)


async def test_assigning_a_role_to_a_machine_is_as_recorded(
    api: ManagementApi, machines: str, robot: App, world: World, like_recording: LikeRecording
) -> None:
    reply = await api.post(f"{machines}/{robot.id}/roles", {"organizationRoleIds": [world.machine]})
    like_recording("210-org-app-role", reply)


async def test_list_of_machines_is_as_recorded(
    api: ManagementApi, machines: str, world: World, like_recording: LikeRecording
) -> None:
    listed = await api.get(machines)
    like_recording("210-org-app-list", listed)
    assert [role["id"] for role in listed.body[0]["organizationRoles"]] == [world.machine]


async def test_removing_a_machine_is_as_recorded(
    api: ManagementApi, machines: str, robot: App, like_recording: LikeRecording
) -> None:
    like_recording("210-org-app-remove", await api.delete(f"{machines}/{robot.id}"))
    assert (await api.get(machines)).body == []


async def test_role_for_people_cannot_be_assigned_to_a_machine(
    api: ManagementApi, machines: str, robot: App, world: World
) -> None:
    reply = await api.post(f"{machines}/{robot.id}/roles", {"organizationRoleIds": [world.member]})
    assert reply.refusal == (422, "entity.db_constraint_violated")


async def test_organizations_of_a_machine_are_listed_with_its_roles(
    api: ManagementApi, workshop: Workshop, robot: App, world: World
) -> None:
    first, second = await workshop.organization(), await workshop.organization()
    await workshop.join_machine(first, robot, world.machine)
    await workshop.join_machine(second, robot)
    listed = (await api.get(f"/applications/{robot.id}/organizations")).expect(200)
    roles = {entry["id"]: [role["id"] for role in entry["organizationRoles"]] for entry in listed.body}
    assert roles == {first: [world.machine], second: []}
    assert "Total-Number" not in listed.headers


async def test_page_of_the_organizations_of_a_machine_has_a_total(
    api: ManagementApi, workshop: Workshop, robot: App
) -> None:
    for _ in range(2):
        await workshop.join_machine(await workshop.organization(), robot)
    reply = await api.get(f"/applications/{robot.id}/organizations", page="1", page_size="1")
    assert reply.headers["Total-Number"] == "2"


async def test_machine_without_organizations_has_an_empty_list(api: ManagementApi, robot: App) -> None:
    assert (await api.get(f"/applications/{robot.id}/organizations")).expect(200).body == []


async def test_organizations_of_an_unknown_application_are_not_found(api: ManagementApi) -> None:
    assert (await api.get("/applications/nope/organizations")).status == 404
