"""Organizations: who stays when members are replaced, invitations and their messages, joining by domain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import time_machine

from local_logto.messages import list_messages
from local_logto.store import now_ms
from unit.management_app import ManagementApp, management_app

DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True)
class Acme:
    """An organization with Ada and Ben, both viewers, and a role for machines."""

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
async def acme(tmp_path: Path) -> AsyncIterator[Acme]:
    async with management_app(tmp_path) as api:
        organization = (await api.made("/organizations", name="Acme"))["id"]
        ada = (await api.made("/users", username="ada", primaryEmail="Ada@acme.test"))["id"]
        ben = (await api.made("/users", username="ben", primaryEmail="ben@acme.test"))["id"]
        viewer = (await api.made("/organization-roles", name="viewer"))["id"]
        machine = (await api.made("/organization-roles", name="robot", type="MachineToMachine"))["id"]
        members = f"/organizations/{organization}/users"
        await api.made(members, userIds=[ada, ben])
        both = {"userIds": [ada, ben], "organizationRoleIds": [viewer]}
        assert (await api.call("POST", f"{members}/roles", both)).body == "Created"
        yield Acme(api, organization, ada, ben, viewer, machine)


async def test_who_stays_a_member_keeps_their_roles(acme: Acme) -> None:
    cem = (await acme.api.made("/users", username="cem"))["id"]
    answer = await acme.api.call("PUT", f"{acme.path}/users", {"userIds": [acme.ada, cem]})
    assert answer.status == 204
    members = (await acme.api.get(f"{acme.path}/users")).body
    assert {user["id"] for user in members} == {acme.ada, cem}
    assert await acme.roles_of(acme.ada) == ["viewer"]
    assert await acme.roles_of(cem) == []


async def test_who_leaves_and_returns_has_no_roles(acme: Acme) -> None:
    await acme.api.call("DELETE", f"{acme.path}/users/{acme.ben}")
    await acme.api.made(f"{acme.path}/users", userIds=[acme.ben])
    assert await acme.roles_of(acme.ben) == []


async def test_roles_for_some_who_are_no_members_change_nothing(acme: Acme) -> None:
    editor = (await acme.api.made("/organization-roles", name="editor"))["id"]
    cem = (await acme.api.made("/users", username="cem"))["id"]
    body = {"userIds": [acme.ada, cem], "organizationRoleIds": [editor]}
    answer = await acme.api.call("POST", f"{acme.path}/users/roles", body)
    assert (answer.status, answer.code) == (422, "entity.relation_foreign_key_not_found")
    assert await acme.roles_of(acme.ada) == ["viewer"]


async def test_assigning_no_role_is_refused(acme: Acme) -> None:
    answer = await acme.api.call("POST", f"{acme.path}/users/{acme.ada}/roles", {})
    assert (answer.status, answer.code) == (422, "entity.invalid_input")
    assert await acme.roles_of(acme.ada) == ["viewer"]


async def test_replacing_by_no_role_takes_all_away(acme: Acme) -> None:
    answer = await acme.api.call("PUT", f"{acme.path}/users/{acme.ada}/roles", {})
    assert answer.status == 204
    assert await acme.roles_of(acme.ada) == []


async def test_only_machines_can_be_associated_and_only_with_their_roles(acme: Acme) -> None:
    web = (await acme.api.made("/applications", name="Web", type="Traditional"))["id"]
    robot = (await acme.api.made("/applications", name="Robot", type="MachineToMachine"))["id"]
    path = f"{acme.path}/applications"
    refused = await acme.api.call("POST", path, {"applicationIds": [web]})
    assert (refused.status, refused.code) == (422, "entity.db_constraint_violated")
    assert (await acme.api.call("POST", path, {"applicationIds": [robot]})).body == "Created"
    roles = f"{path}/{robot}/roles"
    wrong = await acme.api.call("POST", roles, {"organizationRoleIds": [acme.viewer]})
    assert (wrong.status, wrong.code) == (422, "entity.db_constraint_violated")
    assert (await acme.api.call("PUT", roles, {"organizationRoleIds": [acme.machine]})).status == 204
    [listed] = (await acme.api.get(path)).body
    assert listed["organizationRoles"] == [{"id": acme.machine, "name": "robot"}]


async def test_featured_members_are_counted(acme: Acme) -> None:
    [shown] = (await acme.api.get("/organizations", showFeatured="true")).body
    assert shown["usersCount"] == 2
    assert {user["id"] for user in shown["featuredUsers"]} == {acme.ada, acme.ben}


async def test_pages_are_named_as_logto_names_them(acme: Acme) -> None:
    for name in ("Globex", "Initech"):
        await acme.api.made("/organizations", name=name)
    middle = await acme.api.get("/organizations", page="2", page_size="1")
    assert middle.headers["Total-Number"] == "3"
    assert middle.headers.getlist("Link") == [
        f'<http://localhost/organizations?page={page}&page_size=1>; rel="{relation}"'
        for relation, page in (("first", 1), ("prev", 1), ("last", 3), ("next", 3))
    ]


@pytest.mark.parametrize("query", [{"page": "0"}, {"page": "x"}, {"page_size": "101"}, {"page_size": "-1"}])
async def test_a_page_that_cannot_be_is_refused(acme: Acme, query: dict[str, str]) -> None:
    answer = await acme.api.get("/organizations", **query)
    assert (answer.status, answer.code) == (400, "guard.invalid_pagination")


async def test_an_accepted_invitation_makes_a_member_with_its_roles(acme: Acme) -> None:
    cem = (await acme.api.made("/users", username="cem", primaryEmail="cem@new.test"))["id"]
    invitation = await acme.invite("CEM@new.test", organizationRoleIds=[acme.viewer])
    path = f"/organization-invitations/{invitation['id']}/status"
    answer = await acme.api.call("PUT", path, {"status": "Accepted", "acceptedUserId": cem})
    assert (answer.body["status"], answer.body["acceptedUserId"]) == ("Accepted", cem)
    assert await acme.roles_of(cem) == ["viewer"]


async def test_an_invitation_is_accepted_once_however_many_try(acme: Acme) -> None:
    cem = (await acme.api.made("/users", username="cem", primaryEmail="cem@new.test"))["id"]
    invitation = await acme.invite("cem@new.test")
    path = f"/organization-invitations/{invitation['id']}/status"
    body = {"status": "Accepted", "acceptedUserId": cem}
    answers = await asyncio.gather(*(acme.api.call("PUT", path, body) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [200, 422, 422, 422, 422]


async def test_an_invitation_without_a_payload_sends_nothing(acme: Acme) -> None:
    await acme.invite("a@new.test")
    await acme.invite("b@new.test", messagePayload=False)
    assert await list_messages(acme.api.store) == []


async def test_the_message_of_an_invitation_carries_its_link_and_can_be_sent_again(acme: Acme) -> None:
    invitation = await acme.invite("a@new.test", messagePayload={"link": "https://app.test/i/1"})
    path = f"/organization-invitations/{invitation['id']}/message"
    assert (await acme.api.call("POST", path, {"link": "https://app.test/i/2"})).status == 204
    sent = await list_messages(acme.api.store)
    assert [(message.recipient, message.usage, message.link) for message in sent] == [
        ("a@new.test", "OrganizationInvitation", "https://app.test/i/2"),
        ("a@new.test", "OrganizationInvitation", "https://app.test/i/1"),
    ]


async def test_the_eleventh_message_in_ten_minutes_is_refused(acme: Acme) -> None:
    invitation = await acme.invite("a@new.test", messagePayload={})
    path = f"/organization-invitations/{invitation['id']}/message"
    statuses = [(await acme.api.call("POST", path, {})).status for _ in range(10)]
    assert statuses == [204] * 9 + [429]


async def test_an_invitation_expires_by_the_clock(acme: Acme) -> None:
    invitation = await acme.invite("late@new.test")
    path = f"/organization-invitations/{invitation['id']}"
    with time_machine.travel((now_ms() + DAY_MS + 1000) / 1000, tick=False):
        [shown] = (await acme.api.call("GET", "/organization-invitations", token=await _token(acme))).body
        revoked = await acme.api.call(
            "PUT", f"{path}/status", {"status": "Revoked"}, token=await _token(acme)
        )
    assert shown["status"] == "Expired"
    assert (revoked.status, revoked.code) == (422, "request.invalid_input")


async def test_an_organization_takes_its_invitations_along(acme: Acme) -> None:
    await acme.invite("a@new.test")
    await acme.api.call("DELETE", acme.path)
    assert (await acme.api.get("/organization-invitations")).body == []


async def test_domains_and_roles_of_those_who_join_by_themselves(acme: Acme) -> None:
    path = f"{acme.path}/jit"
    await acme.api.made(f"{path}/email-domains", emailDomain="acme.test")
    replaced = await acme.api.call("PUT", f"{path}/email-domains", {"emailDomains": ["a.test", "b.test"]})
    assert replaced.status == 204
    domains = (await acme.api.get(f"{path}/email-domains")).body
    assert [entry["emailDomain"] for entry in domains] == ["a.test", "b.test"]
    assert (
        await acme.api.call("POST", f"{path}/roles", {"organizationRoleIds": [acme.viewer]})
    ).status == 201
    wrong = await acme.api.call("PUT", f"{path}/roles", {"organizationRoleIds": [acme.machine]})
    assert wrong.code == "entity.db_constraint_violated"
    assert (await acme.api.call("DELETE", f"{path}/roles/{acme.viewer}")).status == 204
    assert (await acme.api.get(f"{path}/roles")).body == []


async def _token(acme: Acme) -> str:
    """A token of the present moment, which a travelling clock may have moved."""
    form = {
        "grant_type": "client_credentials",
        "resource": "https://default.logto.app/api",
        "scope": "all",
        "client_id": "m-default",
        "client_secret": "the-management-secret",
    }
    token: str = (await (await acme.api.client.post("/oidc/token", form=form)).get_json())["access_token"]
    return token
