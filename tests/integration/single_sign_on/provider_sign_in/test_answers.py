"""Which answers of a company's provider are believed: who sent them, and who may redeem the code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from local_logto.fakes.openid import new_key

from saas_app.single_sign_on.broker.provider_sign_in import IssuerRefused
from saas_app.single_sign_on.checked_hosts import IssuerFault
from tests.integration.single_sign_on.provider_sign_in.conftest import Journey

pytestmark = pytest.mark.one_database

NAMES_ITSELF = {"authorization_response_iss_parameter_supported": True}


# --- The issuer that the answer names (RFC 9207)


async def test_an_answer_of_another_issuer_is_refused_before_the_code_is_sent(journey: Journey) -> None:
    refused = await journey.refuse(issuer="https://login.other.example")

    assert refused.kind == "answer of another issuer"
    assert "/token" not in journey.paths


@pytest.mark.parametrize("issuer", ["", "{issuer}/", "{issuer}/x"])
async def test_the_issuer_of_the_answer_is_exactly_the_published_one(journey: Journey, issuer: str) -> None:
    refused = await journey.refuse(issuer=issuer.format(issuer=journey.provider.issuer))

    assert refused.kind == "answer of another issuer"


async def test_an_answer_may_name_no_issuer(journey: Journey) -> None:
    assert (await journey.finish(issuer=None))["sub"] == "maria"


@pytest.mark.parametrize("promise", [False, None, "true", 1])
async def test_an_unclear_promise_to_name_the_issuer_is_none(journey: Journey, promise: Any) -> None:
    journey.provider.metadata = {"authorization_response_iss_parameter_supported": promise}

    assert (await journey.finish(issuer=None))["sub"] == "maria"


async def test_an_answer_names_its_issuer_where_the_provider_promises_it(journey: Journey) -> None:
    journey.provider.metadata = NAMES_ITSELF

    assert (await journey.refuse(issuer=None)).kind == "answer of another issuer"


async def test_an_answer_that_names_its_issuer_as_promised_is_accepted(journey: Journey) -> None:
    journey.provider.metadata = NAMES_ITSELF

    assert (await journey.finish())["sub"] == "maria"


async def test_a_provider_that_publishes_another_issuer_later_is_refused(journey: Journey) -> None:
    returned = await journey.go()
    journey.provider.pretends_to_be = "https://login.other.example"

    with pytest.raises(IssuerRefused) as refused:
        await journey.sign_in.come_back(journey.client, returned)

    assert refused.value.kind == IssuerFault.OTHER_ISSUER


# --- The code


async def test_a_code_without_its_verifier_is_refused(journey: Journey) -> None:
    refused = await journey.refuse(code_verifier="of another sign-in")

    assert refused.kind == "token endpoint: invalid_grant"
    assert "Start again" in refused.reason


async def test_a_code_is_redeemed_once(journey: Journey) -> None:
    returned = await journey.go()
    await journey.sign_in.come_back(journey.client, returned)

    assert (await journey.refuse(code=returned.code)).kind == "token endpoint: invalid_grant"


async def test_a_code_for_another_redirect_uri_is_refused(journey: Journey) -> None:
    refused = await journey.refuse(redirect_uri="https://app.example.com/other")

    assert refused.kind == "token endpoint: invalid_grant"
    assert "redirect URI" in refused.reason


# --- Who we are


async def test_a_wrong_secret_is_explained(journey: Journey) -> None:
    journey.provider.client_secret = "another"

    refused = await journey.refuse()

    assert refused.kind == "token endpoint: invalid_client"
    assert "client ID or client secret" in refused.reason


@pytest.mark.parametrize(
    "methods",
    [
        None,
        ["client_secret_basic"],
        ["private_key_jwt", "client_secret_post", "client_secret_basic"],
    ],
)
async def test_the_secret_is_sent_in_the_header(journey: Journey, methods: list[str] | None) -> None:
    if methods:
        journey.provider.metadata = {"token_endpoint_auth_methods_supported": methods}

    await journey.finish()

    (sent,) = journey.requests("/token")
    assert sent.credentials == (journey.client.client_id, journey.client.client_secret)
    assert set(sent.form) == {"grant_type", "code", "redirect_uri", "code_verifier"}


async def test_the_secret_is_sent_in_the_form_if_the_provider_wants_it_there(journey: Journey) -> None:
    journey.provider.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}

    await journey.finish()

    (sent,) = journey.requests("/token")
    assert sent.header("Authorization") == ""
    assert sent.form["client_id"] == journey.client.client_id
    assert sent.form["client_secret"] == journey.client.client_secret


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_a_secret_may_contain_anything(journey: Journey, method: str) -> None:
    names = {"client_id": "work:room +1", "client_secret": "s:e+c %r/e&t=~ü"}
    journey.provider.client_id, journey.provider.client_secret = names.values()
    journey.provider.metadata = {"token_endpoint_auth_methods_supported": [method]}
    journey.client = replace(journey.client, **names)

    assert (await journey.finish())["sub"] == "maria"


# --- The ID token: the rest is in tests/unit/single_sign_on/test_id_tokens.py


async def test_an_id_token_of_another_sign_in_is_refused(journey: Journey) -> None:
    assert (await journey.refuse(nonce="of another sign-in")).kind == "ID token: nonce"


@pytest.mark.parametrize(
    ("claims", "kind"),
    [
        ({"iss": "https://login.other.example"}, "InvalidIssuerError"),
        ({"aud": "another-client"}, "InvalidAudienceError"),
        ({"exp": 1}, "time"),
    ],
)
async def test_an_id_token_with_a_wrong_claim_is_refused(
    journey: Journey, claims: dict[str, object], kind: str
) -> None:
    journey.provider.id_token = claims

    refused = await journey.refuse()

    assert refused.kind == f"ID token: {kind}"
    assert "/me" not in journey.paths


async def test_an_id_token_has_the_published_issuer_with_its_slash(journey: Journey) -> None:
    journey.provider.pretends_to_be = f"{journey.provider.issuer}/"
    journey.provider.id_token = {"iss": journey.provider.issuer}

    assert (await journey.refuse()).kind == "ID token: InvalidIssuerError"


async def test_an_id_token_of_an_unpublished_key_is_refused(journey: Journey) -> None:
    journey.provider.signs_with = new_key()

    assert (await journey.refuse()).kind == "ID token: InvalidSignatureError"


async def test_a_key_that_the_provider_has_just_changed_is_known(journey: Journey) -> None:
    returned = await journey.go()
    journey.provider.key = journey.provider.signs_with = new_key()

    assert (await journey.sign_in.come_back(journey.client, returned))["sub"] == "maria"


async def test_an_unsigned_id_token_is_refused(journey: Journey) -> None:
    journey.provider.token_header = {"alg": "none"}

    assert (await journey.refuse()).kind == "ID token: algorithm"


async def test_all_texts_are_cleaned(journey: Journey) -> None:
    journey.provider.id_token = {"name": "Ma\x07ria", "department": "Re\x00search"}
    journey.provider.userinfo = {"name": "Ma\x07ria", "groups": ["st\x07aff"]}

    claims = await journey.finish()

    assert (claims["name"], claims["department"], claims["groups"]) == ("Maria", "Research", ["staff"])
