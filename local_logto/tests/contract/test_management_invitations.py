"""Invitations in the Management API: sent, listed, accepted, revoked, expired."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import pytest

from contract.client import Reply
from contract.conftest import Server
from contract.fixtures import LikeRecording
from contract.management import ManagementApi, Workshop
from contract.people import Person
from contract.world import World

DAY = 86_400_000  # milliseconds


def in_milliseconds(delta: int = DAY) -> int:
    return time.time_ns() // 1_000_000 + delta


@dataclass(frozen=True, slots=True)
class Invitations:
    """Invitations to one organization."""

    api: ManagementApi
    organization: str

    async def send(self, invitee: str, **values: object) -> Reply:
        body = {"organizationId": self.organization, "invitee": invitee, "expiresAt": in_milliseconds()}
        return await self.api.post("/organization-invitations", {**body, **values})

    async def pending(self, invitee: str, **values: object) -> str:
        identifier: str = (await self.send(invitee, **values)).expect(201).body["id"]
        return identifier

    async def accept(self, invitation: str, user_id: str | None) -> Reply:
        body = {"status": "Accepted"}
        if user_id is not None:
            body["acceptedUserId"] = user_id
        return await self.api.put(f"/organization-invitations/{invitation}/status", body)

    async def revoke(self, invitation: str) -> Reply:
        body = {"status": "Revoked"}
        return await self.api.put(f"/organization-invitations/{invitation}/status", body)


@pytest.fixture
async def invitations(api: ManagementApi, workshop: Workshop) -> Invitations:
    return Invitations(api, await workshop.organization())


@pytest.fixture
async def cam(workshop: Workshop) -> Person:
    return await workshop.person("cam", primaryEmail=workshop.email("cam"))


async def test_new_invitation_is_as_recorded(
    invitations: Invitations,
    workshop: Workshop,
    world: World,
    cam: Person,
    like_recording: LikeRecording,
) -> None:
    inviter = await workshop.person()
    reply = await invitations.send(cam.email, inviterId=inviter.id, organizationRoleIds=[world.member])
    like_recording("205-invite", reply)
    roles = [{"id": world.member, "name": world.member_name}]
    assert reply.body["organizationRoles"] == roles


async def test_new_invitation_without_inviter_and_roles_is_as_recorded(
    invitations: Invitations, cam: Person, like_recording: LikeRecording
) -> None:
    like_recording("207-invite-second", await invitations.send(cam.email))


async def test_invitation_is_read_and_listed_as_recorded(
    api: ManagementApi,
    invitations: Invitations,
    workshop: Workshop,
    world: World,
    cam: Person,
    like_recording: LikeRecording,
) -> None:
    inviter = await workshop.person()
    invitation = await invitations.pending(
        cam.email, inviterId=inviter.id, organizationRoleIds=[world.member]
    )
    like_recording("206-invite-get", await api.get(f"/organization-invitations/{invitation}"))
    query = {"organizationId": invitations.organization}
    like_recording("206-invite-list", await api.get("/organization-invitations", **query))


async def test_list_can_be_limited_to_an_address_in_any_case(
    api: ManagementApi, invitations: Invitations, cam: Person, workshop: Workshop
) -> None:
    invitation = await invitations.pending(cam.email)
    await invitations.pending(workshop.email("other"))
    reply = (await api.get("/organization-invitations", invitee=cam.email.upper())).expect(200)
    assert [entry["id"] for entry in reply.body] == [invitation]


async def test_unknown_invitation(api: ManagementApi, like_recording: LikeRecording) -> None:
    like_recording("206-invite-get-unknown", await api.get("/organization-invitations/nope"))


# --- refused at once


async def test_second_pending_invitation_is_refused(
    invitations: Invitations, cam: Person, like_recording: LikeRecording
) -> None:
    await invitations.pending(cam.email)
    like_recording("205-invite-duplicate-pending", await invitations.send(cam.email))


async def test_member_is_not_invited(
    invitations: Invitations, workshop: Workshop, cam: Person, like_recording: LikeRecording
) -> None:
    await workshop.join(invitations.organization, cam)
    like_recording("205-invite-already-member", await invitations.send(cam.email))


async def test_past_expiry_is_refused(
    invitations: Invitations, cam: Person, like_recording: LikeRecording
) -> None:
    like_recording("205-invite-past", await invitations.send(cam.email, expiresAt=1))


async def test_malformed_address_is_refused(invitations: Invitations, like_recording: LikeRecording) -> None:
    like_recording("205-invite-bad-email", await invitations.send("nope"))


async def test_unknown_inviter_is_refused(
    invitations: Invitations, cam: Person, like_recording: LikeRecording
) -> None:
    like_recording("205-invite-unknown-inviter", await invitations.send(cam.email, inviterId="nope"))


async def test_unknown_organization_is_refused(
    invitations: Invitations, cam: Person, like_recording: LikeRecording
) -> None:
    reply = await invitations.send(cam.email, organizationId="nope12345678")
    like_recording("205-invite-unknown-org", reply)


# --- accepted


async def test_acceptance_makes_a_member_with_the_roles(
    api: ManagementApi,
    invitations: Invitations,
    workshop: Workshop,
    world: World,
    cam: Person,
    like_recording: LikeRecording,
) -> None:
    inviter = await workshop.person()
    invitation = await invitations.pending(
        cam.email, inviterId=inviter.id, organizationRoleIds=[world.member]
    )
    like_recording("207-accept", await invitations.accept(invitation, cam.id))
    path = f"/organizations/{invitations.organization}/users/{cam.id}/roles"
    assert [role["id"] for role in (await api.get(path)).expect(200).body] == [world.member]


async def test_acceptance_happens_once(
    invitations: Invitations, cam: Person, like_recording: LikeRecording
) -> None:
    invitation = await invitations.pending(cam.email)
    (await invitations.accept(invitation, cam.id)).expect(200)
    like_recording("207-accept-again", await invitations.accept(invitation, cam.id))
    like_recording("207-revoke-accepted", await invitations.revoke(invitation))


async def test_acceptance_names_a_user(
    invitations: Invitations, cam: Person, like_recording: LikeRecording
) -> None:
    invitation = await invitations.pending(cam.email)
    like_recording("207-accept-no-user", await invitations.accept(invitation, None))


async def test_acceptance_by_an_unknown_user_is_refused(
    invitations: Invitations, cam: Person, like_recording: LikeRecording
) -> None:
    invitation = await invitations.pending(cam.email)
    like_recording("207-accept-unknown-user", await invitations.accept(invitation, "nope12345678"))


async def test_acceptance_by_somebody_else_is_refused(
    api: ManagementApi,
    invitations: Invitations,
    workshop: Workshop,
    cam: Person,
    like_recording: LikeRecording,
) -> None:
    ben = await workshop.person("ben", primaryEmail=workshop.email("ben"))
    invitation = await invitations.pending(cam.email)
    like_recording("207-accept-wrong-user", await invitations.accept(invitation, ben.id))
    members = await api.get(f"/organizations/{invitations.organization}/users")
    assert members.expect(200).body == []


async def test_address_is_compared_without_regard_to_case(invitations: Invitations, cam: Person) -> None:
    invitation = await invitations.pending(cam.email.upper())
    assert (await invitations.accept(invitation, cam.id)).status == 200


# --- revoked, expired, deleted


async def test_revoked_invitation_is_as_recorded_and_cannot_be_accepted(
    invitations: Invitations, cam: Person, like_recording: LikeRecording
) -> None:
    invitation = await invitations.pending(cam.email)
    like_recording("207-revoke", await invitations.revoke(invitation))
    like_recording("207-accept-revoked", await invitations.accept(invitation, cam.id))


async def test_revoked_invitation_makes_room_for_another(invitations: Invitations, cam: Person) -> None:
    (await invitations.revoke(await invitations.pending(cam.email))).expect(200)
    assert (await invitations.send(cam.email)).status == 201


@pytest.mark.slow_clock
async def test_expired_invitation_is_as_recorded_and_cannot_be_accepted(
    api: ManagementApi,
    server: Server,
    invitations: Invitations,
    cam: Person,
    like_recording: LikeRecording,
) -> None:
    expiry = in_milliseconds(int(server.patience * 1000))
    reply = await invitations.send(cam.email, expiresAt=expiry)
    like_recording("207-invite-short", reply)
    await asyncio.sleep(server.patience * 2)
    path = f"/organization-invitations/{reply.body['id']}"
    like_recording("207-invite-expired-get", await api.get(path))
    like_recording("207-accept-expired", await invitations.accept(reply.body["id"], cam.id))


async def test_deleted_invitation_is_gone(
    api: ManagementApi, invitations: Invitations, cam: Person, like_recording: LikeRecording
) -> None:
    path = f"/organization-invitations/{await invitations.pending(cam.email)}"
    like_recording("207-invite-delete", await api.delete(path))
    assert (await api.get(path)).status == 404


async def test_invitations_go_with_their_organization(
    api: ManagementApi, invitations: Invitations, cam: Person
) -> None:
    path = f"/organization-invitations/{await invitations.pending(cam.email)}"
    (await api.delete(f"/organizations/{invitations.organization}")).expect(204)
    assert (await api.get(path)).status == 404
