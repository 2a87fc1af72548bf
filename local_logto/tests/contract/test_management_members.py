"""Members of an organization and their roles in the Management API."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from contract.client import Reply
from contract.fixtures import LikeRecording
from contract.management import ManagementApi, Workshop
from contract.people import Person
from contract.world import World


@dataclass(frozen=True, slots=True)
class Members:
    """One organization, and the routes of its members."""

    api: ManagementApi
    workshop: Workshop
    organization: str

    @property
    def path(self) -> str:
        return f"/organizations/{self.organization}/users"

    def roles_path(self, person: Person) -> str:
        return f"{self.path}/{person.id}/roles"

    async def outsider(self, name: str = "una") -> Person:
        """Create a person as the recordings have them: with a name and an email address."""
        return await self.workshop.person(name, name=name.title(), primaryEmail=self.workshop.email(name))

    async def joined(self, name: str, *role_ids: str) -> Person:
        """Create a person who is a member with exactly these roles."""
        person = await self.outsider(name)
        await self.workshop.join(self.organization, person, *role_ids)
        return person

    async def add(self, *user_ids: str) -> Reply:
        return await self.api.post(self.path, {"userIds": list(user_ids)})

    async def ids(self, **query: str) -> list[str]:
        return [member["id"] for member in (await self.api.get(self.path, **query)).expect(200).body]

    async def put_roles(self, person: Person, *role_ids: str) -> Reply:
        return await self.api.put(self.roles_path(person), {"organizationRoleIds": list(role_ids)})

    async def post_roles(self, person: Person, **body: object) -> Reply:
        return await self.api.post(self.roles_path(person), body)

    async def role_ids(self, person: Person) -> set[str]:
        roles = (await self.api.get(self.roles_path(person))).expect(200).body
        return {role["id"] for role in roles}


@pytest.fixture
async def members(api: ManagementApi, workshop: Workshop) -> Members:
    organization = await workshop.organization("Renamed", description="d", customData={"k": 1})
    return Members(api, workshop, organization)


@pytest.fixture
async def una(members: Members) -> Person:
    """Una, who is not a member."""
    return await members.outsider()


@pytest.fixture
async def member_una(members: Members) -> Person:
    """Una, who is a member without a role."""
    return await members.joined("una")


@pytest.fixture
async def admin_una(members: Members, world: World) -> Person:
    """Una, who is a member with the role *admin*."""
    return await members.joined("una", world.admin)


# --- adding members


async def test_adding_members_is_as_recorded(members: Members, like_recording: LikeRecording) -> None:
    people = [await members.outsider(name) for name in ("una", "ben")]
    like_recording("203-members-add", await members.add(*(person.id for person in people)))
    assert (await members.api.get(members.path)).headers["Total-Number"] == "2"


async def test_adding_a_member_again_is_as_recorded(
    members: Members, member_una: Person, like_recording: LikeRecording
) -> None:
    like_recording("203-members-add-again", await members.add(member_una.id))
    assert await members.ids() == [member_una.id]


async def test_adding_nobody_is_refused(members: Members, like_recording: LikeRecording) -> None:
    like_recording("203-members-add-empty", await members.add())


async def test_adding_an_unknown_user_is_refused(members: Members, like_recording: LikeRecording) -> None:
    like_recording("06-mapi-add-unknown-user", await members.add("ghost"))


async def test_adding_to_an_unknown_organization_is_refused(
    api: ManagementApi, una: Person, like_recording: LikeRecording
) -> None:
    reply = await api.post("/organizations/nope12345678/users", {"userIds": [una.id]})
    like_recording("06-mapi-add-unknown-user", reply)


async def test_one_unknown_user_among_others_adds_nobody(members: Members, una: Person) -> None:
    assert (await members.add(una.id, "ghost")).status == 422
    assert await members.ids() == []


# --- listing members


async def test_list_of_members_is_as_recorded(
    members: Members, admin_una: Person, like_recording: LikeRecording
) -> None:
    reply = await members.api.get(members.path, page_size="2")
    like_recording("449-members-released", reply)
    assert [member["id"] for member in reply.body] == [admin_una.id]


async def test_members_are_listed_with_their_roles(members: Members, admin_una: Person, world: World) -> None:
    listed = (await members.api.get(members.path)).expect(200).body
    assert listed[0]["organizationRoles"] == [{"id": world.admin, "name": world.admin_name}]


async def test_members_are_ordered_by_id(members: Members) -> None:
    people = [await members.workshop.person() for _ in range(4)]
    (await members.add(*(person.id for person in people))).expect(201)
    assert await members.ids() == sorted(person.id for person in people)


async def test_members_of_an_unknown_organization_are_an_empty_list(
    api: ManagementApi, like_recording: LikeRecording
) -> None:
    like_recording("203-members-list-unknown-org", await api.get("/organizations/nope12345678/users"))


@pytest.mark.usefixtures("member_una")
async def test_members_are_found_by_name(
    members: Members, world: World, like_recording: LikeRecording
) -> None:
    ben = await members.joined("ben", world.member)
    reply = await members.api.get(members.path, q=ben.username, page="1", page_size="5")
    like_recording("204-members-search", reply)
    assert [member["id"] for member in reply.body] == [ben.id]


@pytest.mark.usefixtures("member_una")
async def test_members_are_found_by_role(
    members: Members, world: World, like_recording: LikeRecording
) -> None:
    ben = await members.joined("ben", world.admin)
    reply = await members.api.get(members.path, organizationRoleId=world.admin, page="1", page_size="5")
    like_recording("204-members-by-role", reply)
    assert [member["id"] for member in reply.body] == [ben.id]


async def test_organizations_of_a_person_are_as_recorded(
    members: Members, admin_una: Person, like_recording: LikeRecording
) -> None:
    reply = await members.api.get(f"/users/{admin_una.id}/organizations")
    like_recording("204-user-organizations", reply)
    assert [entry["id"] for entry in reply.body] == [members.organization]


# --- removing and replacing members


async def test_removing_a_member_is_as_recorded(
    members: Members, member_una: Person, like_recording: LikeRecording
) -> None:
    like_recording("209-member-remove", await members.api.delete(f"{members.path}/{member_una.id}"))


async def test_removing_a_person_who_is_not_a_member_is_as_recorded(
    members: Members, una: Person, like_recording: LikeRecording
) -> None:
    like_recording("209-member-remove-again", await members.api.delete(f"{members.path}/{una.id}"))


async def test_replacing_the_members_keeps_the_roles_of_those_who_stay(
    members: Members, admin_una: Person, world: World
) -> None:
    await members.joined("ben", world.admin)
    cam = await members.outsider("cam")
    (await members.api.put(members.path, {"userIds": [admin_una.id, cam.id]})).expect(204)
    assert set(await members.ids()) == {admin_una.id, cam.id}
    assert await members.role_ids(admin_una) == {world.admin}
    assert await members.role_ids(cam) == set()


async def test_member_who_comes_back_starts_without_the_old_roles(
    members: Members, admin_una: Person
) -> None:
    await members.workshop.leave(members.organization, admin_una)
    (await members.add(admin_una.id)).expect(201)
    assert await members.role_ids(admin_una) == set()


# --- roles of a member


async def test_replacing_roles_is_as_recorded(
    members: Members, member_una: Person, world: World, like_recording: LikeRecording
) -> None:
    like_recording("204-member-roles-put", await members.put_roles(member_una, world.admin))


async def test_roles_of_a_member_are_as_recorded(
    members: Members, admin_una: Person, like_recording: LikeRecording
) -> None:
    like_recording("204-member-roles-get", await members.api.get(members.roles_path(admin_una)))


async def test_roles_can_be_added_by_id(
    members: Members, member_una: Person, world: World, like_recording: LikeRecording
) -> None:
    reply = await members.post_roles(member_una, organizationRoleIds=[world.admin])
    like_recording("05-assign-role-acme", reply)
    assert await members.role_ids(member_una) == {world.admin}


async def test_adding_a_role_keeps_the_others(members: Members, admin_una: Person, world: World) -> None:
    (await members.post_roles(admin_una, organizationRoleIds=[world.member])).expect(201)
    assert await members.role_ids(admin_una) == {world.admin, world.member}


async def test_roles_can_be_added_by_name(
    members: Members, member_una: Person, world: World, like_recording: LikeRecording
) -> None:
    reply = await members.post_roles(member_una, organizationRoleNames=[world.member_name])
    like_recording("204-member-roles-post-names", reply)
    assert reply.body["organizationRoleIds"] == [world.member]


async def test_one_role_can_be_removed(members: Members, world: World) -> None:
    una = await members.joined("una", world.admin, world.member)
    (await members.api.delete(f"{members.roles_path(una)}/{world.admin}")).expect(204)
    assert await members.role_ids(una) == {world.member}


async def test_removing_a_role_that_the_member_lacks_is_as_recorded(
    members: Members, member_una: Person, world: World, like_recording: LikeRecording
) -> None:
    reply = await members.api.delete(f"{members.roles_path(member_una)}/{world.admin}")
    like_recording("204-member-role-delete-unassigned", reply)


async def test_all_roles_can_be_removed_at_once(members: Members, world: World) -> None:
    una = await members.joined("una", world.admin, world.member)
    (await members.put_roles(una)).expect(204)
    assert await members.role_ids(una) == set()


async def test_role_for_machines_cannot_be_assigned_to_a_person(
    members: Members, member_una: Person, world: World, like_recording: LikeRecording
) -> None:
    like_recording("204-member-roles-machine-role", await members.put_roles(member_una, world.machine))


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
async def test_roles_are_for_members_only(
    members: Members, una: Person, world: World, like_recording: LikeRecording, method: str
) -> None:
    body = None if method == "GET" else {"organizationRoleIds": [world.member]}
    reply = await members.api.send(method, members.roles_path(una), body)
    like_recording("204-member-roles-nonmember", reply)


async def test_unknown_role_id_is_refused_and_changes_nothing(
    members: Members, admin_una: Person, world: World, like_recording: LikeRecording
) -> None:
    like_recording("204-member-roles-unknown-id", await members.put_roles(admin_una, "nope"))
    assert await members.role_ids(admin_una) == {world.admin}


async def test_unknown_role_name_is_refused(
    members: Members, member_una: Person, like_recording: LikeRecording
) -> None:
    reply = await members.post_roles(member_una, organizationRoleNames=["nope"])
    like_recording("204-member-roles-unknown-name", reply)


@pytest.mark.parametrize("body", [{"organizationRoleIds": []}, {}], ids=["empty list", "nothing"])
async def test_assigning_no_role_is_as_recorded(
    members: Members, member_una: Person, like_recording: LikeRecording, body: dict[str, list[str]]
) -> None:
    reply = await members.post_roles(member_una, **body)
    like_recording("445-organization-user-roles-post-empty", reply)


async def test_scopes_of_a_member_are_as_recorded(
    members: Members, admin_una: Person, world: World, like_recording: LikeRecording
) -> None:
    reply = await members.api.get(f"{members.path}/{admin_una.id}/scopes")
    like_recording("204-member-scopes", reply)
    assert {scope["name"] for scope in reply.body} == world.organization_scopes


@pytest.mark.parametrize("times", [1, 2])
async def test_roles_can_be_assigned_to_many_at_once_and_again(
    members: Members, world: World, times: int
) -> None:
    people = [await members.joined(name) for name in ("una", "ben")]
    body = {"userIds": [person.id for person in people], "organizationRoleIds": [world.member]}
    for _ in range(times):
        (await members.api.post(f"{members.path}/roles", body)).expect(201)
    assert [await members.role_ids(person) for person in people] == [{world.member}, {world.member}]


@pytest.mark.parametrize("listing", ["members of the organization", "organizations of the person"])
async def test_roles_of_a_member_are_listed_by_name(members: Members, listing: str) -> None:
    roles = [await members.workshop.role(name) for name in ("c", "a", "d", "b")]
    una = await members.joined("una", *roles)
    path = members.path if listing == "members of the organization" else f"/users/{una.id}/organizations"
    [shown] = (await members.api.get(path)).expect(200).body
    assert [role["name"][0] for role in shown["organizationRoles"]] == ["a", "b", "c", "d"]
