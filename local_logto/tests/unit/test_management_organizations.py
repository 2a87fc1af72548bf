"""Organizations: replaced members, roles, invitations and their messages, and auto-join by email domain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import time_machine

from local_logto.messages import list_messages
from local_logto.store import now_ms
from unit.management_app import ManagementApp

DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True)
class Acme:
    """An organization with two members, Ada and Ben, who are viewers, and a role for machines."""

    api: ManagementApp
    id: str
    ada: str
    ben: str
    viewer: str
    machine: str

    @property
    def path(self) -> str:
        return f"/organizations/{self.id}"

    async def roles_of(self, user_id: str) -> list[str]:
        members = (await self.api.get(f"{self.path}/users")).body
        return [
            role["name"] for user in members if user["id"] == user_id for role in user["organizationRoles"]
        ]

    async def invite(self, invitee: str, **body: object) -> dict[str, Any]:
        known = {"organizationId": self.id, "expiresAt": now_ms() + DAY_MS, "invitee": invitee}
        return await self.api.made("/organization-invitations", **known | body)


@pytest.fixture
async def acme(api: ManagementApp) -> Acme:
    organization = (await api.made("/organizations", name="Acme"))["id"]
    ada = (await api.made("/users", username="ada", primaryEmail="Ada@acme.test"))["id"]
    ben = (await api.made("/users", username="ben", primaryEmail="ben@acme.test"))["id"]
    viewer = (await api.made("/organization-roles", name="viewer"))["id"]
    machine = (await api.made("/organization-roles", name="robot", type="MachineToMachine"))["id"]
    members = f"/organizations/{organization}/users"
    await api.made(members, userIds=[ada, ben])
    both = {"userIds": [ada, ben], "organizationRoleIds": [viewer]}
    assert (await api.call("POST", f"{members}/roles", both)).body == "Created"
    return Acme(api, organization, ada, ben, viewer, machine)


async def test_members_who_stay_keep_their_roles(acme: Acme) -> None:
    cem = (await acme.api.made("/users", username="cem"))["id"]
    answer = await acme.api.call("PUT", f"{acme.path}/users", {"userIds": [acme.ada, cem]})
    assert answer.status == 204
    members = (await acme.api.get(f"{acme.path}/users")).body
    assert {user["id"] for user in members} == {acme.ada, cem}
    assert await acme.roles_of(acme.ada) == ["viewer"]
    assert await acme.roles_of(cem) == []


async def test_member_who_leaves_and_returns_has_no_roles(acme: Acme) -> None:
    await acme.api.call("DELETE", f"{acme.path}/users/{acme.ben}")
    await acme.api.made(f"{acme.path}/users", userIds=[acme.ben])
    assert await acme.roles_of(acme.ben) == []


async def test_roles_are_assigned_to_nobody_if_one_person_is_not_a_member(acme: Acme) -> None:
    editor = (await acme.api.made("/organization-roles", name="editor"))["id"]
    cem = (await acme.api.made("/users", username="cem"))["id"]
    body = {"userIds": [acme.ada, cem], "organizationRoleIds": [editor]}
    answer = await acme.api.call("POST", f"{acme.path}/users/roles", body)
    assert answer.refusal == (422, "entity.relation_foreign_key_not_found")
    assert await acme.roles_of(acme.ada) == ["viewer"]


async def test_assigning_no_role_is_refused(acme: Acme) -> None:
    answer = await acme.api.call("POST", f"{acme.path}/users/{acme.ada}/roles", {})
    assert answer.refusal == (422, "entity.invalid_input")
    assert await acme.roles_of(acme.ada) == ["viewer"]


async def test_replacing_roles_by_none_removes_them_all(acme: Acme) -> None:
    answer = await acme.api.call("PUT", f"{acme.path}/users/{acme.ada}/roles", {})
    assert answer.status == 204
    assert await acme.roles_of(acme.ada) == []


async def test_website_cannot_be_a_member(acme: Acme) -> None:
    web = (await acme.api.made("/applications", name="Web", type="Traditional"))["id"]
    refused = await acme.api.call("POST", f"{acme.path}/applications", {"applicationIds": [web]})
    assert refused.refusal == (422, "entity.db_constraint_violated")


@pytest.fixture
async def robot(acme: Acme) -> str:
    """The id of a machine application that is a member."""
    robot: str = (await acme.api.made("/applications", name="Robot", type="MachineToMachine"))["id"]
    answer = await acme.api.call("POST", f"{acme.path}/applications", {"applicationIds": [robot]})
    assert answer.body == "Created"
    return robot


async def test_role_for_people_cannot_be_assigned_to_a_machine(acme: Acme, robot: str) -> None:
    roles = f"{acme.path}/applications/{robot}/roles"
    wrong = await acme.api.call("POST", roles, {"organizationRoleIds": [acme.viewer]})
    assert wrong.refusal == (422, "entity.db_constraint_violated")


async def test_machine_is_listed_with_its_roles(acme: Acme, robot: str) -> None:
    roles = f"{acme.path}/applications/{robot}/roles"
    assert (await acme.api.call("PUT", roles, {"organizationRoleIds": [acme.machine]})).status == 204
    [listed] = (await acme.api.get(f"{acme.path}/applications")).body
    assert listed["organizationRoles"] == [{"id": acme.machine, "name": "robot"}]


async def test_featured_members_are_counted(acme: Acme) -> None:
    [shown] = (await acme.api.get("/organizations", showFeatured="true")).body
    assert shown["usersCount"] == 2
    assert {user["id"] for user in shown["featuredUsers"]} == {acme.ada, acme.ben}


async def test_links_name_the_pages_as_logto_does(acme: Acme) -> None:
    for name in ("Globex", "Initech"):
        await acme.api.made("/organizations", name=name)
    middle = await acme.api.get("/organizations", page="2", page_size="1")
    assert middle.headers["Total-Number"] == "3"
    assert middle.headers.getlist("Link") == [
        f'<http://localhost/organizations?page={page}&page_size=1>; rel="{relation}"'
        for relation, page in (("first", 1), ("prev", 1), ("last", 3), ("next", 3))
    ]


@pytest.mark.parametrize("query", [{"page": "0"}, {"page": "x"}, {"page_size": "101"}, {"page_size": "-1"}])
async def test_impossible_page_is_refused(api: ManagementApp, query: dict[str, str]) -> None:
    answer = await api.get("/organizations", **query)
    assert answer.refusal == (400, "guard.invalid_pagination")


async def test_accepted_invitation_creates_a_member_with_its_roles(acme: Acme) -> None:
    cem = (await acme.api.made("/users", username="cem", primaryEmail="cem@new.test"))["id"]
    invitation = await acme.invite("CEM@new.test", organizationRoleIds=[acme.viewer])
    path = f"/organization-invitations/{invitation['id']}/status"
    answer = await acme.api.call("PUT", path, {"status": "Accepted", "acceptedUserId": cem})
    assert (answer.body["status"], answer.body["acceptedUserId"]) == ("Accepted", cem)
    assert await acme.roles_of(cem) == ["viewer"]


async def test_invitation_is_accepted_once_by_concurrent_requests(acme: Acme) -> None:
    cem = (await acme.api.made("/users", username="cem", primaryEmail="cem@new.test"))["id"]
    invitation = await acme.invite("cem@new.test")
    path = f"/organization-invitations/{invitation['id']}/status"
    body = {"status": "Accepted", "acceptedUserId": cem}
    answers = await asyncio.gather(*(acme.api.call("PUT", path, body) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [200, 422, 422, 422, 422]


@pytest.mark.parametrize("payload", [{}, {"messagePayload": False}], ids=["none", "false"])
async def test_invitation_without_a_payload_sends_nothing(acme: Acme, payload: dict[str, bool]) -> None:
    await acme.invite("a@new.test", **payload)
    assert list_messages(acme.api.store) == []


async def test_message_of_an_invitation_has_a_link_and_can_be_sent_again(acme: Acme) -> None:
    invitation = await acme.invite("a@new.test", messagePayload={"link": "https://app.test/i/1"})
    path = f"/organization-invitations/{invitation['id']}/message"
    assert (await acme.api.call("POST", path, {"link": "https://app.test/i/2"})).status == 204
    sent = list_messages(acme.api.store)
    assert [(message.recipient, message.usage, message.link) for message in sent] == [
        ("a@new.test", "OrganizationInvitation", "https://app.test/i/2"),
        ("a@new.test", "OrganizationInvitation", "https://app.test/i/1"),
    ]


async def test_eleventh_message_in_ten_minutes_is_refused(acme: Acme) -> None:
    invitation = await acme.invite("a@new.test", messagePayload={})
    path = f"/organization-invitations/{invitation['id']}/message"
    statuses = [(await acme.api.call("POST", path, {})).status for _ in range(10)]
    assert statuses == [204] * 9 + [429]


@pytest.fixture
async def expired(acme: Acme) -> AsyncIterator[str]:
    """The path of an invitation, at a time when it has expired."""
    invitation = await acme.invite("late@new.test")
    with time_machine.travel((now_ms() + DAY_MS + 1000) / 1000, tick=False):
        acme.api.token = await acme.api.new_token()
        yield f"/organization-invitations/{invitation['id']}"


@pytest.mark.usefixtures("expired")
async def test_expired_invitation_is_listed_as_expired(acme: Acme) -> None:
    [shown] = (await acme.api.get("/organization-invitations")).body
    assert shown["status"] == "Expired"


async def test_expired_invitation_cannot_be_revoked(acme: Acme, expired: str) -> None:
    revoked = await acme.api.call("PUT", f"{expired}/status", {"status": "Revoked"})
    assert revoked.refusal == (422, "request.invalid_input")


async def test_invitations_are_deleted_with_their_organization(acme: Acme) -> None:
    await acme.invite("a@new.test")
    await acme.api.call("DELETE", acme.path)
    assert (await acme.api.get("/organization-invitations")).body == []


# --- auto-join by email domain


async def test_email_domains_can_be_replaced(acme: Acme) -> None:
    path = f"{acme.path}/jit/email-domains"
    await acme.api.made(path, emailDomain="acme.test")
    replaced = await acme.api.call("PUT", path, {"emailDomains": ["a.test", "b.test"]})
    assert replaced.status == 204
    assert [entry["emailDomain"] for entry in (await acme.api.get(path)).body] == ["a.test", "b.test"]


async def test_role_for_machines_cannot_be_given_to_people_who_auto_join(acme: Acme) -> None:
    wrong = await acme.api.call("PUT", f"{acme.path}/jit/roles", {"organizationRoleIds": [acme.machine]})
    assert wrong.code == "entity.db_constraint_violated"


async def test_role_of_people_who_auto_join_can_be_removed(acme: Acme) -> None:
    path = f"{acme.path}/jit/roles"
    assert (await acme.api.call("POST", path, {"organizationRoleIds": [acme.viewer]})).status == 201
    assert (await acme.api.call("DELETE", f"{path}/{acme.viewer}")).status == 204
    assert (await acme.api.get(path)).body == []
