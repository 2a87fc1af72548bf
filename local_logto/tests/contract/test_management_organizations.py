"""Organizations in the Management API: created, listed, searched, changed, deleted."""

from __future__ import annotations

import pytest

from contract.fixtures import LikeRecording
from contract.management import ManagementApi, Workshop
from contract.world import World

DOMAIN = {"emailDomain": "example.test"}


async def test_created_organization_is_as_recorded(workshop: Workshop, like_recording: LikeRecording) -> None:
    body = {"name": workshop.unique("recorded"), "description": "d", "customData": {"k": 1}}
    reply = await workshop.post("/organizations", body)
    like_recording("201-org-create", reply)
    assert len(reply.body["id"]) == 12
    assert {name: reply.body[name] for name in body} == body


async def test_missing_description_is_null_and_missing_custom_data_is_empty(
    api: ManagementApi, workshop: Workshop
) -> None:
    organization = (await api.get(f"/organizations/{await workshop.organization()}")).body
    assert organization["description"] is None
    assert organization["customData"] == {}


async def test_read_organization_is_as_recorded(
    api: ManagementApi, workshop: Workshop, like_recording: LikeRecording
) -> None:
    organization = await workshop.organization(description="d", customData={"k": 1})
    like_recording("201-org-get", await api.get(f"/organizations/{organization}"))


async def test_page_of_organizations_is_as_recorded(
    api: ManagementApi, workshop: Workshop, like_recording: LikeRecording
) -> None:
    name = workshop.unique("listed")
    for _ in range(3):
        await workshop.organization(name, description="d")
    reply = await api.get("/organizations", q=name, page="1", page_size="2")
    like_recording("201-org-list", reply)
    assert (reply.headers["Total-Number"], len(reply.body)) == ("3", 2)


@pytest.mark.parametrize("member", ["name", "id"])
async def test_search_finds_by_name_in_any_case_and_by_id(
    api: ManagementApi, workshop: Workshop, member: str
) -> None:
    name = workshop.unique("searched")
    organization = await workshop.organization(name)
    question = name.upper() if member == "name" else organization
    found = (await api.get("/organizations", q=question)).expect(200).body
    assert [entry["id"] for entry in found] == [organization]


async def test_search_without_a_match_is_an_empty_page(
    api: ManagementApi, workshop: Workshop, like_recording: LikeRecording
) -> None:
    reply = await api.get("/organizations", q=workshop.unique("nothing"), page="1", page_size="5")
    like_recording("201-org-search", reply)
    assert reply.headers["Total-Number"] == "0"


async def test_changed_organization_is_as_recorded(
    api: ManagementApi, workshop: Workshop, like_recording: LikeRecording
) -> None:
    organization = await workshop.organization(description="d", customData={"k": 1})
    name = workshop.unique("renamed")
    reply = await api.patch(f"/organizations/{organization}", {"name": name, "isMfaRequired": False})
    like_recording("201-org-patch", reply)
    assert (await api.get(f"/organizations/{organization}")).body["name"] == name


async def test_change_keeps_other_members_and_replaces_objects(
    api: ManagementApi, workshop: Workshop
) -> None:
    organization = await workshop.organization(description="d", customData={"k": 1, "l": 2})
    reply = await api.patch(f"/organizations/{organization}", {"customData": {"m": 3}})
    assert reply.expect(200).body["description"] == "d"
    assert reply.body["customData"] == {"m": 3}


async def test_empty_name_is_refused(api: ManagementApi, world: World, like_recording: LikeRecording) -> None:
    like_recording("201-org-patch-empty-name", await api.patch(f"/organizations/{world.acme}", {"name": ""}))


async def test_missing_name_is_refused(api: ManagementApi, like_recording: LikeRecording) -> None:
    like_recording("06-mapi-400-guard", await api.post("/organizations", {}))


async def test_unknown_members_of_the_body_are_ignored(api: ManagementApi, workshop: Workshop) -> None:
    organization = await workshop.organization(shape="round")
    assert "shape" not in (await api.get(f"/organizations/{organization}")).expect(200).body


