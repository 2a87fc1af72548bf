"""Claims read from tokens that were verified earlier."""

from saas_app.identity.claims import decode_unverified, organization_roles


def test_only_roles_of_the_organization_are_read() -> None:
    claims = {"organization_roles": ["acme:admin", "acme:editor", "globex:viewer"]}

    assert organization_roles(claims, "acme") == {"admin", "editor"}
    assert organization_roles(claims, "globex") == {"viewer"}
    assert organization_roles(claims, "initech") == frozenset()


def test_a_role_name_may_contain_a_colon() -> None:
    assert organization_roles({"organization_roles": ["acme:a:b"]}, "acme") == {"a:b"}


def test_missing_and_malformed_claims_give_no_role() -> None:
    assert organization_roles({}, "acme") == frozenset()
    assert organization_roles({"organization_roles": ["acme", 7]}, "acme") == frozenset()


def test_an_opaque_token_has_no_claims() -> None:
    assert decode_unverified("opaque") == {}
