"""How Logto knows the broker: addresses, client and secret."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from saas_app.identity.vault import Vault
from saas_app.logto import SsoConnector
from saas_app.single_sign_on.broker.registration import Registration

OLD, NEW = (SecretStr(Fernet.generate_key().decode()) for _ in range(2))


def registration(*keys: SecretStr, logto: str = "https://logto.example") -> Registration:
    return Registration("https://app.example", logto, Vault(keys or [OLD]))


def connector(**changes: Any) -> SsoConnector:
    """Return a connector as it should be in Logto, with changes."""
    ours = registration()
    config = {"issuer": ours.issuer("c1"), "clientId": "c1", "clientSecret": ours.secret("c1"), **changes}
    return SsoConnector.read({"id": "c1", "connectorName": "Workroom acme", "config": config})


@pytest.mark.parametrize("logto", ["https://logto.example", "https://logto.example/"])
def test_the_callback_at_logto(logto: str) -> None:
    assert registration(logto=logto).logto_callback("c1") == "https://logto.example/callback/c1"


def test_our_addresses_are_below_the_issuer_of_the_connector() -> None:
    assert registration().issuer("c1") == "https://app.example/sso/c1"
    assert registration().redirect_uri("c1") == "https://app.example/sso/c1/callback"


def test_an_answer_carries_what_logto_sent_unchanged() -> None:
    answer = registration().answer("c1", "code", "a b&iss=https://evil.example")

    assert answer == (
        "https://logto.example/callback/c1?code=code&state=a+b%26iss%3Dhttps%3A%2F%2Fevil.example"
        "&iss=https%3A%2F%2Fapp.example%2Fsso%2Fc1"
    )


def test_each_connector_has_a_secret_of_its_own() -> None:
    ours = registration()

    assert ours.is_secret("c1", ours.secret("c1"))
    assert not ours.is_secret("c2", ours.secret("c1"))


@pytest.mark.parametrize("secret", ["", ".", "x", "é\ud800", "c1", "\x00"])
def test_nothing_else_is_the_secret(secret: str) -> None:
    assert not registration().is_secret("c1", secret)


def test_parts_of_a_connectors_id_in_the_secret_do_not_count() -> None:
    ours = registration()

    assert not ours.is_secret("c1", f"x.{ours.secret('c1.x')}")


def test_a_secret_from_before_a_rotation_counts_and_is_not_the_present_one() -> None:
    rotated = registration(NEW, OLD)
    old = registration(OLD).secret("c1")

    assert rotated.is_secret("c1", old)
    assert rotated.secret("c1") != old


def test_a_secret_of_a_key_that_was_removed_does_not_count() -> None:
    assert not registration(NEW).is_secret("c1", registration(OLD).secret("c1"))


def test_a_connector_as_it_should_be_is_ours() -> None:
    assert registration().is_ours(connector())


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://login.corp.example"},
        {"issuer": "https://app.example/sso/c2"},
        {"clientId": "c2"},
        {"clientSecret": "old"},
        {"clientSecret": "é"},
        {"clientSecret": ""},
    ],
)
def test_a_connector_that_was_changed_is_not_ours(changes: dict[str, str]) -> None:
    assert not registration().is_ours(connector(**changes))
