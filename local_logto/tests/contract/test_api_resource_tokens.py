"""API-resource tokens: ``resource`` at the refresh, with and without ``organization_id``."""

from __future__ import annotations

from typing import Any

import pytest

from contract.client import LogtoBrowser, decode
from contract.fixtures import LikeRecording, SignIn
from contract.management import DEFAULT_RESOURCE, Workshop
from contract.oidc import Oidc, Tokens
from contract.world import ORGANIZATIONS_RESOURCE, ORGANIZATIONS_SCOPE, World


@pytest.mark.parametrize("name", ["acme", "globex"])
async def test_token_for_an_organization_is_as_recorded(
    oidc: Oidc, world: World, sign_in: SignIn, like_recording: LikeRecording, name: str
) -> None:
    tokens = await sign_in(world.alice, nonce=None)
    organization = world.acme if name == "acme" else world.globex
    reply = await oidc.renew(tokens, resource=world.resource, organization_id=organization)
    like_recording(f"14-api-resource-token-org-{name}", reply)


async def test_token_without_organization_is_as_recorded(
    oidc: Oidc, world: World, sign_in: SignIn, like_recording: LikeRecording
) -> None:
    tokens = await sign_in(world.alice, nonce=None)
    reply = await oidc.renew(tokens, resource=world.resource)
    like_recording("14-api-resource-token", reply)


async def claims_of(oidc: Oidc, tokens: Tokens, **form: str) -> dict[str, Any]:
    """Return the claims of a refreshed access token."""
    reply = (await oidc.renew(tokens, **form)).expect(200)
    return decode(reply.body["access_token"]).claims


async def test_token_names_its_organization_in_a_claim(oidc: Oidc, alice: Tokens, world: World) -> None:
    claims = await claims_of(oidc, alice, resource=world.resource, organization_id=world.acme)
    assert claims["aud"] == world.resource
    assert claims["organization_id"] == world.acme


async def test_token_without_organization_lacks_that_claim(oidc: Oidc, alice: Tokens, world: World) -> None:
    assert "organization_id" not in await claims_of(oidc, alice, resource=world.resource)


async def test_scope_follows_the_role_in_the_organization(oidc: Oidc, alice: Tokens, world: World) -> None:
    acme = await claims_of(oidc, alice, resource=world.resource, organization_id=world.acme)
    globex = await claims_of(oidc, alice, resource=world.resource, organization_id=world.globex)
    assert set(acme["scope"].split()) == {world.read_reports, world.write_reports}
    assert set(globex["scope"].split()) == {world.read_reports}


async def test_scope_without_organization_is_the_union_over_all_of_them(
    oidc: Oidc, alice: Tokens, world: World
) -> None:
    claims = await claims_of(oidc, alice, resource=world.resource)
    assert set(claims["scope"].split()) == {world.read_reports, world.write_reports}


async def test_scope_can_be_narrowed(oidc: Oidc, alice: Tokens, world: World) -> None:
    form = {"resource": world.resource, "organization_id": world.acme, "scope": world.read_reports}
    reply = (await oidc.renew(alice, **form)).expect(200)
    assert reply.body["scope"] == world.read_reports
    assert "id_token" not in reply.body


async def test_api_tokens_contain_no_organization_permissions(
    oidc: Oidc, alice: Tokens, world: World
) -> None:
    claims = await claims_of(oidc, alice, resource=world.resource, organization_id=world.acme)
    assert not world.organization_scopes & set(claims["scope"].split())


async def test_person_without_any_scope_gets_an_empty_one(
    oidc: Oidc, world: World, workshop: Workshop, sign_in: SignIn
) -> None:
    tokens = await sign_in(await workshop.person())
    assert (await claims_of(oidc, tokens, resource=world.resource))["scope"] == ""


async def test_lifetime_is_that_of_the_resource(
    oidc: Oidc, world: World, workshop: Workshop, sign_in: SignIn
) -> None:
    resource = await workshop.resource(accessTokenTtl=120)
    tokens = await sign_in(world.alice, resource=[resource["indicator"], ORGANIZATIONS_RESOURCE])
    reply = await oidc.renew(tokens, resource=resource["indicator"])
    claims = decode(reply.expect(200).body["access_token"]).claims
    assert (reply.body["expires_in"], claims["exp"] - claims["iat"]) == (120, 120)


async def test_reserved_resource_alone_returns_a_token_for_itself(
    oidc: Oidc, world: World, sign_in: SignIn, like_recording: LikeRecording
) -> None:
    scope = f"openid profile offline_access {ORGANIZATIONS_SCOPE} {world.read_members}"
    tokens = await sign_in(world.alice, scope=scope, resource=ORGANIZATIONS_RESOURCE, nonce=None)
    reply = await oidc.renew(tokens, resource=ORGANIZATIONS_RESOURCE)
    like_recording("53-org-resource-itself", reply)


async def test_two_resources_return_an_opaque_token(
    oidc: Oidc, world: World, sign_in: SignIn, like_recording: LikeRecording
) -> None:
    scope = f"openid profile offline_access {ORGANIZATIONS_SCOPE} {world.read_reports}"
    tokens = await sign_in(world.alice, scope=scope, nonce=None)
    resources = [world.resource, ORGANIZATIONS_RESOURCE]
    reply = await oidc.renew(tokens, resource=resources)
    like_recording("53-error-two-resources", reply)


# --- refusals


async def test_organization_that_the_person_is_not_in_is_denied(
    oidc: Oidc, alice: Tokens, world: World, like_recording: LikeRecording
) -> None:
    form = {"resource": world.resource, "organization_id": world.other}
    reply = await oidc.renew(alice, **form)
    like_recording("21-error-org-not-member-with-resource", reply)


async def test_unknown_resource_is_an_invalid_target(
    oidc: Oidc, alice: Tokens, like_recording: LikeRecording
) -> None:
    reply = await oidc.renew(alice, resource="https://unknown.example.test")
    like_recording("21-error-resource-unknown", reply)


async def test_known_resource_that_was_not_requested_is_an_invalid_target(
    oidc: Oidc, alice: Tokens, like_recording: LikeRecording
) -> None:
    reply = await oidc.renew(alice, resource=DEFAULT_RESOURCE)
    like_recording("21-error-resource-not-requested", reply)


async def test_resource_of_another_grant_is_an_invalid_target(
    oidc: Oidc, world: World, sign_in: SignIn, like_recording: LikeRecording
) -> None:
    tokens = await sign_in(world.alice, scope="openid profile offline_access", resource=None)
    reply = await oidc.renew(tokens, resource=world.resource)
    like_recording("54-error-resource-not-in-grant", reply)


async def test_scopes_are_removed_when_no_resource_is_requested(
    oidc: Oidc, world: World, browser: LogtoBrowser
) -> None:
    asked = {"scope": f"openid offline_access {world.read_reports}", "resource": None}
    tokens = await oidc.sign_in(browser, world.web, world.alice, **asked)
    reply = await oidc.renew(tokens, scope=world.read_reports)
    assert reply.expect(400).body["error"] == "invalid_scope"
