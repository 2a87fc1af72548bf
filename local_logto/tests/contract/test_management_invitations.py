"""Invitations in the Management API: how they are sent, listed, accepted, revoked, and how they expire."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import pytest

from contract.client import Reply
from contract.conftest import Server
from contract.fixtures import LikeRecording
from contract.management import ManagementApi, Workshop
from contract.people import Person
from contract.world import World

DAY_MS = 86_400_000


def in_milliseconds(delta: int = DAY_MS) -> int:
    """Return the time in ``delta`` milliseconds, in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000 + delta


def path_of(invitation: str) -> str:
    return f"/organization-invitations/{invitation}"


@dataclass(frozen=True, slots=True)
class Invitations:
    """Invitations to one organization, sent by ``inviter`` for the role *member* where a test asks for it."""

    api: ManagementApi
    organization: str
    inviter: Person
    role: str

    async def send(self, invitee: str, **values: object) -> Reply:
        body = {"organizationId": self.organization, "invitee": invitee, "expiresAt": in_milliseconds()}
        return await self.api.post("/organization-invitations", {**body, **values})

    async def pending(self, invitee: str, **values: object) -> str:
        identifier: str = (await self.send(invitee, **values)).expect(201).body["id"]
        return identifier

    @property
    def complete(self) -> dict[str, object]:
        """The values of an invitation with an inviter and a role."""
        return {"inviterId": self.inviter.id, "organizationRoleIds": [self.role]}

    async def set_status(self, invitation: str, status: str, **values: object) -> Reply:
        return await self.api.put(f"{path_of(invitation)}/status", {"status": status, **values})

    async def accept(self, invitation: str, user_id: str) -> Reply:
        return await self.set_status(invitation, "Accepted", acceptedUserId=user_id)

    async def revoke(self, invitation: str) -> Reply:
        return await self.set_status(invitation, "Revoked")


@pytest.fixture
async def invitations(api: ManagementApi, workshop: Workshop, world: World) -> Invitations:
    return Invitations(api, await workshop.organization(), await workshop.person(), world.member)


@pytest.fixture
async def cam(workshop: Workshop) -> Person:
    return await workshop.person("cam", primaryEmail=workshop.email("cam"))


@pytest.fixture
async def pending(invitations: Invitations, cam: Person) -> str:
    """The id of a pending invitation for Cam."""
    return await invitations.pending(cam.email)


@pytest.fixture
async def accepted(invitations: Invitations, cam: Person, pending: str) -> str:
    """The id of an invitation that Cam accepted."""
    (await invitations.accept(pending, cam.id)).expect(200)
    return pending


async def test_new_invitation_is_as_recorded(
    invitations: Invitations, world: World, cam: Person, like_recording: LikeRecording
) -> None:
    reply = await invitations.send(cam.email, **invitations.complete)
    like_recording("205-invite", reply)
    assert reply.body["organizationRoles"] == [{"id": world.member, "name": world.member_name}]


async def test_new_invitation_without_inviter_and_roles_is_as_recorded(
    invitations: Invitations, cam: Person, like_recording: LikeRecording
) -> None:
    like_recording("207-invite-second", await invitations.send(cam.email))


async def test_invitation_is_read_as_recorded(
    api: ManagementApi, invitations: Invitations, cam: Person, like_recording: LikeRecording
) -> None:
    invitation = await invitations.pending(cam.email, **invitations.complete)
    like_recording("206-invite-get", await api.get(path_of(invitation)))


async def test_invitations_of_an_organization_are_listed_as_recorded(
    api: ManagementApi, invitations: Invitations, cam: Person, like_recording: LikeRecording
) -> None:
    await invitations.pending(cam.email, **invitations.complete)
    query = {"organizationId": invitations.organization}
    like_recording("206-invite-list", await api.get("/organization-invitations", **query))


async def test_list_can_be_limited_to_an_address_in_any_case(
    api: ManagementApi, invitations: Invitations, cam: Person, pending: str, workshop: Workshop
) -> None:
    await invitations.pending(workshop.email("other"))
    reply = (await api.get("/organization-invitations", invitee=cam.email.upper())).expect(200)
    assert [entry["id"] for entry in reply.body] == [pending]


async def test_unknown_invitation_is_as_recorded(api: ManagementApi, like_recording: LikeRecording) -> None:
    like_recording("206-invite-get-unknown", await api.get(path_of("nope")))


# --- invitations that are refused


@pytest.mark.usefixtures("pending")
async def test_second_pending_invitation_is_refused(
    invitations: Invitations, cam: Person, like_recording: LikeRecording
) -> None:
    like_recording("205-invite-duplicate-pending", await invitations.send(cam.email))


async def test_member_cannot_be_invited(
    invitations: Invitations, workshop: Workshop, cam: Person, like_recording: LikeRecording
) -> None:
    await workshop.join(invitations.organization, cam)
    like_recording("205-invite-already-member", await invitations.send(cam.email))


