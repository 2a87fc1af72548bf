"""Names of claims in camel case. The expected ones are what ``camelcase-keys`` 9.1.3 returned."""

from __future__ import annotations

import pytest

from local_logto.connectors.camel_case import camel_case


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("groups", "groups"),
        ("Groups", "groups"),
        ("GROUPS", "groups"),
        ("member_of", "memberOf"),
        ("memberOf", "memberOf"),
        ("member-of", "memberOf"),
        ("member.of", "memberOf"),
        (" organization_roles ", "organizationRoles"),
        ("https://corp.example/groups", "https://corpExample/groups"),
        ("urn:x:Groups", "urn:x:groups"),
        ("urn:logto:scope_x", "urn:logto:scopeX"),
        ("cognito:groups", "cognito:groups"),
        ("a1b", "a1B"),
        ("a_1b", "a1B"),
        ("x509_groups", "x509Groups"),
        ("2fa_groups", "2FaGroups"),
        ("group2s", "group2S"),
        ("v1_2_3", "v123"),
        ("q1-w2", "q1W2"),
        ("_claim", "claim"),
        ("a__b", "aB"),
        ("__", ""),
        ("-", ""),
        ("", ""),
        ("x", "x"),
        ("X", "x"),
        ("1", "1"),
        ("A1", "a1"),
        ("ID", "id"),
        ("Email", "email"),
        ("eMail", "eMail"),
        ("A-Bcd", "aBcd"),
        ("fooBAR", "fooBar"),
        ("FOOBar", "fooBar"),
        ("FooBAR_baz", "fooBarBaz"),
        ("isJSON5data", "isJson5Data"),
        ("XMLHttp", "xmlHttp"),
        ("aBCd", "aBcd"),
        ("$ref_Name", "$refName"),
        ("ÉQUIPE_a", "équipeA"),
        ("ßtraße_X", "ßtraßeX"),
    ],
)
def test_name_is_written_as_logto_writes_it(name: str, expected: str) -> None:
    assert camel_case(name) == expected
