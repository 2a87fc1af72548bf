"""Members and invitations for programs: the rules of the pages, in the words of HTTP."""

from __future__ import annotations

import pytest

from saas_app.rbac.permissions import Carrier, Role
from tests.clients import Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.api.conftest import ApiClient, MakeMachine, PersonClient


@pytest.fixture
async def admin(make: Factory) -> Person:
    return await make.person("Ada")


@pytest.fixture
async def organization_id(make: Factory, admin: Person) -> str:
    return await make.organization("Acme", admin=admin)


@pytest.fixture
async def client(as_person: PersonClient, admin: Person, organization_id: str) -> ApiClient:
    return await as_person(admin, organization_id, Carrier.ORGANIZATION_TOKEN)


async def test_members_are_listed_page_by_page(
    make: Factory, client: ApiClient, organization_id: str, make_machine: MakeMachine
) -> None:
    viewer = await make.person("Vera")
    await make.join(organization_id, viewer, Role.VIEWER)
    machine = await make_machine(organization_id)
    first = await client.json("GET", "/members?limit=1")
    rest = await client.json("GET", f"/members?cursor={first['next_cursor']}")
    assert {item["name"] for item in (*first["items"], *rest["items"])} == {"Ada", "Vera"}
    assert (first["total"], rest["next_cursor"]) == (2, None)
    found = await client.json("GET", "/members?role=viewer")
    assert [(item["name"], item["roles"]) for item in found["items"]] == [("Vera", ["viewer"])]
    machines = await client.json("GET", "/machines")
    assert [(item["id"], item["roles"]) for item in machines["items"]] == [(machine.id, ["integration"])]


async def test_removing_a_member_heeds_the_version_that_is_named(
    make: Factory, client: ApiClient, organization_id: str
) -> None:
    viewer = await make.person("Vera")
    await make.join(organization_id, viewer, Role.VIEWER)
    path = f"/members/{viewer.id}"
    seen = (await client.call("GET", path)).headers["ETag"]
    await make.give_roles(organization_id, viewer, Role.EDITOR)
    await client.call("DELETE", path, 412, headers={"If-Match": seen})
    current = (await client.call("GET", path)).headers["ETag"]
    await client.call("DELETE", path, 204, headers={"If-Match": current})


async def test_roles_are_replaced_over_what_was_read(
    make: Factory, client: ApiClient, organization_id: str
) -> None:
    viewer = await make.person("Vera")
    await make.join(organization_id, viewer, Role.VIEWER)
    path = f"/members/{viewer.id}"
    seen = (await client.call("GET", path)).headers["ETag"]
    await client.call("PUT", f"{path}/roles", 428, json={"roles": ["editor"]})
    changed = await client.call(
        "PUT", f"{path}/roles", json={"roles": ["editor"]}, headers={"If-Match": seen}
    )
    assert (await changed.get_json())["roles"] == ["editor"]
    await client.call("PUT", f"{path}/roles", 412, json={"roles": ["admin"]}, headers={"If-Match": seen})
    assert (await client.json("GET", path))["roles"] == ["editor"]
    again = {"If-Match": changed.headers["ETag"]}
    machine_role = await client.json(
        "PUT", f"{path}/roles", 422, json={"roles": ["integration"]}, headers=again
    )
    assert "for API clients" in machine_role["errors"]["roles.0"]


async def test_the_last_admin_stays(client: ApiClient, admin: Person) -> None:
    assert (await client.json("DELETE", f"/members/{admin.id}", 409))["code"] == "leave-instead"
    assert (await client.json("POST", "/leave", 409))["code"] == "last-admin"
    seen = (await client.call("GET", f"/members/{admin.id}")).headers["ETag"]
    demotion = {"roles": ["viewer"], "accept_own_loss": True}
    refused = await client.json(
        "PUT", f"/members/{admin.id}/roles", 409, json=demotion, headers={"If-Match": seen}
    )
    assert refused["code"] == "last-admin"


async def test_who_is_removed_is_refused_at_the_next_request(
    make: Factory, client: ApiClient, organization_id: str, as_person: PersonClient
) -> None:
    editor = await make.person("Eve")
    await make.join(organization_id, editor, Role.EDITOR)
    theirs = await as_person(editor, organization_id)
    await theirs.call("GET", "/projects")
    await client.call("DELETE", f"/members/{editor.id}", 204)
    assert (await theirs.json("GET", "/projects", 401))["code"] == "invalid-token"
    await client.call("DELETE", f"/members/{editor.id}", 404)


async def test_nobody_gives_a_role_that_reaches_further_than_their_own(
    make: Factory, client: ApiClient, organization_id: str, as_person: PersonClient, admin: Person
) -> None:
    """The token says ``members:invite``; since then its holder became an editor in Logto's console."""
    second = await make.person("Bea")
    await make.join(organization_id, second, Role.ADMIN)
    theirs = await as_person(second, organization_id, Carrier.ORGANIZATION_TOKEN)
    await make.give_roles(organization_id, second, Role.EDITOR)
    refused = await theirs.json(
        "POST", "/invitations", 403, json={"email": "new@example.test", "roles": ["admin"]}
    )
    assert "projects:delete" in refused["detail"]
    assert refused["decision"]["permission"] == "projects:delete"


async def test_an_invitation_is_sent_once_read_and_revoked(client: ApiClient) -> None:
    body = {"email": "New@Example.test", "roles": ["viewer"], "days": 3}
    headers = {"Idempotency-Key": "invite-new"}
    sent = await client.json("POST", "/invitations", 201, json=body, headers=dict(headers))
    assert (sent["email"], sent["outcome"]) == ("new@example.test", "sent")
    assert await client.json("POST", "/invitations", 201, json=body, headers=dict(headers)) == sent
    assert (await client.json("POST", "/invitations", 409, json=body))["code"] == "conflict"

    (pending,) = (await client.json("GET", "/invitations"))["items"]
    assert (pending["email"], pending["roles"], pending["invited_by"]) == (
        "new@example.test",
        ["viewer"],
        "Ada",
    )
    path = f"/invitations/{pending['id']}"
    assert await client.json("GET", path) == pending
    assert (await client.json("POST", f"{path}/resend"))["state"] == "pending"
    assert (await client.json("POST", f"{path}/revoke"))["state"] == "revoked"
    await client.call("POST", f"{path}/revoke", 409)
    assert (await client.json("GET", "/invitations"))["items"] == []


async def test_a_session_works_alike(
    make: Factory, open_browser: OpenBrowser, admin: Person, organization_id: str
) -> None:
    viewer = await make.person("Vera")
    await make.join(organization_id, viewer, Role.VIEWER)
    browser = await open_browser(admin)
    path = f"/api/v1/organizations/{organization_id}/members/{viewer.id}"
    seen = await browser.get(path)
    headers = {"If-Match": seen.headers["ETag"], "Sec-Fetch-Site": "same-origin"}
    changed = await browser.app.put(f"{path}/roles", json={"roles": ["admin"]}, headers=headers)
    assert (await changed.get_json())["roles"] == ["admin"]
