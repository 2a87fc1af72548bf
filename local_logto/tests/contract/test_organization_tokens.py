"""Organization tokens: ``organization_id`` without ``resource`` at the refresh."""

from __future__ import annotations

import pytest

from contract.client import decode
from contract.fixtures import LikeRecording, SignIn
from contract.management import ManagementApi, Workshop
from contract.oidc import Oidc, Tokens
from contract.world import ORGANIZATIONS_RESOURCE, ORGANIZATIONS_SCOPE, World


async def test_organization_token_of_an_admin_is_as_recorded(
    oidc: Oidc, world: World, sign_in: SignIn, like_recording: LikeRecording
) -> None:
    tokens = await sign_in(world.alice, nonce=None)
    reply = await oidc.renew(tokens, organization_id=world.acme)
    like_recording("13-org-token-acme", reply, {world.acme: "9rbq6tjabsfx"})


async def test_organization_token_of_a_member_is_as_recorded(
    oidc: Oidc, world: World, sign_in: SignIn, like_recording: LikeRecording
) -> None:
    tokens = await sign_in(world.alice, nonce=None)
    reply = await oidc.renew(tokens, organization_id=world.globex)
    like_recording("13-org-token-globex", reply, {world.globex: "tqq4mpt0wotb"})


async def test_narrowed_organization_token_comes_without_id_token(
    oidc: Oidc, alice: Tokens, world: World, like_recording: LikeRecording
) -> None:
    reply = await oidc.renew(alice, organization_id=world.acme, scope=world.read_members)
    like_recording("13-org-token-acme-scope-down", reply, {world.acme: "9rbq6tjabsfx"})


async def test_audience_names_the_organization_and_no_claim_does(
    oidc: Oidc, alice: Tokens, world: World
) -> None:
    reply = await oidc.renew(alice, organization_id=world.acme)
    claims = decode(reply.expect(200).body["access_token"]).claims
    assert claims["aud"] == f"urn:logto:organization:{world.acme}"
    assert "organization_id" not in claims


async def test_token_names_subject_application_and_issuer(oidc: Oidc, alice: Tokens, world: World) -> None:
    reply = await oidc.renew(alice, organization_id=world.acme)
    claims = decode(reply.expect(200).body["access_token"]).claims
    assert claims["sub"] == world.alice.id
    assert claims["client_id"] == world.web.id
    assert claims["iss"] == oidc.issuer
    assert claims["exp"] - claims["iat"] == 3600


async def test_scope_is_what_the_role_grants_in_that_organization(
    oidc: Oidc, alice: Tokens, world: World
) -> None:
    expected = {world.acme: world.organization_scopes, world.globex: {world.read_members}}
    for organization, scopes in expected.items():
        reply = await oidc.renew(alice, organization_id=organization)
        assert decode(reply.expect(200).body["access_token"]).scopes == scopes
        assert set(reply.body["scope"].split()) == scopes


async def test_two_tokens_for_one_organization_differ(oidc: Oidc, alice: Tokens, world: World) -> None:
    replies = [await oidc.renew(alice, organization_id=world.acme) for _ in range(2)]
    ids = {decode(reply.body["access_token"]).claims["jti"] for reply in replies}
    assert len(ids) == 2


async def test_requested_scope_that_the_role_lacks_is_left_out(
    oidc: Oidc, alice: Tokens, world: World
) -> None:
    wanted = f"{world.read_members} {world.delete_org}"
    reply = await oidc.renew(alice, organization_id=world.globex, scope=wanted)
    assert reply.expect(200).body["scope"] == world.read_members


async def test_permissions_not_requested_at_sign_in_leave_the_scope_empty(
    oidc: Oidc, world: World, sign_in: SignIn
) -> None:
    scope = f"openid offline_access {ORGANIZATIONS_SCOPE}"
    tokens = await sign_in(world.alice, scope=scope, resource=ORGANIZATIONS_RESOURCE)
    reply = await oidc.renew(tokens, organization_id=world.acme)
    assert reply.expect(200).body["scope"] == ""
    assert decode(reply.body["access_token"]).claims["scope"] == ""


async def test_permissions_are_stripped_when_the_reserved_resource_is_not_requested(
    oidc: Oidc, world: World, sign_in: SignIn
) -> None:
    scope = f"openid offline_access {ORGANIZATIONS_SCOPE} {world.read_members}"
    tokens = await sign_in(world.alice, scope=scope, resource=None)
    reply = await oidc.renew(tokens, organization_id=world.acme)
    assert reply.expect(200).body["scope"] == ""


