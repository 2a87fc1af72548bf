"""Claims about a person, in the ID token and at ``/oidc/me``."""

from __future__ import annotations

from typing import Any

import pytest

from contract.client import decode
from contract.fixtures import LikeRecording, SignIn
from contract.management import ManagementApi, Workshop
from contract.oidc import Oidc, Tokens
from contract.people import Person
from contract.world import World


async def claims_of(oidc: Oidc, tokens: Tokens) -> dict[str, Any]:
    """Return the claims of a refreshed ID token."""
    reply = (await oidc.renew(tokens)).expect(200)
    return decode(reply.body["id_token"]).claims


async def information_about(oidc: Oidc, tokens: Tokens) -> dict[str, Any]:
    information: dict[str, Any] = (await oidc.userinfo(tokens.access_token)).expect(200).body
    return information


# --- userinfo


async def test_userinfo_is_as_recorded(oidc: Oidc, alice: Tokens, like_recording: LikeRecording) -> None:
    like_recording("12-userinfo", await oidc.userinfo(alice.access_token))


async def test_userinfo_can_be_posted(oidc: Oidc, alice: Tokens) -> None:
    headers = {
        "Authorization": f"Bearer {alice.access_token}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    reply = (await oidc.send("POST", "/oidc/me", headers=headers)).expect(200)
    assert reply.body["sub"] == alice.id_token_claims["sub"]


async def test_only_userinfo_describes_the_organizations(oidc: Oidc, alice: Tokens, world: World) -> None:
    information = await information_about(oidc, alice)
    described = {entry["id"]: entry["description"] for entry in information["organization_data"]}
    assert described == {world.acme: "acme org", world.globex: "globex org"}
    assert "organization_data" not in alice.id_token_claims


async def test_userinfo_has_no_token_claims(oidc: Oidc, alice: Tokens) -> None:
    assert not {"iss", "aud", "exp", "iat"} & set(await information_about(oidc, alice))


async def test_userinfo_and_id_token_agree(oidc: Oidc, alice: Tokens) -> None:
    information = await information_about(oidc, alice)
    claims = await claims_of(oidc, alice)
    unordered = {"organizations", "organization_roles", "updated_at"}
    shared = (set(information) & set(claims)) - unordered
    assert {name: information[name] for name in shared} == {name: claims[name] for name in shared}
    for name in ("organizations", "organization_roles"):
        assert sorted(information[name]) == sorted(claims[name])


async def test_userinfo_shows_a_change_at_once(
    oidc: Oidc, api: ManagementApi, sign_in: SignIn, otto: Person
) -> None:
    tokens = await sign_in(otto)
    (await api.patch(f"/users/{otto.id}", {"name": "After"})).expect(200)
    assert (await information_about(oidc, tokens))["name"] == "After"


async def test_userinfo_with_an_unknown_token_gets_a_challenge(
    oidc: Oidc, like_recording: LikeRecording
) -> None:
    like_recording("12-error-userinfo-bad-token", await oidc.userinfo("garbage"))


async def test_userinfo_without_a_token_gets_a_challenge(oidc: Oidc, like_recording: LikeRecording) -> None:
    like_recording("12-error-userinfo-no-token", await oidc.userinfo(None))


@pytest.mark.parametrize("kind", ["organization", "API"])
async def test_userinfo_refuses_organization_tokens_and_api_tokens(
    oidc: Oidc, alice: Tokens, world: World, like_recording: LikeRecording, kind: str
) -> None:
    form = {"organization_id": world.acme} if kind == "organization" else {"resource": world.resource}
    reply = await oidc.renew(alice, **form)
    like_recording("35-userinfo-with-org-jwt", await oidc.userinfo(reply.body["access_token"]))


async def test_userinfo_refuses_a_refresh_token(oidc: Oidc, alice: Tokens) -> None:
    reply = (await oidc.userinfo(alice.refresh_token)).expect(401)
    assert reply.body["error"] == "invalid_token"


async def test_userinfo_of_a_deleted_person_is_refused(
    oidc: Oidc, api: ManagementApi, sign_in: SignIn, otto: Person
) -> None:
    tokens = await sign_in(otto)
    (await api.delete(f"/users/{otto.id}")).expect(204)
    assert (await oidc.userinfo(tokens.access_token)).status in (400, 401)


async def test_userinfo_requires_the_scope_openid(oidc: Oidc, alice: Tokens) -> None:
    reply = (await oidc.renew(alice, scope="profile")).expect(200)
    answer = (await oidc.userinfo(reply.body["access_token"])).expect(403)
    assert answer.body["error"] == "insufficient_scope"


# --- claims by scope


async def test_missing_name_and_picture_are_null(otto: Person, sign_in: SignIn) -> None:
    claims = (await sign_in(otto)).id_token_claims
    for name in ("name", "picture", "email", "phone_number"):
        assert claims[name] is None, name
    assert (claims["email_verified"], claims["phone_number_verified"]) == (False, False)


async def test_other_missing_profile_claims_are_omitted(otto: Person, sign_in: SignIn) -> None:
    claims = (await sign_in(otto)).id_token_claims
    assert not {"family_name", "given_name", "nickname", "website", "locale", "zoneinfo"} & set(claims)


async def test_preferred_username_falls_back_to_the_username(otto: Person, sign_in: SignIn) -> None:
    claims = (await sign_in(otto)).id_token_claims
    assert claims["preferred_username"] == claims["username"] == otto.username


async def test_person_without_organizations_has_empty_lists(
    oidc: Oidc, otto: Person, sign_in: SignIn
) -> None:
    tokens = await sign_in(otto)
    assert tokens.id_token_claims["organizations"] == []
    assert tokens.id_token_claims["organization_roles"] == []
    assert (await information_about(oidc, tokens))["organization_data"] == []


async def test_account_times_are_in_milliseconds_and_token_times_in_seconds(alice: Tokens) -> None:
    claims = alice.id_token_claims
    assert claims["created_at"] / 1000 == pytest.approx(claims["iat"], abs=3600)
    assert claims["updated_at"] >= claims["created_at"]


async def test_phone_number_has_no_plus(alice: Tokens, world: World) -> None:
    assert alice.id_token_claims["phone_number"] == world.alice.phone
    assert alice.id_token_claims["phone_number"].isdigit()


async def test_subject_is_the_user_id_of_twelve_characters(alice: Tokens, world: World) -> None:
    assert alice.id_token_claims["sub"] == world.alice.id
    assert len(world.alice.id) == 12


async def test_organization_roles_consist_of_organization_and_role_name(alice: Tokens, world: World) -> None:
    assert sorted(alice.id_token_claims["organization_roles"]) == sorted(
        [f"{world.acme}:{world.admin_name}", f"{world.globex}:{world.member_name}"]
    )


@pytest.mark.parametrize(
    ("scope", "present", "absent"),
    [
        ("openid", {"sub"}, {"username", "email", "organizations"}),
        ("openid profile", {"username", "name", "picture"}, {"email", "phone_number"}),
        ("openid email", {"email", "email_verified"}, {"username", "phone_number"}),
        ("openid phone", {"phone_number", "phone_number_verified"}, {"email"}),
        ("openid urn:logto:scope:organizations", {"organizations"}, {"organization_roles"}),
        ("openid urn:logto:scope:organization_roles", {"organization_roles"}, {"organizations"}),
    ],
)
async def test_scope_decides_which_claims_are_included(
    oidc: Oidc, world: World, sign_in: SignIn, scope: str, present: set[str], absent: set[str]
) -> None:
    tokens = await sign_in(world.alice, scope=scope, resource=None)
    claims = set(tokens.id_token_claims)
    assert present <= claims
    assert not absent & claims
    information = set(await information_about(oidc, tokens))
    assert present <= information
    assert not absent & information


async def test_custom_data_is_in_userinfo_and_not_in_the_id_token(
    oidc: Oidc, world: World, sign_in: SignIn
) -> None:
    tokens = await sign_in(world.alice, scope="openid custom_data", resource=None)
    assert (await information_about(oidc, tokens))["custom_data"] == {"k": "v"}
    assert "custom_data" not in tokens.id_token_claims


async def test_profile_members_become_snake_case_claims(workshop: Workshop, sign_in: SignIn) -> None:
    profile = {"nickname": "Nick", "website": "https://example.test", "zoneinfo": "Asia/Seoul"}
    person = await workshop.person(profile={**profile, "familyName": "Kim", "locale": "ko"})
    claims = (await sign_in(person)).id_token_claims
    expected = {**profile, "family_name": "Kim", "locale": "ko"}
    assert {name: claims[name] for name in expected} == expected


async def test_id_token_has_no_at_hash_and_no_sid(alice: Tokens) -> None:
    assert not {"at_hash", "sid", "azp", "auth_time"} & set(alice.id_token_claims)