async def test_reading_an_unknown_organization_is_as_recorded(
    api: ManagementApi, like_recording: LikeRecording
) -> None:
    like_recording("06-mapi-404-org", await api.get("/organizations/nope"))


async def test_changing_an_unknown_organization_is_as_recorded(
    api: ManagementApi, like_recording: LikeRecording
) -> None:
    reply = await api.patch("/organizations/nope12345678", {"name": "x"})
    like_recording("201-org-patch-unknown", reply)


async def test_deleted_organization_is_gone(
    api: ManagementApi, workshop: Workshop, like_recording: LikeRecording
) -> None:
    path = f"/organizations/{await workshop.organization()}"
    like_recording("201-org-delete", await api.delete(path))
    assert (await api.get(path)).status == 404


async def test_deleting_an_organization_again_is_as_recorded(
    api: ManagementApi, workshop: Workshop, like_recording: LikeRecording
) -> None:
    path = f"/organizations/{await workshop.organization()}"
    (await api.delete(path)).expect(204)
    like_recording("201-org-delete-again", await api.delete(path))


async def test_names_need_not_be_unique(api: ManagementApi, workshop: Workshop) -> None:
    name = workshop.unique("twin")
    for _ in range(2):
        (await workshop.post("/organizations", {"name": name})).expect(201)
    assert len((await api.get("/organizations", q=name)).body) == 2


async def test_deleting_an_organization_ends_its_memberships(
    api: ManagementApi, workshop: Workshop, world: World
) -> None:
    organization, person = await workshop.organization(), await workshop.person()
    await workshop.join(organization, person, world.member)
    (await api.delete(f"/organizations/{organization}")).expect(204)
    assert (await api.get(f"/users/{person.id}/organizations")).expect(200).body == []


async def test_requiring_mfa_is_as_recorded(
    api: ManagementApi, workshop: Workshop, like_recording: LikeRecording
) -> None:
    organization = await workshop.organization(description="globex org")
    reply = await api.patch(f"/organizations/{organization}", {"isMfaRequired": True})
    like_recording("54-org-mfa-required", reply)


async def test_creator_is_not_a_member(api: ManagementApi, workshop: Workshop) -> None:
    organization = await workshop.organization()
    assert (await api.get(f"/organizations/{organization}/users")).expect(200).body == []


# --- auto-join by email domain


@pytest.mark.parametrize("added_before", [False, True])
async def test_adding_an_email_domain_is_as_recorded(
    api: ManagementApi, workshop: Workshop, like_recording: LikeRecording, *, added_before: bool
) -> None:
    domains = f"/organizations/{await workshop.organization()}/jit/email-domains"
    if added_before:
        (await api.post(domains, DOMAIN)).expect(201)
    reply = await api.post(domains, DOMAIN)
    like_recording("208-jit-domain-dup" if added_before else "208-jit-domain-add", reply)


@pytest.mark.parametrize(
    ("method", "path", "recording"),
    [("GET", "", "208-jit-domain-list"), ("DELETE", "/example.test", "208-jit-domain-delete")],
)
async def test_email_domain_is_listed_and_deleted_as_recorded(
    api: ManagementApi,
    workshop: Workshop,
    like_recording: LikeRecording,
    method: str,
    path: str,
    recording: str,
) -> None:
    domains = f"/organizations/{await workshop.organization()}/jit/email-domains"
    (await api.post(domains, DOMAIN)).expect(201)
    like_recording(recording, await api.send(method, f"{domains}{path}"))


async def test_roles_of_people_who_auto_join_are_set_and_read_as_recorded(
    api: ManagementApi, workshop: Workshop, world: World, like_recording: LikeRecording
) -> None:
    roles = f"/organizations/{await workshop.organization()}/jit/roles"
    like_recording("208-jit-roles-put", await api.put(roles, {"organizationRoleIds": [world.member]}))
    like_recording("208-jit-roles", await api.get(roles))