@pytest.mark.parametrize(
    ("values", "recording"),
    [
        ({"invitee": "nope"}, "205-invite-bad-email"),
        ({"expiresAt": 1}, "205-invite-past"),
        ({"inviterId": "nope"}, "205-invite-unknown-inviter"),
        ({"organizationId": "nope12345678"}, "205-invite-unknown-org"),
    ],
    ids=["malformed address", "past expiry", "unknown inviter", "unknown organization"],
)
async def test_invitation_with_an_impossible_value_is_refused(
    invitations: Invitations,
    cam: Person,
    like_recording: LikeRecording,
    values: dict[str, Any],
    recording: str,
) -> None:
    like_recording(recording, await invitations.send(**{"invitee": cam.email, **values}))


# --- acceptance


async def test_acceptance_creates_a_member_with_the_roles(
    api: ManagementApi, invitations: Invitations, world: World, cam: Person, like_recording: LikeRecording
) -> None:
    invitation = await invitations.pending(cam.email, **invitations.complete)
    like_recording("207-accept", await invitations.accept(invitation, cam.id))
    path = f"/organizations/{invitations.organization}/users/{cam.id}/roles"
    assert [role["id"] for role in (await api.get(path)).expect(200).body] == [world.member]


async def test_accepted_invitation_cannot_be_accepted_again(
    invitations: Invitations, cam: Person, accepted: str, like_recording: LikeRecording
) -> None:
    like_recording("207-accept-again", await invitations.accept(accepted, cam.id))


async def test_accepted_invitation_cannot_be_revoked(
    invitations: Invitations, accepted: str, like_recording: LikeRecording
) -> None:
    like_recording("207-revoke-accepted", await invitations.revoke(accepted))


async def test_acceptance_without_a_user_is_refused(
    invitations: Invitations, pending: str, like_recording: LikeRecording
) -> None:
    like_recording("207-accept-no-user", await invitations.set_status(pending, "Accepted"))


async def test_acceptance_by_an_unknown_user_is_refused(
    invitations: Invitations, pending: str, like_recording: LikeRecording
) -> None:
    like_recording("207-accept-unknown-user", await invitations.accept(pending, "nope12345678"))


async def test_acceptance_by_another_person_is_refused(
    api: ManagementApi, invitations: Invitations, pending: str, nina: Person, like_recording: LikeRecording
) -> None:
    like_recording("207-accept-wrong-user", await invitations.accept(pending, nina.id))
    members = await api.get(f"/organizations/{invitations.organization}/users")
    assert members.expect(200).body == []


async def test_case_of_the_address_does_not_matter(invitations: Invitations, cam: Person) -> None:
    invitation = await invitations.pending(cam.email.upper())
    assert (await invitations.accept(invitation, cam.id)).status == 200


# --- revocation, expiry and deletion


async def test_revocation_is_as_recorded(
    invitations: Invitations, pending: str, like_recording: LikeRecording
) -> None:
    like_recording("207-revoke", await invitations.revoke(pending))


async def test_revoked_invitation_cannot_be_accepted(
    invitations: Invitations, cam: Person, pending: str, like_recording: LikeRecording
) -> None:
    (await invitations.revoke(pending)).expect(200)
    like_recording("207-accept-revoked", await invitations.accept(pending, cam.id))


async def test_person_can_be_invited_again_after_a_revocation(
    invitations: Invitations, cam: Person, pending: str
) -> None:
    (await invitations.revoke(pending)).expect(200)
    assert (await invitations.send(cam.email)).status == 201


@pytest.mark.slow_clock
async def test_expired_invitation_is_as_recorded_and_cannot_be_accepted(
    api: ManagementApi,
    server: Server,
    invitations: Invitations,
    cam: Person,
    like_recording: LikeRecording,
) -> None:
    """One test for three replies, because the wait for the expiry is long."""
    expiry = in_milliseconds(int(server.patience * 1000))
    reply = await invitations.send(cam.email, expiresAt=expiry)
    like_recording("207-invite-short", reply)
    await asyncio.sleep(server.patience * 2)
    like_recording("207-invite-expired-get", await api.get(path_of(reply.body["id"])))
    like_recording("207-accept-expired", await invitations.accept(reply.body["id"], cam.id))


async def test_deleted_invitation_is_gone(
    api: ManagementApi, pending: str, like_recording: LikeRecording
) -> None:
    like_recording("207-invite-delete", await api.delete(path_of(pending)))
    assert (await api.get(path_of(pending))).status == 404


async def test_invitations_are_deleted_with_their_organization(
    api: ManagementApi, invitations: Invitations, pending: str
) -> None:
    (await api.delete(f"/organizations/{invitations.organization}")).expect(204)
    assert (await api.get(path_of(pending))).status == 404
