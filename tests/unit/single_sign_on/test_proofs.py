"""Whom a company's identity provider may sign in."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from saas_app.logto import LogtoUser, SsoSubmission
from saas_app.single_sign_on.proofs import Refusal, find_objection, revision_of
from saas_app.single_sign_on.values import Connection

ISSUER = "https://app.example/sso/connector"
"""What we are for Logto."""

CONNECTION = Connection(
    organization_id="acme",
    connector_id="connector",
    name="Corp",
    issuer="https://login.corp.example",
    client_id="client",
    scopes="openid email",
    domains=("corp.example", "xn--mller-kva.example"),
    joins=False,
    group_claim="",
    group_roles=(),
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    created_by="ada",
    tested_at=None,
    tested_by=None,
    on_at=None,
    required_at=None,
    recovery_id=None,
    failing_since=None,
    failure=None,
)
HELD = frozenset({"corp.example", "xn--mller-kva.example", "other.example"})


def proof_of(email: object = "carol@corp.example", **changes: Any) -> SsoSubmission:
    """Return what Logto keeps of a sign-in at the provider."""
    info = {"id": "sub-1", "email": email, **changes.pop("info", {})}
    return SsoSubmission.read(
        {"connectorId": "connector", "issuer": ISSUER, "enterpriseSsoUserInfo": info, **changes}
    )


def account_of(email: object = "carol@corp.example", **changes: Any) -> LogtoUser:
    """Return the account with that identity."""
    identity = {"issuer": ISSUER, "identityId": "sub-1", "ssoConnectorId": "connector", "detail": {}}
    return LogtoUser.read({"id": "carol", "primaryEmail": email, "ssoIdentities": [identity], **changes})


def objection(
    proof: SsoSubmission,
    account: LogtoUser,
    connection: Connection = CONNECTION,
    held: Collection[str] = HELD,
) -> Refusal | None:
    return find_objection(connection, held, ISSUER, proof, account)


@pytest.mark.parametrize(
    "email",
    [
        "carol@corp.example",
        "Carol@CORP.Example",
        "carol+work@corp.example",
        "carol@müller.example",
        "carol@MÜLLER.example",
        "carol@xn--mller-kva.example",
        "carol@corp.example.",
    ],
)
def test_an_address_at_a_domain_of_the_connection_is_believed(email: str) -> None:
    assert objection(proof_of(email), account_of(email)) is None


FOREIGN = [
    "carol@other.example",  # held, but not chosen
    "carol@sub.corp.example",
    "carol@corp.example.evil.example",
    "carol@evilcorp.example",
    "@corp.example",
    "carol@evil.example@corp.example",
    '"carol@evil.example"@corp.example',
    "carol@corp.example@evil.example",
    "corp.example",
    "carol@",
    "carol@corp.example\x00.evil.example",
    "carol@cоrp.example",  # a Cyrillic o
    "carol@evil.example carol@corp.example",
    "victor@bank.example\tcarol@corp.example",
    "ca rol@corp.example",
    "carol@corp.example\n",
    f"{'c' * 320}@corp.example",
]


@pytest.mark.parametrize("email", FOREIGN)
def test_an_asserted_address_elsewhere_is_refused(email: str) -> None:
    assert objection(proof_of(email), account_of()) is Refusal.FOREIGN_ADDRESS


@pytest.mark.parametrize("email", [*FOREIGN, None, ""])
def test_an_account_with_an_address_elsewhere_is_refused(email: str | None) -> None:
    assert objection(proof_of(), account_of(email)) is Refusal.FOREIGN_ACCOUNT


@pytest.mark.parametrize("email", [None, "", 7, ["carol@corp.example"], {"carol@corp.example": True}])
def test_a_missing_address_is_refused(email: object) -> None:
    assert objection(proof_of(email), account_of()) is Refusal.NO_ADDRESS


def test_a_domain_that_is_no_longer_held_is_refused() -> None:
    assert objection(proof_of(), account_of(), held={"other.example"}) is Refusal.FOREIGN_ADDRESS


def test_another_issuer_than_ours_is_refused_also_the_companys_own() -> None:
    proof = proof_of(issuer="https://login.corp.example")

    assert objection(proof, account_of()) is Refusal.OTHER_PROVIDER


def test_a_connection_without_a_provider_lets_nobody_in() -> None:
    nobody = replace(CONNECTION, issuer="")

    assert objection(proof_of(), account_of(), nobody) is Refusal.OTHER_PROVIDER


@pytest.mark.parametrize("sub", ["sub-2", "", None, 7])
def test_a_proof_of_another_person_is_refused(sub: object) -> None:
    proof = proof_of(info={"id": sub})

    assert objection(proof, account_of()) is Refusal.NOT_LINKED


def test_an_identity_without_a_name_links_nobody() -> None:
    identity = {"issuer": ISSUER, "identityId": "", "ssoConnectorId": "connector", "detail": {}}
    account = account_of(ssoIdentities=[identity])

    assert objection(proof_of(info={"id": ""}), account) is Refusal.NOT_LINKED


def test_an_identity_that_came_through_another_connector_with_our_issuer_counts() -> None:
    identity = {"issuer": ISSUER, "identityId": "sub-1", "ssoConnectorId": "older", "detail": {}}

    assert objection(proof_of(), account_of(ssoIdentities=[identity])) is None


def test_a_suspended_account_is_refused() -> None:
    assert objection(proof_of(), account_of(isSuspended=True)) is Refusal.SUSPENDED


@pytest.mark.parametrize(
    "changes",
    [
        {"connector_id": "another"},
        {"issuer": "https://login.evil.example"},
        {"client_id": "another"},
        {"scopes": "openid"},
        {"created_at": datetime(2026, 1, 2, tzinfo=UTC)},
    ],
)
def test_the_revision_changes_with_the_provider(changes: dict[str, Any]) -> None:
    assert revision_of(replace(CONNECTION, **changes)) != revision_of(CONNECTION)


def test_the_revision_stays_when_other_settings_change() -> None:
    changed = replace(CONNECTION, domains=("corp.example",), joins=True, name="Other")

    assert revision_of(changed) == revision_of(CONNECTION)
