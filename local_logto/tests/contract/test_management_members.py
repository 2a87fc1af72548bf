"""Members of an organization and their roles in the Management API."""

from __future__ import annotations

from typing import Any

import pytest

from contract.fixtures import LikeRecording
from contract.management import ManagementApi, Workshop
from contract.people import Person
from contract.world import World


@pytest.fixture
async def organization(workshop: Workshop) -> str:
    return await workshop.organization("Renamed", description="d", customData={"k": 1})


async def somebody(workshop: Workshop, name: str = "una") -> Person:
    """A person of the recorded shape: a name and an email address."""
    return await workshop.person(name, name=name.title(), primaryEmail=workshop.email(name))


@pytest.fixture
async def una(workshop: Workshop) -> Person:
    return await somebody(workshop)


@pytest.fixture
async def member_una(workshop: Workshop, organization: str, una: Person) -> Person:
    """Una, member of the organization without a role."""
    await workshop.join(organization, una)
    return una


def roles_path(organization: str, person: Person) -> str:
    return f"/organizations/{organization}/users/{person.id}/roles"


async def role_ids(api: ManagementApi, organization: str, person: Person) -> set[str]:
    roles = (await api.get(roles_path(organization, person))).expect(200).body
    return {role["id"] for role in roles}


# --- membership


async def test_adding_members_is_as_recorded_and_so_is_adding_them_again(
    api: ManagementApi, workshop: Workshop, organization: str, like_recording: LikeRecording
) -> None:
    people = [await somebody(workshop, name) for name in ("una", "ben")]
    body = {"userIds": [person.id for person in people]}
    path = f"/organizations/{organization}/users"
    like_recording("203-members-add", await api.post(path, body))
    like_recording("203-members-add-again", await api.post(path, body))
    assert (await api.get(path)).headers["Total-Number"] == "2"


async def test_adding_nobody_is_refused(
    api: ManagementApi, organization: str, like_recording: LikeRecording
) -> None:
    reply = await api.post(f"/organizations/{organization}/users", {"userIds": []})
    like_recording("203-members-add-empty", reply)


async def test_adding_an_unknown_user_is_refused(
    api: ManagementApi, organization: str, like_recording: LikeRecording
) -> None:
    reply = await api.post(f"/organizations/{organization}/users", {"userIds": ["ghost"]})
    like_recording("06-mapi-add-unknown-user", reply)


async def test_adding_to_an_unknown_organization_is_refused(
    api: ManagementApi, una: Person, like_recording: LikeRecording
) -> None:
    reply = await api.post("/organizations/nope12345678/users", {"userIds": [una.id]})
    like_recording("06-mapi-add-unknown-user", reply)


async def test_one_unknown_user_among_others_adds_nobody(
    api: ManagementApi, organization: str, una: Person
) -> None:
    path = f"/organizations/{organization}/users"
    assert (await api.post(path, {"userIds": [una.id, "ghost"]})).status == 422
    assert (await api.get(path)).body == []


async def test_list_of_members_is_as_recorded(
    api: ManagementApi,
    workshop: Workshop,
    organization: str,
    una: Person,
    world: World,
    like_recording: LikeRecording,
) -> None:
    await workshop.join(organization, una, world.admin)
    reply = await api.get(f"/organizations/{organization}/users", page_size="2")
    like_recording("449-members-released", reply)
    assert [member["id"] for member in reply.body] == [una.id]


async def test_members_carry_their_roles(
    api: ManagementApi, workshop: Workshop, organization: str, una: Person, world: World
) -> None:
    await workshop.join(organization, una, world.admin)
    members = (await api.get(f"/organizations/{organization}/users")).expect(200).body
    assert members[0]["organizationRoles"] == [{"id": world.admin, "name": world.admin_name}]


async def test_members_are_ordered_by_id(api: ManagementApi, workshop: Workshop, organization: str) -> None:
    people = [await workshop.person() for _ in range(4)]
    body = {"userIds": [person.id for person in people]}
    (await api.post(f"/organizations/{organization}/users", body)).expect(201)
    members = (await api.get(f"/organizations/{organization}/users")).body
    assert [member["id"] for member in members] == sorted(body["userIds"])


