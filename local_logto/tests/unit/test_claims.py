"""Claims in ID tokens and userinfo: their names and types, and which are omitted."""

from __future__ import annotations

from dataclasses import replace

from local_logto.oidc.claims import (
    DEFAULT_EXTENDED_CLAIMS,
    Person,
    id_token_claims,
    userinfo_claims,
)
from local_logto.oidc.scopes import OIDC_SCOPES

NOBODY_MUCH = Person(
    id="bobbobbobbob",
    name=None,
    avatar=None,
    username=None,
    email=None,
    phone=None,
    profile={},
    custom_data={"plan": "pro"},
    identities={},
    sso_identities=[],
    created_at=1795253184717,
    updated_at=1795253258781,
    roles=["staff"],
    organizations=[{"id": "acme", "name": "Acme", "description": None}],
    organization_roles=["acme:admin", "acme:billing:reader"],
)
ALICE = replace(
    NOBODY_MUCH,
    name="Alice Probe",
    avatar="https://example.test/a.png",
    username="alice",
    email="alice@example.test",
    phone="15550100001",
    profile={"givenName": "Alice", "address": {"postalCode": "12345"}},
)


def test_scope_openid_alone_includes_only_the_subject() -> None:
    assert id_token_claims(ALICE, ["openid"], DEFAULT_EXTENDED_CLAIMS) == {"sub": "bobbobbobbob"}


def test_missing_names_are_null_and_missing_profile_members_omitted() -> None:
    claims = id_token_claims(NOBODY_MUCH, ["openid", "profile", "email", "phone", "address"], ())
    assert claims == {
        "sub": "bobbobbobbob",
        "name": None,
        "picture": None,
        "username": None,
        "created_at": 1795253184717,
        "updated_at": 1795253258781,
        "email": None,
        "email_verified": False,
        "phone_number": None,
        "phone_number_verified": False,
    }


def test_preferred_username_falls_back_to_the_username() -> None:
    assert id_token_claims(ALICE, ["profile"], ())["preferred_username"] == "alice"
    chosen = replace(ALICE, profile={"preferredUsername": "al"})
    assert id_token_claims(chosen, ["profile"], ())["preferred_username"] == "al"


def test_extended_claims_are_in_the_id_token_only_if_enabled() -> None:
    seeded = id_token_claims(ALICE, OIDC_SCOPES, DEFAULT_EXTENDED_CLAIMS)
    assert seeded["organizations"] == ["acme"]
    assert seeded["organization_roles"] == ["acme:admin", "acme:billing:reader"]
    assert seeded["roles"] == ["staff"]
    assert not {"custom_data", "identities", "sso_identities", "organization_data"} & set(seeded)
    assert id_token_claims(ALICE, OIDC_SCOPES, ["custom_data"])["custom_data"] == {"plan": "pro"}


def test_userinfo_includes_every_claim_of_the_scopes() -> None:
    claims = userinfo_claims(ALICE, OIDC_SCOPES)
    assert claims["organization_data"] == [{"id": "acme", "name": "Acme", "description": None}]
    assert claims["custom_data"] == {"plan": "pro"}
    assert claims["identities"] == {}
    assert claims["address"] == {"postalCode": "12345"}
    assert claims["given_name"] == "Alice"
    assert "family_name" not in claims
