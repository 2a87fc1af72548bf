"""The audit log and the caller's own access, for programs."""

from __future__ import annotations

import pytest

from saas_app.rbac.permissions import ROLE_PERMISSIONS, Carrier, Role
from tests.clients import Person
from tests.conftest import OpenOffice
from tests.factories import Factory
from tests.integration.bearer import ApiClient, NewClient, PersonClient
from tests.tokens import scopes_of


@pytest.fixture
async def ada(make: Factory) -> Person:
    return await make.person("Ada")


@pytest.fixture
async def rover(make: Factory, as_person: PersonClient, ada: Person) -> tuple[str, str]:
    """The ids of Acme and of Ada's project there. Vera was denied creating one."""
    vera = await make.person("Vera")
    organization_id = await make.organization("Acme", admin=ada, viewer=vera)
    client = await as_person(ada, organization_id)
    project = await client.json("POST", "/projects", 201, json={"name": "Rover"})
    await (await as_person(vera, organization_id)).call("POST", "/projects", 403, json={"name": "No"})
    return organization_id, project["id"]


@pytest.fixture
async def auditor(as_person: PersonClient, ada: Person, rover: tuple[str, str]) -> ApiClient:
    """A client that may read the audit log."""
    return await as_person(ada, rover[0], Carrier.ORGANIZATION_TOKEN)


async def test_the_audit_log_shows_what_programs_did_and_were_denied(
    auditor: ApiClient, rover: tuple[str, str]
) -> None:
    denied, created = events = (await auditor.json("GET", "/audit-events"))["items"]

    assert [(event["action"], event["actor"]["name"], event["outcome"]) for event in events] == [
        ("access.deny", "Vera", "denied"),
        ("project.create", "Ada", "allowed"),
    ]
    assert denied["decision"]["permission"] == "projects:write"
    assert created["target"] == {"type": "project", "id": rover[1], "name": "Rover"}


@pytest.mark.parametrize(
    ("query", "actions"),
    [
        ("outcome=denied&limit=1", ["access.deny"]),
        ("since=0001-01-01T00:00:00Z&until=9999-12-31T23:59:59Z", ["access.deny", "project.create"]),
    ],
)
async def test_the_audit_log_is_filtered(auditor: ApiClient, query: str, actions: list[str]) -> None:
    found = await auditor.json("GET", f"/audit-events?{query}")
    assert [event["action"] for event in found["items"]] == actions


async def test_the_audit_log_is_read_page_by_page(auditor: ApiClient) -> None:
    first = await auditor.json("GET", "/audit-events?limit=1")
    rest = await auditor.json("GET", f"/audit-events?limit=1&cursor={first['next_cursor']}")
    assert [event["action"] for event in rest["items"]] == ["project.create"]


@pytest.mark.parametrize("query", ["action=nope", "since=yesterday", "x=1", "limit=0"])
async def test_an_invalid_query_is_a_bad_request(new_client: NewClient, query: str) -> None:
    auditor = await new_client("admin", Carrier.ORGANIZATION_TOKEN)
    assert (await auditor.json("GET", f"/audit-events?{query}", 400))["code"] == "bad-request"


async def test_access_of_a_token_lists_the_permissions_that_the_token_grants(new_client: NewClient) -> None:
    access = await (await new_client("viewer")).json("GET", "/access")
    allowed = {item["permission"] for item in access["permissions"] if item["allowed"]}
    assert "projects:read" in allowed
    assert allowed == set(scopes_of(Role.VIEWER))  # organization permissions are in another token
    assert access["roles"] is None


async def test_access_of_a_session_lists_the_permissions_of_its_roles(open_office: OpenOffice) -> None:
    office = await open_office(viewer="Vera")
    access = await (await office.browser.get(f"/api/v1/organizations/{office.id}/access")).get_json()
    allowed = {item["permission"] for item in access["permissions"] if item["allowed"]}
    assert allowed == {permission.value for permission in ROLE_PERMISSIONS[Role.VIEWER]}
    assert access["roles"] == ["viewer"]
