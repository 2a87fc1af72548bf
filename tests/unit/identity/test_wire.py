"""A record of an exchange holds no secret, whatever the provider returns."""

from __future__ import annotations

import json

import pytest

from saas_app.identity.wire import record_exchange, recorded

SECRET = "s3cr3t"


@pytest.mark.parametrize(
    ("form", "answer"),
    [
        ({"client_secret": SECRET, "refresh_token": SECRET}, {"access_token": SECRET, "id_token": SECRET}),
        ({}, {"error": "invalid_grant", "details": {"refresh_token": SECRET}}),
        ({}, {"device_secret": SECRET, "registration_access_token": SECRET}),
        ({"client_assertion": SECRET, "actor_token": SECRET, "password": SECRET}, {}),
        ({}, [SECRET]),
    ],
)
def test_a_secret_is_replaced(form: dict[str, str], answer: object) -> None:
    with recorded() as exchanges:
        record_exchange("https://logto.example/oidc/token", form, 200, answer)

    assert SECRET not in json.dumps(exchanges[0].as_json())
    assert SECRET not in repr(exchanges[0])


def test_what_is_no_secret_is_shown() -> None:
    form = {"grant_type": "refresh_token", "scope": "projects:read"}
    answer = {
        "token_type": "Bearer",
        "expires_in": 3600,
        "scope": "projects:read",
        "code": "oidc.access_denied",
    }
    with recorded() as exchanges:
        record_exchange("https://logto.example/oidc/token", form, 400, answer)

    assert dict(exchanges[0].form) == form
    assert dict(exchanges[0].answer) == answer