async def test_members_of_an_unknown_organization_are_an_empty_list(
    api: ManagementApi, like_recording: LikeRecording
) -> None:
    like_recording("203-members-list-unknown-org", await api.get("/organizations/nope12345678/users"))


async def test_members_are_found_by_name(
    api: ManagementApi,
    workshop: Workshop,
    organization: str,
    member_una: Person,
    world: World,
    like_recording: LikeRecording,
) -> None:
    ben = await somebody(workshop, "ben")
    await workshop.join(organization, ben, world.member)
    query = {"q": ben.username, "page": "1", "page_size": "5"}
    reply = await api.get(f"/organizations/{organization}/users", **query)
    like_recording("204-members-search", reply)
    assert [member["id"] for member in reply.body] == [ben.id]


async def test_members_are_found_by_role(
    api: ManagementApi,
    workshop: Workshop,
    organization: str,
    member_una: Person,
    world: World,
    like_recording: LikeRecording,
) -> None:
    ben = await somebody(workshop, "ben")
    await workshop.join(organization, ben, world.admin)
    query = {"organizationRoleId": world.admin, "page": "1", "page_size": "5"}
    reply = await api.get(f"/organizations/{organization}/users", **query)
    like_recording("204-members-by-role", reply)
    assert [member["id"] for member in reply.body] == [ben.id]


async def test_removing_a_member_twice_is_as_recorded(
    api: ManagementApi, organization: str, member_una: Person, like_recording: LikeRecording
) -> None:
    path = f"/organizations/{organization}/users/{member_una.id}"
    like_recording("209-member-remove", await api.delete(path))
    like_recording("209-member-remove-again", await api.delete(path))


async def test_replacing_the_members_keeps_the_roles_of_those_who_stay(
    api: ManagementApi, workshop: Workshop, organization: str, una: Person, world: World
) -> None:
    ben, cam = await workshop.person(), await workshop.person()
    await workshop.join(organization, una, world.admin)
    await workshop.join(organization, ben, world.admin)
    path = f"/organizations/{organization}/users"
    (await api.put(path, {"userIds": [una.id, cam.id]})).expect(204)
    members: list[dict[str, Any]] = (await api.get(path)).body
    roles = {member["id"]: [role["id"] for role in member["organizationRoles"]] for member in members}
    assert roles == {una.id: [world.admin], cam.id: []}


async def test_organizations_of_a_person_are_as_recorded(
    api: ManagementApi,
    workshop: Workshop,
    organization: str,
    una: Person,
    world: World,
    like_recording: LikeRecording,
) -> None:
    await workshop.join(organization, una, world.admin)
    reply = await api.get(f"/users/{una.id}/organizations")
    like_recording("204-user-organizations", reply)
    assert [entry["id"] for entry in reply.body] == [organization]


async def test_rejoining_starts_without_the_old_roles(
    api: ManagementApi, workshop: Workshop, organization: str, una: Person, world: World
) -> None:
    await workshop.join(organization, una, world.admin)
    await workshop.leave(organization, una)
    (await api.post(f"/organizations/{organization}/users", {"userIds": [una.id]})).expect(201)
    assert await role_ids(api, organization, una) == set()


# --- roles


async def test_replacing_roles_is_as_recorded(
    api: ManagementApi,
    organization: str,
    member_una: Person,
    world: World,
    like_recording: LikeRecording,
) -> None:
    path = roles_path(organization, member_una)
    reply = await api.put(path, {"organizationRoleIds": [world.admin]})
    like_recording("204-member-roles-put", reply)
    like_recording("204-member-roles-get", await api.get(path))


async def test_roles_can_be_added_by_id(
    api: ManagementApi,
    organization: str,
    member_una: Person,
    world: World,
    like_recording: LikeRecording,
) -> None:
    path = roles_path(organization, member_una)
    like_recording("05-assign-role-acme", await api.post(path, {"organizationRoleIds": [world.admin]}))
    (await api.post(path, {"organizationRoleIds": [world.member]})).expect(201)
    assert await role_ids(api, organization, member_una) == {world.admin, world.member}


