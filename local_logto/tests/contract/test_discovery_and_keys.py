"""Discovery, keys, and unknown routes below ``/oidc``."""

from __future__ import annotations

import aiohttp
import jwt
import pytest

from contract.client import decode
from contract.conftest import Server
from contract.fixtures import LikeRecording
from contract.oidc import Oidc, Tokens
from contract.recordings import load

DISCOVERY = "/oidc/.well-known/openid-configuration"
ENDPOINTS = {
    "authorization_endpoint": "/oidc/auth",
    "token_endpoint": "/oidc/token",
    "userinfo_endpoint": "/oidc/me",
    "jwks_uri": "/oidc/jwks",
    "end_session_endpoint": "/oidc/session/end",
    "introspection_endpoint": "/oidc/token/introspection",
    "revocation_endpoint": "/oidc/token/revocation",
    "device_authorization_endpoint": "/oidc/device/auth",
    "pushed_authorization_request_endpoint": "/oidc/request",
}


async def test_discovery_has_the_recorded_members(oidc: Oidc, like_recording: LikeRecording) -> None:
    like_recording("448-discovery-released", await oidc.send("GET", DISCOVERY))


async def test_constants_of_discovery_are_as_recorded(oidc: Oidc) -> None:
    document = (await oidc.send("GET", DISCOVERY)).expect(200).body
    recorded = load("448-discovery-released")["response"]["body"]
    constants = {name for name in recorded if name not in ENDPOINTS and name != "issuer"}
    assert {name: document[name] for name in constants} == {name: recorded[name] for name in constants}


async def test_issuer_is_the_endpoint_with_oidc_and_no_trailing_slash(oidc: Oidc) -> None:
    document = (await oidc.send("GET", DISCOVERY)).body
    assert document["issuer"] == f"{oidc.endpoint}/oidc"


async def test_endpoints_have_the_servers_name_in_the_request(
    http: aiohttp.ClientSession, server: Server
) -> None:
    if "://localhost:" not in server.endpoint:
        pytest.skip("the named Logto may have only one host name")
    elsewhere = Oidc(http, server.endpoint.replace("://localhost:", "://127.0.0.1:"))
    document = (await elsewhere.send("GET", DISCOVERY)).expect(200).body
    assert document["issuer"] == f"{server.endpoint}/oidc"
    assert document["token_endpoint"] == f"{elsewhere.endpoint}/oidc/token"


@pytest.mark.parametrize("member", sorted(ENDPOINTS))
async def test_endpoints_are_at_their_usual_paths(oidc: Oidc, member: str) -> None:
    document = (await oidc.send("GET", DISCOVERY)).body
    assert document[member] == f"{oidc.endpoint}{ENDPOINTS[member]}"


async def test_oauth_metadata_is_the_same_document(oidc: Oidc) -> None:
    openid = await oidc.send("GET", DISCOVERY)
    oauth = await oidc.send("GET", "/oidc/.well-known/oauth-authorization-server")
    assert oauth.expect(200).body == openid.body


@pytest.mark.parametrize("member", ["registration_endpoint", "check_session_iframe", "acr_values_supported"])
async def test_discovery_omits_what_logto_lacks(oidc: Oidc, member: str) -> None:
    assert member not in (await oidc.send("GET", DISCOVERY)).body


async def test_keys_have_the_recorded_members(oidc: Oidc, like_recording: LikeRecording) -> None:
    like_recording("01-jwks", await oidc.send("GET", "/oidc/jwks"))


async def test_keys_are_public_p384_signing_keys(oidc: Oidc) -> None:
    for key in (await oidc.send("GET", "/oidc/jwks")).body["keys"]:
        assert (key["kty"], key["crv"], key["use"], key["alg"]) == ("EC", "P-384", "sig", "ES384")
        assert "d" not in key


async def test_id_token_verifies_against_the_key_that_its_header_names(oidc: Oidc, alice: Tokens) -> None:
    token = alice.reply.body["id_token"]
    keys = jwt.PyJWKSet.from_dict((await oidc.send("GET", "/oidc/jwks")).body)
    key = keys[decode(token).header["kid"]]
    claims = jwt.decode(token, key, algorithms=["ES384"], audience=alice.app.id, issuer=oidc.issuer)
    assert claims["sub"]


async def test_refusal_of_an_unknown_route_names_it(oidc: Oidc) -> None:
    reply = (await oidc.send("GET", "/oidc/nowhere")).expect(404)
    assert reply.body["code"] == "oidc.invalid_request"
    assert reply.body["error"] == "invalid_request"
    assert reply.body["error_description"] == ("unrecognized route or not allowed method (GET on /nowhere)")


async def test_wrong_method_is_refused_like_an_unknown_route(oidc: Oidc) -> None:
    reply = (await oidc.send("GET", "/oidc/token")).expect(404)
    assert reply.body["error_description"] == "unrecognized route or not allowed method (GET on /token)"


async def test_status_needs_no_token(oidc: Oidc) -> None:
    assert (await oidc.send("GET", "/api/status")).status == 204
