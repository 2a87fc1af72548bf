"""Machine applications: ``client_credentials`` for a resource, an organization, or both."""

from __future__ import annotations

import pytest

from contract.client import decode
from contract.fixtures import LikeRecording
from contract.management import ManagementApi, Workshop
from contract.oidc import Oidc
from contract.people import App
from contract.world import World

NOT_ALLOWED = "requested grant type is not allowed for this client"
GRANT = {"grant_type": "client_credentials"}


@pytest.fixture
async def robot(workshop: Workshop, world: World) -> App:
    """A machine application that is a member of acme with the role for machines."""
    app = await workshop.application("MachineToMachine")
    await workshop.join_machine(world.acme, app, world.machine)
    return app


async def test_neither_resource_nor_organization_is_an_invalid_target(
    oidc: Oidc, robot: App, like_recording: LikeRecording
) -> None:
    like_recording("55-m2m-nothing", await oidc.token(robot, **GRANT))


async def test_resource_without_a_granted_scope_gives_a_token_without_scope(
    oidc: Oidc, robot: App, world: World, like_recording: LikeRecording
) -> None:
    reply = await oidc.token(robot, **GRANT, resource=world.resource, scope=world.read_reports)
    like_recording("55-m2m-resource", reply)
    assert "scope" not in reply.body
    assert "scope" not in decode(reply.body["access_token"]).claims


async def test_organization_token_is_as_recorded(
    oidc: Oidc, robot: App, world: World, like_recording: LikeRecording
) -> None:
    reply = await oidc.token(robot, **GRANT, organization_id=world.acme, scope=world.read_members)
    like_recording("55-m2m-org", reply, {world.acme: "9rbq6tjabsfx"})


async def test_organization_token_without_requested_scope_has_an_empty_one(
    oidc: Oidc, robot: App, world: World, like_recording: LikeRecording
) -> None:
    reply = await oidc.token(robot, **GRANT, organization_id=world.acme)
    like_recording("55-m2m-org-noscope", reply, {world.acme: "9rbq6tjabsfx"})


async def test_organization_and_resource_together_are_as_recorded(
    oidc: Oidc, robot: App, world: World, like_recording: LikeRecording
) -> None:
    reply = await oidc.token(
        robot, **GRANT, organization_id=world.acme, resource=world.resource, scope=world.read_reports
    )
    like_recording("55-m2m-org-resource", reply)
    assert decode(reply.body["access_token"]).claims["organization_id"] == world.acme


async def test_subject_is_the_application(oidc: Oidc, robot: App, world: World) -> None:
    reply = await oidc.token(robot, **GRANT, organization_id=world.acme)
    claims = decode(reply.expect(200).body["access_token"]).claims
    assert claims["sub"] == claims["client_id"] == robot.id


async def test_machine_gets_neither_refresh_token_nor_id_token(oidc: Oidc, robot: App, world: World) -> None:
    form = {"organization_id": world.acme, "scope": f"openid offline_access {world.read_members}"}
    reply = (await oidc.token(robot, **GRANT, **form)).expect(200)
    assert not {"refresh_token", "id_token"} & set(reply.body)


async def test_scope_that_the_role_lacks_is_omitted(oidc: Oidc, robot: App, world: World) -> None:
    wanted = f"{world.read_members} {world.delete_org}"
    reply = await oidc.token(robot, **GRANT, organization_id=world.acme, scope=wanted)
    assert reply.expect(200).body["scope"] == world.read_members


@pytest.mark.parametrize("organization", ["another one", "unknown"])
async def test_token_for_another_or_an_unknown_organization_is_denied_in_the_same_words(
    oidc: Oidc, robot: App, world: World, like_recording: LikeRecording, organization: str
) -> None:
    organization_id = world.other if organization == "another one" else "doesnotexist"
    reply = await oidc.token(robot, **GRANT, organization_id=organization_id)
    like_recording("55-m2m-org-not-member", reply)


async def test_removed_machine_is_denied_at_once(
    oidc: Oidc, robot: App, world: World, api: ManagementApi, like_recording: LikeRecording
) -> None:
    (await api.delete(f"/organizations/{world.acme}/applications/{robot.id}")).expect(204)
    reply = await oidc.token(robot, **GRANT, organization_id=world.acme)
    like_recording("55-m2m-org-not-member", reply)


async def test_removing_the_role_empties_the_scope_at_once(
    oidc: Oidc, robot: App, world: World, api: ManagementApi
) -> None:
    path = f"/organizations/{world.acme}/applications/{robot.id}/roles/{world.machine}"
    (await api.delete(path)).expect(204)
    reply = await oidc.token(robot, **GRANT, organization_id=world.acme, scope=world.read_members)
    assert reply.expect(200).body["scope"] == ""


async def test_unknown_resource_is_an_invalid_target(
    oidc: Oidc, robot: App, like_recording: LikeRecording
) -> None:
    reply = await oidc.token(robot, **GRANT, resource="https://unknown.example.test")
    like_recording("21-error-resource-unknown", reply)


async def test_two_resources_are_an_invalid_target(oidc: Oidc, robot: App, world: World) -> None:
    both = [world.resource, "https://default.logto.app/api"]
    reply = (await oidc.token(robot, **GRANT, resource=both)).expect(400)
    assert reply.body["error"] == "invalid_target"


async def test_web_application_cannot_use_the_grant_of_machines(oidc: Oidc, world: World) -> None:
    reply = (await oidc.token(world.web, **GRANT, resource=world.resource)).expect(400)
    assert reply.body["error"] == "invalid_request"
    assert reply.body["error_description"] == NOT_ALLOWED


async def test_machine_cannot_use_a_refresh_token(oidc: Oidc, robot: App) -> None:
    reply = (await oidc.refresh(robot, "x" * 43)).expect(400)
    assert reply.body["error"] == "invalid_request"
    assert reply.body["error_description"] == NOT_ALLOWED
