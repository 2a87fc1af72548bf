"""Claims read from tokens that were verified earlier."""

import jwt

from saas_app.identity.claims import decode_stored, decode_unverified, organization_roles


def test_only_roles_of_the_organization_are_read() -> None:
    claims = {"organization_roles": ["acme:admin", "acme:editor", "globex:viewer"]}

    assert organization_roles(claims)["acme"] == {"admin", "editor"}
    assert organization_roles(claims)["globex"] == {"viewer"}
    assert "initech" not in organization_roles(claims)


def test_a_role_name_may_contain_a_colon() -> None:
    assert organization_roles({"organization_roles": ["acme:a:b"]}) == {"acme": {"a:b"}}


def test_missing_and_malformed_claims_give_no_role() -> None:
    assert organization_roles({}) == {}
    assert organization_roles({"organization_roles": ["acme", 7]}) == {}


def test_an_opaque_token_has_no_claims() -> None:
    assert decode_unverified("opaque") == {}


def test_a_stored_token_has_the_cleaned_claims_that_it_was_issued_with() -> None:
    claims = {"sub": "ada", "name": "Ada\x00 Ł", "organizations": ["acme"], "iat": 1}
    token = jwt.encode(claims, "k" * 32)
    assert decode_stored(token) == {**claims, "name": "Ada Ł"} == decode_unverified(token)


def test_an_ended_session_has_no_claims() -> None:
    assert decode_stored("") == {}
