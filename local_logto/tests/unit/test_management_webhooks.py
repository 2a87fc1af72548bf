"""Webhooks: which calls send which event, how a delivery is signed, and what sends none."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from typing import Any

import pytest

from unit.management_app import ManagementApp
from unit.webhook_listener import Listener

MEMBERSHIP = "Organization.Membership.Updated"
EVERYTHING = [
    "Organization.Created",
    "Organization.Deleted",
    MEMBERSHIP,
    "User.Created",
    "User.Deleted",
    "OrganizationRole.Created",
    "OrganizationRole.Scopes.Updated",
]


async def listen(api: ManagementApp, listener: Listener, **changes: object) -> dict[str, Any]:
    config = {"url": listener.url, "headers": {"x-test": "1"}}
    return await api.made("/hooks", **{"name": "all", "events": EVERYTHING, "config": config} | changes)


async def test_delivery_is_signed_over_its_exact_bytes(api: ManagementApp, listener: Listener) -> None:
    hook = await listen(api, listener)
    created = await api.made("/organizations", name="Größe")
    async with asyncio.timeout(10):
        headers, content = await listener.deliveries.get()
    expected = hmac.new(hook["signingKey"].encode(), content, hashlib.sha256).hexdigest()
    assert headers["logto-signature-sha-256"] == expected
    assert headers["User-Agent"] == "Logto (https://logto.io/)"
    assert headers["Content-Type"] == "application/json"
    assert headers["x-test"] == "1"
    body = json.loads(content)
    assert (body["event"], body["hookId"]) == ("Organization.Created", hook["id"])
    assert (body["method"], body["status"], body["path"]) == ("POST", 201, "/organizations")
    assert body["data"] == created


async def test_event_of_a_membership_names_who_was_added_only_the_first_time(
    api: ManagementApp, listener: Listener
) -> None:
    organization = (await api.made("/organizations", name="Acme"))["id"]
    ada = (await api.made("/users", username="ada"))["id"]
    await listen(api, listener, events=[MEMBERSHIP])
    members = f"/organizations/{organization}/users"
    await api.made(members, userIds=[ada])
    first = await listener.next()
    await api.made(members, userIds=[ada])
    second = await listener.next()
    assert (first["organizationId"], first["addedUserIds"]) == (organization, [ada])
    assert "addedUserIds" not in second
    assert (second["matchedRoute"], second["params"]) == ("/organizations/:id/users", {"id": organization})


async def test_event_of_a_deleted_user_contains_the_user(api: ManagementApp, listener: Listener) -> None:
    user = await api.made("/users", username="ada")
    await listen(api, listener, events=["User.Deleted"])
    await api.call("DELETE", f"/users/{user['id']}")
    body = await listener.next()
    assert (body["matchedRoute"], body["params"]) == ("/users/:userId", {"userId": user["id"]})
    assert body["data"]["username"] == "ada"


async def test_role_changes_and_refused_calls_send_no_event(api: ManagementApp, listener: Listener) -> None:
    organization = (await api.made("/organizations", name="Acme"))["id"]
    ada = (await api.made("/users", username="ada"))["id"]
    viewer = (await api.made("/organization-roles", name="viewer"))["id"]
    await api.made(f"/organizations/{organization}/users", userIds=[ada])
    await listen(api, listener)
    roles = f"/organizations/{organization}/users/{ada}/roles"
    await api.made(roles, organizationRoleIds=[viewer])
    await api.call("PUT", roles, {"organizationRoleIds": []})
    await api.call("POST", f"/organizations/{organization}/users", {"userIds": ["nobody"]})
    await api.call("DELETE", f"/organizations/{organization}")
    assert (await listener.next())["event"] == "Organization.Deleted"
    assert listener.deliveries.empty()


async def test_disabled_hooks_and_hooks_for_other_events_are_not_called(
    api: ManagementApp, listener: Listener
) -> None:
    off = await listen(api, listener)
    await api.call("PATCH", f"/hooks/{off['id']}", {"enabled": False})
    await listen(api, listener, events=["User.Deleted"])
    on = await listen(api, listener, events=["User.Created"])
    await api.made("/users", username="ada")
    assert (await listener.next())["hookId"] == on["id"]
    assert listener.deliveries.empty()


async def test_failing_listener_is_called_once(api: ManagementApp, listener: Listener) -> None:
    listener.status = 500
    await listen(api, listener, events=["Organization.Created"])
    await api.made("/organizations", name="Acme")
    await listener.next()
    await asyncio.gather(*api.app.background_tasks)
    assert listener.deliveries.empty()


async def test_new_role_with_permissions_sends_two_events(api: ManagementApp, listener: Listener) -> None:
    scope = (await api.made("/organization-scopes", name="read:it"))["id"]
    await listen(api, listener)
    await api.made("/organization-roles", name="reader", organizationScopeIds=[scope])
    bodies = [await listener.next(), await listener.next()]
    assert {body["event"] for body in bodies} == {
        "OrganizationRole.Created",
        "OrganizationRole.Scopes.Updated",
    }


async def test_test_delivery_is_sent(api: ManagementApp, listener: Listener) -> None:
    hook = await listen(api, listener)
    trial = {"events": [MEMBERSHIP], "config": {"url": listener.url}}
    assert (await api.call("POST", f"/hooks/{hook['id']}/test", trial)).status == 204
    body = await listener.next()
    assert (body["event"], body["path"]) == (MEMBERSHIP, "/fake-path/:id")


async def test_failed_test_delivery_is_reported(api: ManagementApp, listener: Listener) -> None:
    hook = await listen(api, listener)
    listener.status = 503
    trial = {"events": [MEMBERSHIP], "config": {"url": listener.url}}
    answer = await api.call("POST", f"/hooks/{hook['id']}/test", trial)
    assert answer.refusal == (422, "hook.endpoint_responded_with_error")
    assert answer.body["data"] == {"responseStatus": 503, "responseBody": "as told"}


async def test_rotated_key_replaces_the_old_one(api: ManagementApp, listener: Listener) -> None:
    hook = await listen(api, listener)
    rotated = (await api.call("PATCH", f"/hooks/{hook['id']}/signing-key")).body
    assert rotated["signingKey"] != hook["signingKey"]
    assert (await api.get(f"/hooks/{hook['id']}")).body["signingKey"] == rotated["signingKey"]


async def test_hook_without_events_is_refused(api: ManagementApp) -> None:
    answer = await api.call("POST", "/hooks", {"config": {"url": "http://a.test"}})
    assert answer.refusal == (400, "hook.missing_events")


async def test_hook_may_have_a_single_event_as_in_older_versions(
    api: ManagementApp, listener: Listener
) -> None:
    hook = await api.made("/hooks", event="User.Created", config={"url": listener.url})
    assert (hook["event"], hook["events"]) == ("User.Created", [])
    await api.made("/users", username="ada")
    assert (await listener.next())["event"] == "User.Created"


@pytest.fixture
async def resource(api: ManagementApp) -> str:
    """The id of a resource."""
    resource: str = (await api.made("/resources", name="API", indicator="https://api.test"))["id"]
    return resource


async def test_new_scope_of_a_resource_sends_an_event(
    api: ManagementApp, listener: Listener, resource: str
) -> None:
    await listen(api, listener, events=["Scope.Created"])
    made = await api.made(f"/resources/{resource}/scopes", name="read")
    created = await listener.next()
    assert (created["event"], created["data"]) == ("Scope.Created", made)
    assert created["matchedRoute"] == "/resources/:resourceId/scopes"


async def test_changed_scope_of_a_resource_sends_an_event(
    api: ManagementApp, listener: Listener, resource: str
) -> None:
    made = await api.made(f"/resources/{resource}/scopes", name="read")
    await listen(api, listener, events=["Scope.Data.Updated"])
    changed = await api.call("PATCH", f"/resources/{resource}/scopes/{made['id']}", {"name": "write"})
    updated = await listener.next()
    assert (updated["event"], updated["data"]) == ("Scope.Data.Updated", changed.body)


async def test_deleted_scope_of_a_resource_sends_an_event_without_data(
    api: ManagementApp, listener: Listener, resource: str
) -> None:
    made = await api.made(f"/resources/{resource}/scopes", name="read")
    await listen(api, listener, events=["Scope.Deleted"])
    await api.call("DELETE", f"/resources/{resource}/scopes/{made['id']}")
    deleted = await listener.next()
    assert (deleted["event"], "data" in deleted) == ("Scope.Deleted", False)
    assert deleted["matchedRoute"] == "/resources/:resourceId/scopes/:scopeId"
    assert deleted["params"] == {"resourceId": resource, "scopeId": made["id"]}
