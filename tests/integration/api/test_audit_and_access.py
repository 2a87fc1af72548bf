"""The trail, and what may I do, for programs."""

from __future__ import annotations

import pytest

from saas_app.rbac.permissions import ROLE_PERMISSIONS, Carrier, Role
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.api.conftest import PersonClient
from tests.tokens import scopes_of


async def test_the_trail_tells_of_what_programs_did_and_were_refused(
    make: Factory, as_person: PersonClient
) -> None:
    person, viewer = await make.person("Ada"), await make.person("Vera")
    organization_id = await make.organization("Acme", admin=person, viewer=viewer)
    client = await as_person(person, organization_id)
    project = await client.json("POST", "/projects", 201, json={"name": "Rover"})
    await (await as_person(viewer, organization_id)).call("POST", "/projects", 403, json={"name": "No"})
    auditor = await as_person(person, organization_id, Carrier.ORGANIZATION_TOKEN)

    events = (await auditor.json("GET", "/audit-events"))["items"]
    assert [(event["action"], event["actor"]["name"], event["outcome"]) for event in events] == [
        ("access.deny", "Vera", "denied"),
        ("project.create", "Ada", "allowed"),
    ]
    assert events[0]["decision"]["permission"] == "projects:write"
    assert events[1]["target"] == {"type": "project", "id": project["id"], "name": "Rover"}
    denied = await auditor.json("GET", "/audit-events?outcome=denied&limit=1")
    assert [event["action"] for event in denied["items"]] == ["access.deny"]
    first = await auditor.json("GET", "/audit-events?limit=1")
    rest = await auditor.json("GET", f"/audit-events?limit=1&cursor={first['next_cursor']}")
    assert [event["action"] for event in rest["items"]] == ["project.create"]
    ever = "since=0001-01-01T00:00:00Z&until=9999-12-31T23:59:59Z"
    assert len((await auditor.json("GET", f"/audit-events?{ever}"))["items"]) == 2


@pytest.mark.parametrize("query", ["action=nope", "since=yesterday", "x=1", "limit=0"])
async def test_a_question_that_makes_no_sense_is_refused(
    make: Factory, as_person: PersonClient, query: str
) -> None:
    person = await make.person()
    organization_id = await make.organization("Acme", admin=person)
    auditor = await as_person(person, organization_id, Carrier.ORGANIZATION_TOKEN)
    assert (await auditor.json("GET", f"/audit-events?{query}", 400))["code"] == "bad-request"


async def test_access_says_what_the_token_grants(make: Factory, as_person: PersonClient) -> None:
    person = await make.person()
    client = await as_person(person, await make.organization("Acme", viewer=person))
    access = await client.json("GET", "/access")
    allowed = {item["permission"] for item in access["permissions"] if item["allowed"]}
    assert "projects:read" in allowed
    assert allowed == set(scopes_of(Role.VIEWER))  # organization permissions travel apart
    assert access["roles"] is None


async def test_access_of_a_session_is_that_of_its_roles(make: Factory, open_browser: OpenBrowser) -> None:
    person = await make.person()
    organization_id = await make.organization("Acme", viewer=person)
    browser = await open_browser(person)
    access = await (await browser.get(f"/api/v1/organizations/{organization_id}/access")).get_json()
    allowed = {item["permission"] for item in access["permissions"] if item["allowed"]}
    assert allowed == {permission.value for permission in ROLE_PERMISSIONS[Role.VIEWER]}
    assert access["roles"] == ["viewer"]
