"""Enterprise connectors, identities and proofs as records: no secret is shown, whatever a provider sent."""

from __future__ import annotations

from typing import Any

import pytest

from saas_app.errors import LogtoUnavailable
from saas_app.logto import BrowserSession, LogtoUser, SsoConnector, SsoSubmission

USER_INFO: dict[str, Any] = {
    "id": "u1",
    "email": "ann@corp.example",
    "name": "Ann",
    "groups": ["staff"],
    "memberOf": ["cn=staff"],
}
PROOF: dict[str, Any] = {
    "id": "v1",
    "type": "EnterpriseSso",
    "connectorId": "c1",
    "issuer": "https://login.corp.example",
    "enterpriseSsoUserInfo": USER_INFO,
}
PASSWORD = {"id": "v0", "type": "Password", "verified": True}


def submitted(*records: Any) -> BrowserSession:
    return BrowserSession.read(
        {"payload": {"uid": "s"}, "lastSubmission": {"verificationRecords": [*records]}}
    )


def proof_of(**claims: Any) -> SsoSubmission:
    found = submitted({**PROOF, "enterpriseSsoUserInfo": {**USER_INFO, **claims}}).sso
    assert found is not None
    return found


def test_a_proof_says_who_signed_in_at_which_provider() -> None:
    found = submitted(PASSWORD, PROOF).sso

    assert found is not None
    assert (found.connector_id, found.issuer) == ("c1", "https://login.corp.example")
    assert (found.user_id, found.email) == ("u1", "ann@corp.example")
    assert found.claims == USER_INFO


@pytest.mark.parametrize(
    "records",
    [
        (),
        (PASSWORD,),
        (None, 7, "EnterpriseSso"),
        ({**PROOF, "type": "Social"},),
        ({key: value for key, value in PROOF.items() if key != "enterpriseSsoUserInfo"},),
        ({key: value for key, value in PROOF.items() if key != "issuer"},),
    ],
    ids=["none", "password", "odd", "social", "left and never returned", "no issuer"],
)
def test_other_records_are_no_proof(records: tuple[Any, ...]) -> None:
    assert submitted(*records).sso is None


@pytest.mark.parametrize("unknown", [{}, {"lastSubmission": None}, {"lastSubmission": {}}])
def test_a_session_without_a_submission_says_nothing(unknown: dict[str, Any]) -> None:
    found = BrowserSession.read({"payload": {"uid": "s"}, **unknown})

    assert (found.sso, found.is_explained) == (None, False)


def test_a_session_with_a_submission_says_how_it_began() -> None:
    assert submitted(PASSWORD).is_explained


@pytest.mark.parametrize(
    "wrong", [{"connectorId": None}, {"connectorId": 7}, {"enterpriseSsoUserInfo": "u1"}]
)
def test_a_proof_that_cannot_be_read_is_not_mistaken_for_none(wrong: dict[str, Any]) -> None:
    with pytest.raises(LogtoUnavailable, match="could not be read"):
        submitted({**PROOF, **wrong})


@pytest.mark.parametrize("odd", [None, 7, [], ["ann@corp.example"], {"email": "ann@corp.example"}, True])
def test_whatever_a_provider_sends_as_id_and_address_only_text_counts(odd: Any) -> None:
    found = proof_of(id=odd, email=odd)

    assert (found.user_id, found.email) == ("", None)


def test_a_proof_does_not_show_what_the_provider_said() -> None:
    assert "cn=staff" not in repr(submitted(PROOF))


def test_an_account_says_its_identities_and_whether_it_has_a_password() -> None:
    identity = {
        "id": "i1",
        "issuer": "https://login.corp.example",
        "identityId": "u1",
        "detail": USER_INFO,
        "ssoConnectorId": "c1",
        "createdAt": 1_700_000_000_123,
    }
    user = LogtoUser.read({"id": "u", "hasPassword": True, "ssoIdentities": [identity]})
    [found] = user.sso_identities

    assert user.has_password
    assert (found.issuer, found.identity_id, found.connector_id) == (
        "https://login.corp.example",
        "u1",
        "c1",
    )
    assert found.detail == USER_INFO
    assert found.created_at is not None
    assert found.created_at.year == 2023


def test_an_account_of_a_list_has_neither() -> None:
    user = LogtoUser.read({"id": "u"})

    assert (user.has_password, user.sso_identities) == (False, ())


def test_a_connector_does_not_show_its_secret() -> None:
    config = {
        "issuer": "https://login.corp.example",
        "clientId": "us",
        "clientSecret": "s3cret",
        "scope": "x",
    }
    found = SsoConnector.read(
        {
            "id": "c1",
            "connectorName": "Corp",
            "providerName": "OIDC",
            "domains": ["corp.example"],
            "config": config,
            "providerConfig": config,
        }
    )

    assert (found.id, found.name, found.provider, found.domains) == ("c1", "Corp", "OIDC", ("corp.example",))
    assert (found.issuer, found.client_id, found.scope) == ("https://login.corp.example", "us", "x")
    assert found.client_secret == "s3cret"
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize("config", [None, {}, {"clientId": None}])
def test_a_connector_without_a_provider_has_no_issuer(config: Any) -> None:
    found = SsoConnector.read({"id": "c1", "connectorName": "Corp", "config": config})

    assert (found.issuer, found.client_id, found.scope, found.domains) == ("", "", "", ())