async def test_roles_can_be_added_by_name(
    api: ManagementApi,
    organization: str,
    member_una: Person,
    world: World,
    like_recording: LikeRecording,
) -> None:
    body = {"organizationRoleNames": [world.member_name]}
    reply = await api.post(roles_path(organization, member_una), body)
    like_recording("204-member-roles-post-names", reply)
    assert reply.body["organizationRoleIds"] == [world.member]


async def test_role_of_a_member_can_be_taken_away(
    api: ManagementApi,
    organization: str,
    member_una: Person,
    world: World,
    like_recording: LikeRecording,
) -> None:
    path = roles_path(organization, member_una)
    await api.put(path, {"organizationRoleIds": [world.admin, world.member]})
    (await api.delete(f"{path}/{world.admin}")).expect(204)
    assert await role_ids(api, organization, member_una) == {world.member}
    again = await api.delete(f"{path}/{world.admin}")
    like_recording("204-member-role-delete-unassigned", again)


async def test_all_roles_can_be_taken_away_at_once(
    api: ManagementApi, workshop: Workshop, organization: str, una: Person, world: World
) -> None:
    await workshop.join(organization, una, world.admin, world.member)
    await workshop.set_roles(organization, una)
    assert await role_ids(api, organization, una) == set()


async def test_machine_role_is_not_for_people(
    api: ManagementApi,
    organization: str,
    member_una: Person,
    world: World,
    like_recording: LikeRecording,
) -> None:
    body = {"organizationRoleIds": [world.machine]}
    reply = await api.put(roles_path(organization, member_una), body)
    like_recording("204-member-roles-machine-role", reply)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
async def test_roles_are_for_members_only(
    api: ManagementApi,
    organization: str,
    una: Person,
    world: World,
    like_recording: LikeRecording,
    method: str,
) -> None:
    body = None if method == "GET" else {"organizationRoleIds": [world.member]}
    reply = await api.send(method, roles_path(organization, una), body)
    like_recording("204-member-roles-nonmember", reply)


async def test_unknown_role_id_is_refused_and_changes_nothing(
    api: ManagementApi,
    workshop: Workshop,
    organization: str,
    una: Person,
    world: World,
    like_recording: LikeRecording,
) -> None:
    await workshop.join(organization, una, world.member)
    reply = await api.put(roles_path(organization, una), {"organizationRoleIds": ["nope"]})
    like_recording("204-member-roles-unknown-id", reply)
    assert await role_ids(api, organization, una) == {world.member}


async def test_unknown_role_name_is_refused(
    api: ManagementApi, organization: str, member_una: Person, like_recording: LikeRecording
) -> None:
    body = {"organizationRoleNames": ["nope"]}
    reply = await api.post(roles_path(organization, member_una), body)
    like_recording("204-member-roles-unknown-name", reply)


async def test_scopes_of_a_member_are_as_recorded(
    api: ManagementApi,
    workshop: Workshop,
    organization: str,
    una: Person,
    world: World,
    like_recording: LikeRecording,
) -> None:
    await workshop.join(organization, una, world.admin)
    reply = await api.get(f"/organizations/{organization}/users/{una.id}/scopes")
    like_recording("204-member-scopes", reply)
    assert {scope["name"] for scope in reply.body} == world.organization_scopes


async def test_roles_can_be_given_to_many_at_once(
    api: ManagementApi, workshop: Workshop, organization: str, world: World
) -> None:
    people = [await workshop.person() for _ in range(2)]
    for person in people:
        await workshop.join(organization, person)
    body = {"userIds": [person.id for person in people], "organizationRoleIds": [world.member]}
    for _ in range(2):
        (await api.post(f"/organizations/{organization}/users/roles", body)).expect(201)
    for person in people:
        assert await role_ids(api, organization, person) == {world.member}
