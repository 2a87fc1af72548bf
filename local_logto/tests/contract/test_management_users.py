"""Users in the Management API: how they are created, found, changed, suspended and deleted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from contract.fixtures import LikeRecording, SignIn
from contract.management import ManagementApi, Workshop
from contract.people import Person

PASSWORD = "Heron-4711-Quay"


@pytest.fixture
async def una(workshop: Workshop) -> Person:
    return await workshop.person("una", name="Una", primaryEmail=workshop.email("una"))


async def test_created_user_is_as_recorded(workshop: Workshop, like_recording: LikeRecording) -> None:
    body = {
        "username": workshop.unique("una"),
        "primaryEmail": workshop.email("una"),
        "password": PASSWORD,
        "name": "Una",
    }
    reply = await workshop.post("/users", body)
    like_recording("202-user-create-una", reply)
    assert len(reply.body["id"]) == 12
    assert PASSWORD not in str(reply.body)


async def test_user_with_every_value_is_as_recorded(
    workshop: Workshop, like_recording: LikeRecording
) -> None:
    body = {
        "username": workshop.unique("alice"),
        "password": PASSWORD,
        "name": "Alice Probe",
        "primaryEmail": workshop.email("alice"),
        "primaryPhone": f"1333{int(workshop.tag, 16) % 10**7:07}",
        "avatar": "https://example.test/a.png",
        "customData": {"k": "v"},
        "profile": {"givenName": "Alice", "familyName": "Probe"},
    }
    reply = await workshop.post("/users", body)
    like_recording("04-create-user", reply)
    assert reply.body["profile"] == body["profile"]


async def test_user_can_be_created_without_username_and_password(workshop: Workshop) -> None:
    reply = (await workshop.post("/users", {"primaryEmail": workshop.email()})).expect(200)
    assert reply.body["hasPassword"] is False
    assert reply.body["username"] is None


async def test_read_user_is_as_recorded(
    api: ManagementApi, una: Person, like_recording: LikeRecording
) -> None:
    like_recording("202-user-get", await api.get(f"/users/{una.id}"))


async def test_username_is_unique(api: ManagementApi, una: Person, like_recording: LikeRecording) -> None:
    reply = await api.post("/users", {"username": una.username, "password": PASSWORD})
    like_recording("06-mapi-422-duplicate-username", reply)


async def test_email_is_unique(api: ManagementApi, una: Person, like_recording: LikeRecording) -> None:
    like_recording("202-user-email-taken", await api.post("/users", {"primaryEmail": una.email}))


async def test_phone_is_unique(api: ManagementApi, workshop: Workshop) -> None:
    phone = f"1666{int(workshop.tag, 16) % 10**7:07}"
    await workshop.person(primaryPhone=phone)
    reply = await api.post("/users", {"primaryPhone": phone})
    assert reply.refusal == (422, "user.phone_already_in_use")


@pytest.mark.parametrize(
    ("member", "value"),
    [("primaryEmail", "nope"), ("primaryPhone", "+1 555"), ("username", "no spaces"), ("name", 4711)],
)
async def test_malformed_member_is_refused(api: ManagementApi, member: str, value: object) -> None:
    reply = (await api.post("/users", {member: value})).expect(400)
    assert reply.body["code"] == "guard.invalid_input"
    assert reply.body["data"]["issues"][0]["path"] == [member]


@pytest.mark.parametrize("spelled", [str, str.upper], ids=["as stored", "in capitals"])
async def test_user_is_found_by_exact_email_in_any_case(
    api: ManagementApi, una: Person, like_recording: LikeRecording, spelled: Callable[[str], str]
) -> None:
    query = {"search.primaryEmail": spelled(una.email), "mode.primaryEmail": "exact"}
    reply = await api.get("/users", **query, page="1", page_size="5")
    like_recording("202-user-search-email", reply)
    assert [user["id"] for user in reply.body] == [una.id]


async def test_user_is_found_by_a_pattern(api: ManagementApi, workshop: Workshop) -> None:
    people = {(await workshop.person("patterned")).id for _ in range(2)}
    reply = (await api.get("/users", search=f"%patterned_{workshop.tag}%")).expect(200)
    assert {user["id"] for user in reply.body} == people
    assert reply.headers["Total-Number"] == "2"


async def test_list_of_users_is_as_recorded(
    api: ManagementApi, una: Person, sign_in: SignIn, like_recording: LikeRecording
) -> None:
    await sign_in(una)
    reply = await api.get("/users", search=f"%{una.username}%", page_size="2")
    like_recording("449-users-released", reply)
    assert [user["id"] for user in reply.body] == [una.id]


async def test_unknown_search_field_is_refused(api: ManagementApi, like_recording: LikeRecording) -> None:
    like_recording("202-user-search-bad-field", await api.get("/users", **{"search.nope": "x"}))


async def test_list_of_users_is_paged(api: ManagementApi, una: Person) -> None:
    reply = (await api.get("/users", page="1", page_size="1")).expect(200)
    assert len(reply.body) == 1
    assert int(reply.headers["Total-Number"]) >= 1


async def test_changed_user_is_as_recorded(
    api: ManagementApi, una: Person, like_recording: LikeRecording
) -> None:
    reply = await api.patch(f"/users/{una.id}", {"name": "Cam Two"})
    like_recording("209-user-patch", reply)
    assert reply.body["name"] == "Cam Two"
    assert reply.body["updatedAt"] > reply.body["createdAt"]


async def test_field_is_cleared_by_null(api: ManagementApi, una: Person) -> None:
    reply = (await api.patch(f"/users/{una.id}", {"name": None})).expect(200)
    assert reply.body["name"] is None


async def test_custom_data_of_a_user_is_merged(api: ManagementApi, workshop: Workshop) -> None:
    person = await workshop.person(customData={"a": 1})
    reply = await api.patch(f"/users/{person.id}/custom-data", {"customData": {"b": 2}})
    assert reply.expect(200).body == {"a": 1, "b": 2}


async def test_profile_of_a_user_is_merged(api: ManagementApi, workshop: Workshop) -> None:
    person = await workshop.person(profile={"givenName": "Una"})
    path = f"/users/{person.id}/profile"
    reply = (await api.patch(path, {"profile": {"familyName": "Oak"}})).expect(200)
    assert reply.body == {"givenName": "Una", "familyName": "Oak"}


async def test_right_password_is_verified(api: ManagementApi, una: Person) -> None:
    reply = await api.post(f"/users/{una.id}/password/verify", {"password": una.password})
    assert reply.status == 204


async def test_wrong_password_is_not_verified(api: ManagementApi, una: Person) -> None:
    reply = await api.post(f"/users/{una.id}/password/verify", {"password": "wrong"})
    assert reply.status == 422


async def test_suspended_user_is_as_recorded(
    api: ManagementApi, una: Person, like_recording: LikeRecording
) -> None:
    reply = await api.patch(f"/users/{una.id}/is-suspended", {"isSuspended": True})
    like_recording("209-suspend", reply)


async def test_deleted_user_is_gone(api: ManagementApi, una: Person, like_recording: LikeRecording) -> None:
    like_recording("209-user-delete", await api.delete(f"/users/{una.id}"))
    like_recording("209-user-get-deleted", await api.get(f"/users/{una.id}"))


async def test_deleted_user_cannot_be_deleted_again(api: ManagementApi, una: Person) -> None:
    (await api.delete(f"/users/{una.id}")).expect(204)
    assert (await api.delete(f"/users/{una.id}")).status == 404


async def test_username_of_a_deleted_user_is_available_again(
    api: ManagementApi, workshop: Workshop, una: Person
) -> None:
    (await api.delete(f"/users/{una.id}")).expect(204)
    (await workshop.post("/users", {"username": una.username})).expect(200)


async def test_unknown_user_cannot_be_changed(api: ManagementApi) -> None:
    reply = (await api.patch("/users/nope12345678", {"name": "x"})).expect(404)
    assert reply.body["code"].startswith("entity.not_")


async def test_user_without_organizations_has_an_empty_list(api: ManagementApi, una: Person) -> None:
    reply = (await api.get(f"/users/{una.id}/organizations")).expect(200)
    assert reply.body == []
    assert "Total-Number" not in reply.headers


async def test_user_without_second_factors_has_an_empty_list(api: ManagementApi, una: Person) -> None:
    reply = await api.get(f"/users/{una.id}/mfa-verifications")
    assert (reply.status, reply.body) == (200, [])
