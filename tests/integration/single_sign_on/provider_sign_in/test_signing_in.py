"""What a company's provider says about a person who signed in there."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.integration.single_sign_on.provider_sign_in.conftest import MARIA, REDIRECT_URI, Journey

pytestmark = pytest.mark.one_database


async def test_the_browser_takes_along_what_the_provider_needs(journey: Journey) -> None:
    departure = await journey.sign_in.depart(
        journey.client, redirect_uri=REDIRECT_URI, state="st a&te", prompt="login"
    )

    assert departure.url.startswith(f"{journey.provider.base_url}/auth?")
    query = dict(parse_qsl(urlsplit(departure.url).query))
    assert len(query.pop("code_challenge")) == 43
    assert query == {
        "response_type": "code",
        "client_id": journey.client.client_id,
        "redirect_uri": REDIRECT_URI,
        "scope": "openid profile email",
        "state": "st a&te",
        "nonce": departure.nonce,
        "code_challenge_method": "S256",
        "prompt": "login",
    }


async def test_the_person_is_described(journey: Journey) -> None:
    claims = await journey.finish()

    assert claims["sub"] == "maria"
    assert claims["iss"] == journey.provider.issuer
    assert {name: claims[name] for name in MARIA.claims} == MARIA.claims
    assert journey.answer["state"] == "st a&te"


async def test_each_departure_is_unlike_any_other(journey: Journey) -> None:
    departures = [
        await journey.sign_in.depart(journey.client, redirect_uri=REDIRECT_URI, state="s") for _ in range(2)
    ]

    for name in ("nonce", "code_verifier"):
        values = [getattr(departure, name) for departure in departures]
        assert len(set(values)) == 2
        assert min(map(len, values)) >= 32


async def test_the_query_of_the_authorization_endpoint_stays(journey: Journey) -> None:
    journey.provider.metadata = {"authorization_endpoint": f"{journey.provider.base_url}/auth?policy=1"}

    departure = await journey.sign_in.depart(journey.client, redirect_uri=REDIRECT_URI, state="s")

    assert departure.url.startswith(f"{journey.provider.base_url}/auth?policy=1&response_type=code&")
    assert "prompt" not in departure.url


async def test_the_issuer_may_be_published_with_a_final_slash(journey: Journey) -> None:
    journey.provider.pretends_to_be = f"{journey.provider.issuer}/"

    assert (await journey.finish())["iss"] == f"{journey.provider.issuer}/"