async def test_member_without_a_role_gets_an_empty_scope(
    oidc: Oidc, world: World, workshop: Workshop, sign_in: SignIn
) -> None:
    person = await workshop.person()
    await workshop.join(world.acme, person)
    tokens = await sign_in(person)
    reply = await oidc.renew(tokens, organization_id=world.acme)
    assert reply.expect(200).body["scope"] == ""


async def test_two_roles_grant_the_union(
    oidc: Oidc, world: World, workshop: Workshop, sign_in: SignIn
) -> None:
    person = await workshop.person()
    inviting = await workshop.organization_scope(f"extra:{workshop.tag}")
    extra = await workshop.role(scope_ids=[inviting])
    organization = await workshop.organization()
    await workshop.join(organization, person, world.member, extra)
    asked = f"{world.everything['scope']} extra:{workshop.tag}"
    tokens = await sign_in(person, scope=asked)
    reply = await oidc.renew(tokens, organization_id=organization)
    assert set(reply.expect(200).body["scope"].split()) == {world.read_members, f"extra:{workshop.tag}"}


# --- refusals


async def test_organization_one_is_not_in_is_denied(
    oidc: Oidc, alice: Tokens, world: World, like_recording: LikeRecording
) -> None:
    reply = await oidc.renew(alice, organization_id=world.other)
    like_recording("21-error-org-not-member", reply)


async def test_unknown_organization_is_denied_in_the_same_words(
    oidc: Oidc, alice: Tokens, like_recording: LikeRecording
) -> None:
    reply = await oidc.renew(alice, organization_id="doesnotexist")
    like_recording("21-error-org-unknown", reply)


async def test_organization_that_requires_mfa_is_denied_to_who_has_none(
    oidc: Oidc, world: World, workshop: Workshop, sign_in: SignIn, like_recording: LikeRecording
) -> None:
    person = await workshop.person()
    organization = await workshop.organization(isMfaRequired=True)
    await workshop.join(organization, person, world.admin)
    tokens = await sign_in(person)
    reply = await oidc.renew(tokens, organization_id=organization)
    like_recording("54-error-org-mfa", reply)


async def test_requiring_mfa_later_counts_at_the_next_refresh(
    oidc: Oidc, world: World, workshop: Workshop, api: ManagementApi, sign_in: SignIn
) -> None:
    person = await workshop.person()
    organization = await workshop.organization()
    await workshop.join(organization, person, world.admin)
    tokens = await sign_in(person)
    for required, status in ((True, 403), (False, 200)):
        (await api.patch(f"/organizations/{organization}", {"isMfaRequired": required})).expect(200)
        reply = await oidc.renew(tokens, organization_id=organization)
        assert reply.status == status


async def test_refresh_token_without_the_organizations_scope_is_insufficient(
    oidc: Oidc, world: World, sign_in: SignIn, like_recording: LikeRecording
) -> None:
    tokens = await sign_in(world.alice, scope="openid profile offline_access", resource=None)
    reply = await oidc.renew(tokens, organization_id=world.acme)
    like_recording("54-error-org-scope-missing", reply)


async def test_organization_urn_is_no_resource(
    oidc: Oidc, alice: Tokens, world: World, like_recording: LikeRecording
) -> None:
    urn = f"urn:logto:organization:{world.acme}"
    reply = await oidc.renew(alice, resource=urn)
    like_recording("53-error-org-urn-as-resource", reply)


@pytest.mark.parametrize("form", [{}, {"scope": "openid"}])
async def test_membership_is_asked_before_the_scope(
    oidc: Oidc, world: World, sign_in: SignIn, form: dict[str, str]
) -> None:
    tokens = await sign_in(world.alice, scope="openid profile offline_access", resource=None)
    reply = await oidc.renew(tokens, organization_id=world.other, **form)
    assert reply.expect(403).body["error"] == "access_denied"


async def test_deleted_organization_is_denied_like_an_unknown_one(
    oidc: Oidc, world: World, workshop: Workshop, api: ManagementApi, sign_in: SignIn
) -> None:
    person = await workshop.person()
    organization = await workshop.organization()
    await workshop.join(organization, person, world.admin)
    tokens = await sign_in(person)
    (await api.delete(f"/organizations/{organization}")).expect(204)
    reply = await oidc.renew(tokens, organization_id=organization)
    assert reply.expect(403).body["error_description"] == "user is not a member of the organization"
