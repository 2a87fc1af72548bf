"""Webhooks: how they are registered and signed, what they contain, and what never sends one."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from contract.client import LogtoBrowser
from contract.fixtures import LikeRecording, NewBrowser, SignIn
from contract.listener import Delivery, Listener
from contract.management import ManagementApi, Workshop
from contract.recordings import load
from contract.world import World

EVENTS = [
    "PostRegister",
    "PostSignIn",
    "Organization.Created",
    "Organization.Deleted",
    "Organization.Data.Updated",
    "Organization.Membership.Updated",
    "User.Created",
    "User.Deleted",
    "User.Data.Updated",
    "User.SuspensionStatus.Updated",
]


@dataclass(frozen=True, slots=True)
class Hook:
    """A registered webhook and what arrives at it."""

    id: str
    signing_key: str
    listener: Listener
    passed_over: list[Delivery] = field(default_factory=list)

    async def expect(self, event: str, about: str) -> Delivery:
        """Return the next delivery of ``event`` that mentions ``about``.

        Deliveries are concurrent and may overtake each other, so others are kept for a later call.
        """

        def fits(delivery: Delivery) -> bool:
            return bool(delivery.json["event"] == event) and about in delivery.body.decode()

        for position, delivery in enumerate(self.passed_over):
            if fits(delivery):
                return self.passed_over.pop(position)
        while not fits(delivery := await self.listener.next_delivery()):
            self.passed_over.append(delivery)
        return delivery


def recorded_event(is_it: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return the first recorded event body that the function accepts."""
    bodies = (entry["body"] for entry in load("214-webhooks-received") if entry["path"] == "/hook")
    return next(body for body in bodies if is_it(body))


def assert_same_members(ours: dict[str, Any], recorded: dict[str, Any]) -> None:
    assert sorted(ours) == sorted(recorded)
    for name in ("event", "method", "status", "matchedRoute"):
        assert ours.get(name) == recorded.get(name), name
    assert sorted(ours.get("params", {})) == sorted(recorded.get("params", {}))


@pytest.fixture
async def hook(workshop: Workshop, listener: Listener) -> Hook:
    config = {"url": f"{listener.address}/hook", "headers": {"x-test": "1"}}
    created = await workshop.hook(events=EVENTS, config=config)
    return Hook(created["id"], created["signingKey"], listener)


# --- registration


async def test_created_hook_is_as_recorded(workshop: Workshop, like_recording: LikeRecording) -> None:
    config = {"url": "http://127.0.0.1:3066/hook"}
    body = {"name": workshop.unique("hook"), "events": ["Organization.Created"], "config": config}
    reply = await workshop.post("/hooks", body)
    like_recording("200-hook-create", reply)
    assert len(reply.body["signingKey"]) == 32


async def test_deleting_a_hook_is_as_recorded(
    api: ManagementApi, hook: Hook, like_recording: LikeRecording
) -> None:
    like_recording("213-hook-delete", await api.delete(f"/hooks/{hook.id}"))
    assert (await api.get(f"/hooks/{hook.id}")).status == 404


async def test_unknown_event_is_refused(api: ManagementApi) -> None:
    body = {"name": "x", "events": ["Nope"], "config": {"url": "http://a"}}
    reply = (await api.post("/hooks", body)).expect(400)
    assert reply.body["code"] == "guard.invalid_input"


async def test_rotated_key_replaces_the_old_one(api: ManagementApi, hook: Hook) -> None:
    rotated = (await api.patch(f"/hooks/{hook.id}/signing-key", {})).expect(200).body
    assert rotated["signingKey"] != hook.signing_key


# --- deliveries


async def test_delivery_is_signed_over_its_exact_bytes(hook: Hook, workshop: Workshop) -> None:
    organization = await workshop.organization()
    delivery = await hook.expect("Organization.Created", organization)
    expected = hmac.new(hook.signing_key.encode(), delivery.body, hashlib.sha256).hexdigest()
    assert delivery.headers["logto-signature-sha-256"] == expected


async def test_delivery_has_the_recorded_headers(hook: Hook, workshop: Workshop) -> None:
    organization = await workshop.organization()
    headers = (await hook.expect("Organization.Created", organization)).headers
    recorded = load("85-received-by-listener")[0]["headers"]
    for name in ("user-agent", "content-type", "x-test"):
        assert headers[name] == recorded[name], name


@pytest.mark.parametrize(
    "event", ["Organization.Created", "Organization.Data.Updated", "Organization.Deleted"]
)
async def test_event_of_an_organization_is_as_recorded(
    api: ManagementApi, hook: Hook, workshop: Workshop, event: str
) -> None:
    organization = await workshop.organization()
    await api.patch(f"/organizations/{organization}", {"description": "d"})
    await api.delete(f"/organizations/{organization}")
    ours = (await hook.expect(event, organization)).json
    assert_same_members(ours, recorded_event(lambda body: body["event"] == event))
    assert ours["hookId"] == hook.id


@pytest.mark.parametrize("delta", ["addedUserIds", "removedUserIds"])
async def test_event_of_a_membership_names_who_joined_or_left(
    hook: Hook, workshop: Workshop, delta: str
) -> None:
    organization, person = await workshop.organization(), await workshop.person()
    await workshop.join(organization, person)
    if delta == "removedUserIds":
        await hook.expect("Organization.Membership.Updated", organization)
        await workshop.leave(organization, person)
    ours = (await hook.expect("Organization.Membership.Updated", organization)).json
    recorded = recorded_event(lambda body: delta in body and "invitation" not in body["matchedRoute"])
    assert_same_members(ours, recorded)
    assert ours["organizationId"] == organization
    assert ours[delta] == [person.id]


