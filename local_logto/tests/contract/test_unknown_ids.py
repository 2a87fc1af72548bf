"""Replies to unknown ids. The error code differs from one family of routes to the next."""

from __future__ import annotations

from typing import Any

import pytest

from contract.management import ManagementApi, Workshop

NOT_FOUND = (404, "entity.not_found")
NOT_EXISTS = (404, "entity.not_exists")
NO_SUCH_ID = (404, "entity.not_exists_with_id")
NO_MEMBER = (422, "organization.require_membership")
FOREIGN_KEY = (422, "entity.relation_foreign_key_not_found")
NAMED = {"name": "renamed"}


@pytest.mark.parametrize(
    ("method", "path", "body", "refusal"),
    [
        ("GET", "/organization-roles/nope", None, NOT_FOUND),
        ("PATCH", "/organization-roles/nope", NAMED, NOT_EXISTS),
        ("DELETE", "/organization-roles/nope", None, NOT_FOUND),
        ("GET", "/organization-roles/nope/scopes", None, NOT_FOUND),
        ("GET", "/organization-roles/nope/resource-scopes", None, NOT_FOUND),
        ("GET", "/organization-scopes/nope", None, NO_SUCH_ID),
        ("DELETE", "/organization-scopes/nope", None, NOT_FOUND),
        ("GET", "/organizations/nope", None, NO_SUCH_ID),
        ("DELETE", "/organizations/nope", None, NOT_FOUND),
        ("GET", "/applications/nope", None, NO_SUCH_ID),
        ("DELETE", "/applications/nope", None, NO_SUCH_ID),
        ("GET", "/applications/nope/secrets", None, NO_SUCH_ID),
        ("PATCH", "/applications/nope/secrets/one", NAMED, NO_SUCH_ID),
        ("DELETE", "/applications/nope/secrets/one", None, NO_SUCH_ID),
        ("DELETE", "/email-templates/nope", None, NO_SUCH_ID),
        ("GET", "/organizations/nope/jit/roles", None, NO_SUCH_ID),
        ("GET", "/organizations/nope/jit/sso-connectors", None, NO_SUCH_ID),
        ("POST", "/organizations/nope/jit/sso-connectors", {"ssoConnectorIds": ["x"]}, FOREIGN_KEY),
        ("GET", "/organizations/nope/users/nope/roles", None, NO_MEMBER),
        ("DELETE", "/organizations/nope/users/nope/roles/nope", None, NO_MEMBER),
        ("GET", "/organizations/nope/applications/nope/roles", None, NO_MEMBER),
        ("DELETE", "/organizations/nope/applications/nope/roles/nope", None, NO_MEMBER),
        ("POST", "/organizations/nope/applications/nope/roles", {}, NO_MEMBER),
        ("PUT", "/organizations/nope/applications/nope/roles", {}, NO_MEMBER),
        ("DELETE", "/resources/nope", None, NO_SUCH_ID),
        ("GET", "/users/nope", None, NOT_FOUND),
    ],
)
async def test_unknown_id_is_refused(
    api: ManagementApi, method: str, path: str, body: Any, refusal: tuple[int, str]
) -> None:
    reply = await api.send(method, path, body)
    assert reply.refusal == refusal


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/organization-roles/nope/scopes", {"organizationScopeIds": []}),
        ("/organization-roles/nope/resource-scopes", {"scopeIds": []}),
        ("/organizations/nope/jit/email-domains", {"emailDomains": []}),
    ],
)
async def test_putting_an_empty_list_below_an_unknown_id_is_accepted(
    api: ManagementApi, path: str, body: object
) -> None:
    assert (await api.put(path, body)).status == 204


async def test_body_is_validated_once_the_machine_is_a_member(api: ManagementApi, workshop: Workshop) -> None:
    """Before that, the request is refused because the machine is not a member."""
    machine, organization = await workshop.application("MachineToMachine"), await workshop.organization()
    await workshop.join_machine(organization, machine)
    reply = await api.put(f"/organizations/{organization}/applications/{machine.id}/roles", {})
    assert reply.refusal == (400, "guard.invalid_input")
