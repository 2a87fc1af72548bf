"""Organization tokens: ``organization_id`` without ``resource`` at the refresh."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from contract.client import decode
from contract.fixtures import LikeRecording, SignIn
from contract.management import ManagementApi, Workshop
from contract.oidc import Oidc, Tokens
from contract.people import Person
from contract.world import ORGANIZATIONS_RESOURCE, ORGANIZATIONS_SCOPE, World


@pytest.mark.parametrize(("name", "recorded_id"), [("acme", "9rbq6tjabsfx"), ("globex", "tqq4mpt0wotb")])
async def test_organization_token_of_an_admin_and_of_a_member_is_as_recorded(
    oidc: Oidc, world: World, sign_in: SignIn, like_recording: LikeRecording, name: str, recorded_id: str
) -> None:
    organization = world.acme if name == "acme" else world.globex
    tokens = await sign_in(world.alice, nonce=None)
    reply = await oidc.renew(tokens, organization_id=organization)
    like_recording(f"13-org-token-{name}", reply, {organization: recorded_id})


@dataclass(frozen=True, slots=True)
class Member:
    """A person who signed in as admin of an organization that only this test uses."""

    organization: str
    tokens: Tokens


@pytest.fixture
async def member(world: World, workshop: Workshop, sign_in: SignIn, otto: Person) -> Member:
    organization = await workshop.organization()
    await workshop.join(organization, otto, world.admin)
    return Member(organization, await sign_in(otto))


async def test_narrowed_organization_token_comes_without_id_token(
    oidc: Oidc, alice: Tokens, world: World, like_recording: LikeRecording
) -> None:
    reply = await oidc.renew(alice, organization_id=world.acme, scope=world.read_members)
    like_recording("13-org-token-acme-scope-down", reply, {world.acme: "9rbq6tjabsfx"})


async def test_organization_is_in_the_audience_and_in_no_other_claim(
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


@pytest.mark.parametrize("role", ["admin", "member"])
async def test_scope_is_what_the_role_grants_in_the_organization(
    oidc: Oidc, alice: Tokens, world: World, role: str
) -> None:
    organization, scopes = (
        (world.acme, world.organization_scopes) if role == "admin" else (world.globex, {world.read_members})
    )
    reply = await oidc.renew(alice, organization_id=organization)
    assert decode(reply.expect(200).body["access_token"]).scopes == scopes
    assert set(reply.body["scope"].split()) == scopes


async def test_two_tokens_for_one_organization_differ(oidc: Oidc, alice: Tokens, world: World) -> None:
    replies = [await oidc.renew(alice, organization_id=world.acme) for _ in range(2)]
    ids = {decode(reply.body["access_token"]).claims["jti"] for reply in replies}
    assert len(ids) == 2


async def test_requested_scope_that_the_role_lacks_is_omitted(
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


async def test_organization_that_the_person_is_not_in_is_denied(
    oidc: Oidc, alice: Tokens, world: World, like_recording: LikeRecording
) -> None:
    reply = await oidc.renew(alice, organization_id=world.other)
    like_recording("21-error-org-not-member", reply)


async def test_unknown_organization_is_denied_in_the_same_words(
    oidc: Oidc, alice: Tokens, like_recording: LikeRecording
) -> None:
    reply = await oidc.renew(alice, organization_id="doesnotexist")
    like_recording("21-error-org-unknown", reply)


async def test_organization_that_requires_mfa_is_denied_to_a_member_without_it(
    oidc: Oidc, member: Member, api: ManagementApi, like_recording: LikeRecording
) -> None:
    (await api.patch(f"/organizations/{member.organization}", {"isMfaRequired": True})).expect(200)
    reply = await oidc.renew(member.tokens, organization_id=member.organization)
    like_recording("54-error-org-mfa", reply)


async def test_organization_that_no_longer_requires_mfa_is_granted_at_the_next_refresh(
    oidc: Oidc, member: Member, api: ManagementApi
) -> None:
    for required in (True, False):
        change = {"isMfaRequired": required}
        (await api.patch(f"/organizations/{member.organization}", change)).expect(200)
    assert (await oidc.renew(member.tokens, organization_id=member.organization)).status == 200


async def test_refresh_token_without_the_organizations_scope_is_insufficient(
    oidc: Oidc, world: World, sign_in: SignIn, like_recording: LikeRecording
) -> None:
    tokens = await sign_in(world.alice, scope="openid profile offline_access", resource=None)
    reply = await oidc.renew(tokens, organization_id=world.acme)
    like_recording("54-error-org-scope-missing", reply)


async def test_urn_of_an_organization_is_not_a_resource(
    oidc: Oidc, alice: Tokens, world: World, like_recording: LikeRecording
) -> None:
    urn = f"urn:logto:organization:{world.acme}"
    reply = await oidc.renew(alice, resource=urn)
    like_recording("53-error-org-urn-as-resource", reply)


@pytest.mark.parametrize("form", [{}, {"scope": "openid"}])
async def test_membership_is_checked_before_the_scope(
    oidc: Oidc, world: World, sign_in: SignIn, form: dict[str, str]
) -> None:
    tokens = await sign_in(world.alice, scope="openid profile offline_access", resource=None)
    reply = await oidc.renew(tokens, organization_id=world.other, **form)
    assert reply.expect(403).body["error"] == "access_denied"


async def test_deleted_organization_is_denied_like_an_unknown_one(
    oidc: Oidc, member: Member, api: ManagementApi
) -> None:
    (await api.delete(f"/organizations/{member.organization}")).expect(204)
    reply = await oidc.renew(member.tokens, organization_id=member.organization)
    assert reply.expect(403).body["error_description"] == "user is not a member of the organization"