async def test_adding_a_member_again_sends_the_event_without_ids(
    api: ManagementApi, hook: Hook, workshop: Workshop
) -> None:
    organization, person = await workshop.organization(), await workshop.person()
    for _ in range(2):
        path = f"/organizations/{organization}/users"
        (await api.post(path, {"userIds": [person.id]})).expect(201)
    deliveries = [(await hook.expect("Organization.Membership.Updated", organization)).json for _ in range(2)]
    assert sorted("addedUserIds" in delivery for delivery in deliveries) == [False, True]


async def test_accepted_invitation_sends_the_event_of_a_membership(
    api: ManagementApi, hook: Hook, workshop: Workshop
) -> None:
    organization = await workshop.organization()
    person = await workshop.person(primaryEmail=workshop.email())
    body = {"organizationId": organization, "invitee": person.email, "expiresAt": 4_000_000_000_000}
    invitation = (await api.post("/organization-invitations", body)).expect(201).body["id"]
    accepted = {"status": "Accepted", "acceptedUserId": person.id}
    (await api.put(f"/organization-invitations/{invitation}/status", accepted)).expect(200)
    ours = (await hook.expect("Organization.Membership.Updated", organization)).json
    recorded = recorded_event(lambda body: "invitation" in body["matchedRoute"])
    assert_same_members(ours, recorded)
    assert (ours["params"], ours["addedUserIds"]) == ({"id": invitation}, [person.id])


async def test_change_of_role_sends_no_event(hook: Hook, workshop: Workshop, world: World) -> None:
    """The next membership event is the removal, so the roles assigned before it sent none."""
    organization, person = await workshop.organization(), await workshop.person()
    await workshop.join(organization, person)
    await hook.expect("Organization.Membership.Updated", organization)
    await workshop.set_roles(organization, person, world.admin)
    await workshop.set_roles(organization, person)
    await workshop.leave(organization, person)
    ours = (await hook.expect("Organization.Membership.Updated", organization)).json
    assert ours["removedUserIds"] == [person.id]


@pytest.mark.parametrize(
    "event", ["User.Created", "User.Data.Updated", "User.SuspensionStatus.Updated", "User.Deleted"]
)
async def test_event_of_a_user_is_as_recorded(
    api: ManagementApi, hook: Hook, workshop: Workshop, event: str
) -> None:
    person = await workshop.person()
    path = f"/users/{person.id}"
    await api.patch(path, {"name": "Other"})
    await api.patch(f"{path}/is-suspended", {"isSuspended": True})
    await api.delete(path)
    ours = (await hook.expect(event, person.id)).json
    recorded = recorded_event(lambda body: body["event"] == event)
    assert_same_members(ours, recorded)
    assert sorted(ours["data"]) == sorted(recorded["data"])


async def test_event_of_an_interactive_sign_in_is_as_recorded(
    hook: Hook, workshop: Workshop, world: World, sign_in: SignIn
) -> None:
    person = await workshop.person()
    await sign_in(person)
    ours = (await hook.expect("PostSignIn", person.id)).json
    deliveries = (entry["body"] for entry in load("85-received-by-listener") if entry["path"] == "/hook")
    recorded = json.loads(next(body for body in deliveries if "PostSignIn" in body))
    assert sorted(ours) == sorted(recorded)
    for member in ("user", "application"):
        assert sorted(ours[member]) == sorted(recorded[member])
    assert ours["interactionEvent"] == "SignIn"
    assert ours["userId"] == ours["user"]["id"] == person.id
    assert ours["application"]["id"] == world.web.id


async def test_silent_round_trip_sends_no_event(
    browser: LogtoBrowser, new_browser: NewBrowser, hook: Hook, workshop: Workshop, world: World
) -> None:
    """The next sign-in event is that of another application, so the round trip before it sent none."""
    person, other = await workshop.person(), await workshop.application()
    await browser.sign_in(world.web, person)
    await hook.expect("PostSignIn", person.id)
    await browser.authorize_silently(world.web, prompt="consent")
    await new_browser().sign_in(other, person)
    ours = (await hook.expect("PostSignIn", person.id)).json
    assert ours["application"]["id"] == other.id


@pytest.mark.usefixtures("sign_up_by_username")
async def test_sign_up_sends_events_of_the_account_and_of_the_registration(
    browser: LogtoBrowser, hook: Hook, workshop: Workshop, world: World
) -> None:
    username = workshop.unique("nina")
    await browser.begin(world.web, "Register")
    proof = (await browser.offer_identity(username)).expect(200)
    await browser.identify_and_submit(proof.body["verificationId"])
    created = (await hook.expect("User.Created", username)).json
    person = created["data"]["id"]
    workshop.will_delete(f"/users/{person}")
    registered = (await hook.expect("PostRegister", username)).json
    for told in (created, registered):
        assert told["interactionEvent"] == "Register"
        assert told["application"]["id"] == world.web.id
    assert created["sessionId"] == registered["sessionId"]
    assert created["applicationId"] == world.web.id
    assert "matchedRoute" not in created
    assert registered["userId"] == registered["user"]["id"] == person


async def test_test_delivery_is_as_recorded(
    api: ManagementApi, hook: Hook, like_recording: LikeRecording
) -> None:
    config = {"url": f"{hook.listener.address}/test"}
    body = {"events": ["Organization.Membership.Updated"], "config": config}
    like_recording("213-hook-test", await api.post(f"/hooks/{hook.id}/test", body))
    delivery = await hook.listener.next_delivery()
    while delivery.path != "/test":
        delivery = await hook.listener.next_delivery()
    recorded = next(entry["body"] for entry in load("214-webhooks-received") if entry["path"] == "/test")
    assert {**delivery.json, "createdAt": "", "hookId": ""} == {**recorded, "createdAt": "", "hookId": ""}
