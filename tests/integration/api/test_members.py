"""Members and invitations for programs, under the same rules as the pages."""

from __future__ import annotations

from typing import Any

import pytest

from saas_app.rbac.permissions import Carrier, Role
from tests.clients import SAME_ORIGIN, Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.bearer import ApiClient, PersonClient


@pytest.fixture
async def admin(make: Factory) -> Person:
    return await make.person("Ada")


@pytest.fixture
async def organization_id(make: Factory, admin: Person) -> str:
    return await make.organization("Acme", admin=admin)


@pytest.fixture
async def client(as_person: PersonClient, admin: Person, organization_id: str) -> ApiClient:
    return await as_person(admin, organization_id, Carrier.ORGANIZATION_TOKEN)


@pytest.fixture
async def vera(make: Factory, organization_id: str) -> Person:
    """A viewer."""
    return await make.member(organization_id, "Vera", Role.VIEWER)


async def test_members_are_listed_page_by_page(client: ApiClient, vera: Person) -> None:
    first = await client.json("GET", "/members?limit=1")
    rest = await client.json("GET", f"/members?cursor={first['next_cursor']}")
    assert {item["name"] for item in (*first["items"], *rest["items"])} == {"Ada", "Vera"}
    assert (first["total"], rest["next_cursor"]) == (2, None)


async def test_members_are_filtered_by_role(client: ApiClient, vera: Person) -> None:
    found = await client.json("GET", "/members?role=viewer")
    assert [(item["name"], item["roles"]) for item in found["items"]] == [("Vera", ["viewer"])]


async def test_api_clients_are_listed_apart_from_people(client: ApiClient, make: Factory) -> None:
    machine = await make.machine(client.organization_id)
    machines = await client.json("GET", "/machines")
    assert [(item["id"], item["roles"]) for item in machines["items"]] == [(machine.id, ["integration"])]


async def test_a_member_is_removed_only_in_the_version_that_if_match_names(
    client: ApiClient, vera: Person, make: Factory
) -> None:
    path = f"/members/{vera.id}"
    seen = (await client.call("GET", path)).headers["ETag"]
    await make.give_roles(client.organization_id, vera, Role.EDITOR)
    current = (await client.call("GET", path)).headers["ETag"]

    await client.call("DELETE", path, 412, headers={"If-Match": seen})
    await client.call("DELETE", path, 204, headers={"If-Match": current})


async def test_roles_are_replaced_only_in_the_version_that_if_match_names(
    client: ApiClient, vera: Person
) -> None:
    path, seen = f"/members/{vera.id}", (await client.call("GET", f"/members/{vera.id}")).headers["ETag"]
    await client.call("PUT", f"{path}/roles", 428, json={"roles": ["editor"]})

    changed = await client.json(
        "PUT", f"{path}/roles", json={"roles": ["editor"]}, headers={"If-Match": seen}
    )

    assert changed["roles"] == ["editor"]
    await client.call("PUT", f"{path}/roles", 412, json={"roles": ["admin"]}, headers={"If-Match": seen})
    assert (await client.json("GET", path))["roles"] == ["editor"]


async def test_a_machine_role_cannot_be_assigned_to_a_person(client: ApiClient, vera: Person) -> None:
    seen = (await client.call("GET", f"/members/{vera.id}")).headers["ETag"]
    body, headers = {"roles": ["integration"]}, {"If-Match": seen}
    refused = await client.json("PUT", f"/members/{vera.id}/roles", 422, json=body, headers=headers)
    assert "for API clients" in refused["errors"]["roles.0"]


async def test_the_last_admin_can_neither_leave_nor_be_removed_or_demoted(
    client: ApiClient, admin: Person
) -> None:
    seen = (await client.call("GET", f"/members/{admin.id}")).headers["ETag"]
    demotion = {"roles": ["viewer"], "accept_own_loss": True}

    assert (await client.json("DELETE", f"/members/{admin.id}", 409))["code"] == "leave-instead"
    assert (await client.json("POST", "/leave", 409))["code"] == "last-admin"
    refused = await client.json(
        "PUT", f"/members/{admin.id}/roles", 409, json=demotion, headers={"If-Match": seen}
    )
    assert refused["code"] == "last-admin"


async def test_a_removed_member_is_refused_at_the_next_request(
    client: ApiClient, vera: Person, as_person: PersonClient
) -> None:
    theirs = await as_person(vera, client.organization_id)
    await theirs.call("GET", "/projects")

    await client.call("DELETE", f"/members/{vera.id}", 204)

    assert (await theirs.json("GET", "/projects", 401))["code"] == "invalid-token"
    await client.call("DELETE", f"/members/{vera.id}", 404)


async def test_nobody_invites_with_a_role_whose_permissions_they_lack(
    make: Factory, client: ApiClient, as_person: PersonClient
) -> None:
    """The token grants ``members:invite``, but its holder has since become an editor in Logto Console."""
    second = await make.member(client.organization_id, "Bea", Role.ADMIN)
    theirs = await as_person(second, client.organization_id, Carrier.ORGANIZATION_TOKEN)
    await make.give_roles(client.organization_id, second, Role.EDITOR)

    body = {"email": "new@example.test", "roles": ["admin"]}
    refused = await theirs.json("POST", "/invitations", 403, json=body)

    assert "projects:delete" in refused["detail"]
    assert refused["decision"]["permission"] == "projects:delete"


INVITATION = {"email": "New@Example.test", "roles": ["viewer"], "days": 3}


async def test_an_invitation_is_sent_once_for_one_idempotency_key(client: ApiClient) -> None:
    headers = {"Idempotency-Key": "invite-new"}

    sent = await client.json("POST", "/invitations", 201, json=INVITATION, headers=dict(headers))

    assert (sent["email"], sent["outcome"]) == ("new@example.test", "sent")
    again = await client.json("POST", "/invitations", 201, json=INVITATION, headers=dict(headers))
    assert again == sent
    assert (await client.json("POST", "/invitations", 409, json=INVITATION))["code"] == "conflict"


@pytest.fixture
async def pending(client: ApiClient) -> dict[str, Any]:
    """A pending invitation, as the list shows it."""
    await client.call("POST", "/invitations", 201, json=INVITATION)
    (invitation,) = (await client.json("GET", "/invitations"))["items"]
    return dict(invitation)


async def test_a_pending_invitation_can_be_read_and_resent(
    client: ApiClient, pending: dict[str, Any]
) -> None:
    path = f"/invitations/{pending['id']}"
    assert pending["email"] == "new@example.test"
    assert (pending["roles"], pending["invited_by"]) == (["viewer"], "Ada")
    assert await client.json("GET", path) == pending
    assert (await client.json("POST", f"{path}/resend"))["state"] == "pending"


async def test_a_revoked_invitation_is_no_longer_pending(client: ApiClient, pending: dict[str, Any]) -> None:
    path = f"/invitations/{pending['id']}/revoke"

    assert (await client.json("POST", path))["state"] == "revoked"

    await client.call("POST", path, 409)
    assert (await client.json("GET", "/invitations"))["items"] == []


async def test_a_browser_session_changes_roles_through_the_api(
    open_browser: OpenBrowser, admin: Person, vera: Person, organization_id: str
) -> None:
    browser = await open_browser(admin)
    path = f"/api/v1/organizations/{organization_id}/members/{vera.id}"
    seen = await browser.get(path)
    headers = {"If-Match": seen.headers["ETag"], **SAME_ORIGIN}
    changed = await browser.app.put(f"{path}/roles", json={"roles": ["admin"]}, headers=headers)
    assert (await changed.get_json())["roles"] == ["admin"]
