"""Roles that end, for programs: under the same rules as the pages."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from saas_app.db.base import utc_now
from saas_app.rbac.permissions import Carrier, Role
from saas_app.runtime import Runtime
from tests.clients import Person
from tests.factories import Factory
from tests.integration.bearer import ApiClient, PersonClient
from tests.integration.ending import FUTURE, PAST, ends_of, set_end

EDITOR, ADMIN = Role.EDITOR.value, Role.ADMIN.value


@pytest.fixture
async def admin(make: Factory) -> Person:
    return await make.person("Ada")


@pytest.fixture
async def client(as_person: PersonClient, make: Factory, admin: Person) -> ApiClient:
    organization_id = await make.organization("Acme", admin=admin)
    return await as_person(admin, organization_id, Carrier.ORGANIZATION_TOKEN)


@pytest.fixture
async def vera(make: Factory, client: ApiClient) -> Person:
    """A viewer."""
    return await make.member(client.organization_id, "Vera", Role.VIEWER)


@pytest.fixture
async def tess(make: Factory, client: ApiClient, as_person: PersonClient, runtime: Runtime) -> ApiClient:
    """The client of an admin whose role ends in an hour."""
    person = await make.member(client.organization_id, "Tess", Role.ADMIN)
    await set_end(runtime, client.organization_id, person, ADMIN, FUTURE)
    return await as_person(person, client.organization_id, Carrier.ORGANIZATION_TOKEN)


async def put(
    client: ApiClient, person: Person, path: str, body: dict[str, Any], status: int = 200
) -> dict[str, Any]:
    """Send a change of a member in the version that the member has now."""
    member = f"/members/{person.id}"
    seen = (await client.call("GET", member)).headers["ETag"]
    found = await client.json("PUT", f"{member}{path}", status, json=body, headers={"If-Match": seen})
    assert isinstance(found, dict)
    return found


def at(ahead: timedelta) -> str:
    """Return a moment as programs write it."""
    return (utc_now() + ahead).isoformat(timespec="seconds")


async def test_a_role_is_given_for_a_time(client: ApiClient, vera: Person, runtime: Runtime) -> None:
    end = at(timedelta(hours=2))

    changed = await put(client, vera, "/roles", {"roles": [EDITOR, "viewer"], "ends_at": end})

    (role_end,) = changed["role_ends"]
    assert role_end["role"] == EDITOR
    assert datetime.fromisoformat(role_end["ends_at"]) == datetime.fromisoformat(end)
    assert (await client.json("GET", f"/members/{vera.id}")) == changed
    assert (await client.json("GET", "/members?search=Vera"))["items"] == [changed]
    assert (await ends_of(runtime, client.organization_id, vera)).keys() == {EDITOR}


async def test_a_role_is_given_without_an_end_by_default(client: ApiClient, vera: Person) -> None:
    changed = await put(client, vera, "/roles", {"roles": [EDITOR]})

    assert changed["role_ends"] == []


async def test_an_end_is_changed_and_removed(client: ApiClient, vera: Person, runtime: Runtime) -> None:
    await put(client, vera, "/roles", {"roles": [EDITOR], "ends_at": at(FUTURE)})

    later = await put(client, vera, f"/roles/{EDITOR}/end", {"ends_at": at(timedelta(days=2))})
    never = await put(client, vera, f"/roles/{EDITOR}/end", {"ends_at": None})

    assert later["role_ends"][0]["ends_at"] > at(timedelta(days=1))
    assert never["role_ends"] == []
    assert await ends_of(runtime, client.organization_id, vera) == {}


async def test_an_end_is_changed_only_in_the_version_that_if_match_names(
    client: ApiClient, vera: Person, runtime: Runtime
) -> None:
    path, body = f"/members/{vera.id}", {"ends_at": at(FUTURE)}
    seen = (await client.call("GET", path)).headers["ETag"]
    changed = await client.call("PUT", f"{path}/roles/viewer/end", json=body, headers={"If-Match": seen})
    assert changed.headers["ETag"] != seen
    assert (await client.call("GET", path)).headers["ETag"] == changed.headers["ETag"]

    await client.call("PUT", f"{path}/roles/viewer/end", 412, json=body, headers={"If-Match": seen})
    await client.call("PUT", f"{path}/roles/viewer/end", 428, json=body)


async def test_an_end_with_another_offset_gets_the_same_etag(client: ApiClient, vera: Person) -> None:
    path = f"/members/{vera.id}"
    seen = (await client.call("GET", path)).headers["ETag"]
    body = {"ends_at": (utc_now() + FUTURE).astimezone(timezone(timedelta(hours=5))).isoformat()}

    changed = await client.call("PUT", f"{path}/roles/viewer/end", json=body, headers={"If-Match": seen})

    assert (await client.call("GET", path)).headers["ETag"] == changed.headers["ETag"]


@pytest.mark.parametrize(
    "end",
    [
        at(PAST),
        at(timedelta(minutes=1)),
        at(timedelta(days=400)),
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-12:00",
        "2027-01-31T09:30:00",
        "next friday",
        1_800_000_000,
    ],
    ids=["past", "too soon", "too late", "year 9999", "year 10000 in UTC", "naive", "not a date", "a number"],
)
async def test_an_impossible_end_is_invalid(
    client: ApiClient, vera: Person, runtime: Runtime, end: object
) -> None:
    given = await put(client, vera, "/roles", {"roles": [EDITOR, "viewer"], "ends_at": end}, 422)
    changed = await put(client, vera, "/roles/viewer/end", {"ends_at": end}, 422)

    assert given["errors"].keys() == changed["errors"].keys() == {"ends_at"}
    assert await ends_of(runtime, client.organization_id, vera) == {}
    assert (await client.json("GET", f"/members/{vera.id}"))["roles"] == ["viewer"]


async def test_the_end_of_a_role_that_is_not_held_cannot_be_changed(
    client: ApiClient, vera: Person, runtime: Runtime
) -> None:
    await set_end(runtime, client.organization_id, vera, "viewer", PAST)

    for role in ("viewer", EDITOR):
        refused = await put(client, vera, f"/roles/{role}/end", {"ends_at": at(FUTURE)}, 409)
        assert refused["code"] == "role-not-held"
    await put(client, vera, "/roles/no-such-role/end", {"ends_at": at(FUTURE)}, 404)


async def test_nobody_extends_their_own_role(
    client: ApiClient, tess: ApiClient, admin: Person, runtime: Runtime
) -> None:
    own = (await client.json("GET", "/members?search=Tess"))["items"][0]
    person = Person(own["id"], "", "")

    for end in (at(timedelta(days=2)), None):
        refused = await put(tess, person, f"/roles/{ADMIN}/end", {"ends_at": end}, 409)
        assert refused["code"] == "own-role-end"


async def test_a_temporary_admin_gives_nothing_that_lasts_longer(
    client: ApiClient, tess: ApiClient, vera: Person, runtime: Runtime
) -> None:
    for end in (None, at(timedelta(days=2))):
        refused = await put(tess, vera, "/roles", {"roles": [EDITOR, "viewer"], "ends_at": end}, 403)
        assert "only until" in refused["detail"]
    invitation = {"email": "new@example.test", "roles": [EDITOR]}
    refused = await tess.json("POST", "/invitations", 403, json=invitation)
    assert "only until" in refused["detail"]
    robot = {"name": "Robot", "permissions": ["projects:write"]}
    refused = await tess.json("POST", "/api-clients", 403, json=robot)
    assert "only until" in refused["detail"]

    assert (await client.json("GET", f"/members/{vera.id}"))["roles"] == ["viewer"]
    assert await ends_of(runtime, client.organization_id, vera) == {}


async def test_a_program_sees_when_the_roles_of_its_person_end(tess: ApiClient) -> None:
    (role_end,) = (await tess.json("GET", "/access"))["role_ends"]

    assert role_end["role"] == ADMIN
    assert datetime.fromisoformat(role_end["ends_at"]) > utc_now()
