"""Organizations in the Management API: created, listed, searched, changed, deleted."""

from __future__ import annotations

from contract.fixtures import LikeRecording
from contract.management import ManagementApi, Workshop
from contract.world import World


async def test_created_organization_is_as_recorded(
    api: ManagementApi, workshop: Workshop, like_recording: LikeRecording
) -> None:
    body = {"name": workshop.unique("recorded"), "description": "d", "customData": {"k": 1}}
    reply = await api.post("/organizations", body)
    workshop.will_delete(f"/organizations/{reply.body['id']}")
    like_recording("201-org-create", reply)
    assert len(reply.body["id"]) == 12
    assert {name: reply.body[name] for name in body} == body


async def test_organization_without_description_has_null(api: ManagementApi, workshop: Workshop) -> None:
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


async def test_search_finds_by_name_and_by_id(api: ManagementApi, workshop: Workshop) -> None:
    name = workshop.unique("searched")
    organization = await workshop.organization(name)
    for question in (name.upper(), organization):
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


async def test_change_leaves_the_rest_and_replaces_objects_whole(
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


async def test_unknown_members_of_the_body_are_dropped(api: ManagementApi, workshop: Workshop) -> None:
    organization = await workshop.organization(colour="blue")
    assert "colour" not in (await api.get(f"/organizations/{organization}")).expect(200).body


async def test_reading_an_unknown_organization(api: ManagementApi, like_recording: LikeRecording) -> None:
    like_recording("06-mapi-404-org", await api.get("/organizations/nope"))


async def test_changing_an_unknown_organization(api: ManagementApi, like_recording: LikeRecording) -> None:
    reply = await api.patch("/organizations/nope12345678", {"name": "x"})
    like_recording("201-org-patch-unknown", reply)


async def test_deleted_organization_is_gone(
    api: ManagementApi, workshop: Workshop, like_recording: LikeRecording
) -> None:
    organization = await workshop.organization()
    like_recording("201-org-delete", await api.delete(f"/organizations/{organization}"))
    like_recording("201-org-delete-again", await api.delete(f"/organizations/{organization}"))
    assert (await api.get(f"/organizations/{organization}")).status == 404


async def test_names_need_not_be_unique(api: ManagementApi, workshop: Workshop) -> None:
    name = workshop.unique("twin")
    for _ in range(2):
        reply = (await api.post("/organizations", {"name": name})).expect(201)
        workshop.will_delete(f"/organizations/{reply.body['id']}")
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


async def test_creator_is_no_member(api: ManagementApi, workshop: Workshop) -> None:
    organization = await workshop.organization()
    assert (await api.get(f"/organizations/{organization}/users")).expect(200).body == []


async def test_email_domains_for_joining_are_as_recorded(
    api: ManagementApi, workshop: Workshop, like_recording: LikeRecording
) -> None:
    domains = f"/organizations/{await workshop.organization()}/jit/email-domains"
    body = {"emailDomain": "example.test"}
    like_recording("208-jit-domain-add", await api.post(domains, body))
    like_recording("208-jit-domain-dup", await api.post(domains, body))
    like_recording("208-jit-domain-list", await api.get(domains))
    like_recording("208-jit-domain-delete", await api.delete(f"{domains}/example.test"))


async def test_roles_for_joining_are_as_recorded(
    api: ManagementApi, workshop: Workshop, world: World, like_recording: LikeRecording
) -> None:
    roles = f"/organizations/{await workshop.organization()}/jit/roles"
    reply = await api.put(roles, {"organizationRoleIds": [world.member]})
    like_recording("208-jit-roles-put", reply)
    like_recording("208-jit-roles", await api.get(roles))
