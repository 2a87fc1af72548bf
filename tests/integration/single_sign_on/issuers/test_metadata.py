"""Which providers are accepted, by what they publish."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest
from aiohttp import web

from saas_app.db.kept_connection import Kept, KeptConnection
from saas_app.single_sign_on.issuers import IssuerFault, IssuerInspector, ProviderMetadata
from saas_app.single_sign_on.provider_addresses import Endpoint
from saas_app.single_sign_on.visits import ProviderVisits
from tests.integration.single_sign_on.issuers.conftest import (
    HOST,
    KEYS,
    METADATA,
    PUBLIC,
    SIGNING_KEY,
    Certificates,
    Inspect,
    Internet,
    PublishingProvider,
    Refuse,
)

pytestmark = pytest.mark.one_database


async def test_a_provider_is_described(publisher: PublishingProvider, inspect: Inspect) -> None:
    publisher.metadata["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    publisher.metadata["authorization_response_iss_parameter_supported"] = True

    metadata = await inspect(publisher.issuer)

    assert metadata == ProviderMetadata(
        issuer=publisher.issuer,
        authorization_endpoint=Endpoint(f"{publisher.issuer}/authorize", HOST),
        token_endpoint=Endpoint(f"{publisher.issuer}/token", HOST),
        jwks_uri=Endpoint(f"{publisher.issuer}{KEYS}", HOST),
        userinfo_endpoint=Endpoint(f"{publisher.issuer}/userinfo", HOST),
        scopes_supported=("openid", "email", "groups"),
        claims_supported=("sub", "email", "groups"),
        token_auth_methods=("client_secret_post",),
        names_itself=True,
    )


async def test_a_published_issuer_may_end_in_a_slash(publisher: PublishingProvider, inspect: Inspect) -> None:
    publisher.metadata["issuer"] = f"{publisher.issuer}/"

    assert (await inspect(publisher.issuer)).issuer == f"{publisher.issuer}/"


async def test_a_provider_need_not_say_what_it_supports(
    publisher: PublishingProvider, inspect: Inspect
) -> None:
    for member in list(publisher.metadata):
        if member.endswith("_supported") or member == "userinfo_endpoint":
            del publisher.metadata[member]

    metadata = await inspect(publisher.issuer)

    assert metadata.userinfo_endpoint is None
    assert metadata.scopes_supported == metadata.claims_supported == ()


async def test_only_short_texts_are_shown(publisher: PublishingProvider, inspect: Inspect) -> None:
    publisher.metadata["scopes_supported"] = ["openid", 7, "", "x" * 101, "openid", *map(str, range(200))]
    publisher.metadata["claims_supported"] = "email"

    metadata = await inspect(publisher.issuer)

    assert metadata.scopes_supported == ("openid", *map(str, range(99)))
    assert metadata.claims_supported == ()


async def test_a_request_says_nothing_about_this_server(
    publisher: PublishingProvider, inspect: Inspect, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def with_cookie(_request: web.Request) -> web.StreamResponse:
        response = web.json_response(publisher.metadata)
        response.set_cookie("visitor", "1")
        return response

    publisher.answers[METADATA] = with_cookie

    await inspect(publisher.issuer)

    assert publisher.paths == [METADATA, KEYS]
    for request in publisher.received:
        assert request.headers["User-Agent"] == "Workroom"
        assert request.headers["Accept-Encoding"] == "identity"
        assert not {"Cookie", "Authorization", "Referer"} & set(request.headers)


async def test_an_inspection_uses_no_proxy_of_the_environment(
    publisher: PublishingProvider,
    inspect: Inspect,
    internet: Internet,
    private_service: tuple[int, list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port, connected = private_service
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{port}")

    await inspect(publisher.issuer)

    assert connected == []
    assert internet.connected == [PUBLIC, PUBLIC]


@pytest.mark.parametrize(
    "issuer",
    ["https://accounts.example.com", "{issuer}//", "{issuer}/tenant", "HTTPS://{host}", "", None, 7],
)
async def test_the_metadata_of_another_issuer_is_refused(
    publisher: PublishingProvider, refuse: Refuse, issuer: Any
) -> None:
    if isinstance(issuer, str):
        issuer = issuer.format(issuer=publisher.issuer, host=publisher.issuer.removeprefix("https://"))
    publisher.metadata["issuer"] = issuer

    refused = await refuse(publisher.issuer)

    assert refused.kind == IssuerFault.OTHER_ISSUER
    assert f"{publisher.issuer}{METADATA}" in refused.reason


@pytest.mark.parametrize("member", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
async def test_a_provider_without_an_endpoint_is_refused(
    publisher: PublishingProvider, refuse: Refuse, member: str
) -> None:
    del publisher.metadata[member]

    assert (await refuse(publisher.issuer)).kind == IssuerFault.ENDPOINT


@pytest.mark.parametrize("types", [[], ["id_token"], ["code id_token"], "code", 7])
async def test_a_provider_without_the_code_flow_is_refused(
    publisher: PublishingProvider, refuse: Refuse, types: Any
) -> None:
    publisher.metadata["response_types_supported"] = types

    refused = await refuse(publisher.issuer)

    assert refused.kind == IssuerFault.NO_CODE_FLOW
    assert "authorization code flow" in refused.reason


@pytest.mark.parametrize("algorithms", [[], ["none"], ["HS256", "HS512", "none"], "RS256", ["RS1"], [None]])
async def test_a_provider_that_signs_with_no_public_key_is_refused(
    publisher: PublishingProvider, refuse: Refuse, algorithms: Any
) -> None:
    publisher.metadata["id_token_signing_alg_values_supported"] = algorithms

    assert (await refuse(publisher.issuer)).kind == IssuerFault.NO_ALGORITHM


@pytest.mark.parametrize("algorithm", ["RS256", "PS384", "ES512", "ES256K", "EdDSA"])
async def test_every_kind_of_public_key_is_fine(
    publisher: PublishingProvider, inspect: Inspect, algorithm: str
) -> None:
    publisher.metadata["id_token_signing_alg_values_supported"] = ["HS256", algorithm]

    await inspect(publisher.issuer)


@pytest.mark.parametrize(
    "keys",
    [
        None,
        {},
        [],
        ["key"],
        [{"kty": "oct", "k": "c2VjcmV0"}],
        [{**SIGNING_KEY, "use": "enc"}],
        [{**SIGNING_KEY, "d": "c2VjcmV0"}],
        [{"kty": "EC", "crv": "P-256", "x": "eA"}],
        [{"kty": "RSA", "n": "", "e": "AQAB"}],
        [{"kty": "RSA", "n": 7, "e": "AQAB"}],
        [{"n": "eA", "e": "AQAB"}],
    ],
)
async def test_a_provider_without_a_key_for_signatures_is_refused(
    publisher: PublishingProvider, refuse: Refuse, keys: Any
) -> None:
    publisher.keys = {"keys": keys}

    refused = await refuse(publisher.issuer)

    assert refused.kind == IssuerFault.NO_KEY
    assert "signing keys" in refused.reason


@pytest.mark.parametrize(
    "key", [{"kty": "RSA", "n": "eA", "e": "AQAB"}, {"kty": "OKP", "crv": "Ed25519", "x": "eA"}, SIGNING_KEY]
)
async def test_one_key_for_signatures_is_enough(
    publisher: PublishingProvider, inspect: Inspect, key: dict[str, str]
) -> None:
    publisher.keys = {"keys": [{**SIGNING_KEY, "use": "enc"}, key]}

    await inspect(publisher.issuer)


async def test_a_request_keeps_no_database_connection_while_it_waits(
    publisher: PublishingProvider, certificates: Certificates
) -> None:
    connection = Mock()
    returned_before_waiting: list[bool] = []

    async def look_up(_host: str) -> list[str]:
        returned_before_waiting.append(connection.close.called)
        return [PUBLIC]

    inspector = IssuerInspector(ProviderVisits(allows_private=False, look_up=look_up, tls=certificates[1]))
    async with KeptConnection() as kept:
        await kept.take(connection.engine)
        kept.put(Kept(connection, Mock()))

        await inspector.inspect(publisher.issuer)

    assert returned_before_waiting == [True]
