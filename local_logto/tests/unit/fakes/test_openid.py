"""The fake OpenID provider, compared with OpenID Connect, and how tests make it misbehave."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import jwt
import pytest

from local_logto.fakes.openid import CLIENT_ID, CLIENT_SECRET, FakeOpenId, OpenIdPerson, fake_openid, new_key

CALLBACK = "http://localhost:3001/callback/corp00000001"
ASKED = {
    "client_id": CLIENT_ID,
    "redirect_uri": CALLBACK,
    "response_type": "code",
    "scope": "openid email",
    "state": "st a&te",
    "nonce": "once",
}
MARIA = OpenIdPerson("maria", {"email": "maria@corp.example", "email_verified": True})
CREDENTIALS = {"Authorization": aiohttp.encode_basic_auth(CLIENT_ID, CLIENT_SECRET)}


@pytest.fixture
async def provider() -> AsyncIterator[FakeOpenId]:
    async with fake_openid() as running:
        running.person = MARIA
        yield running


@pytest.fixture
async def client(provider: FakeOpenId) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(provider.base_url) as opened:
        yield opened


async def authorize(client: aiohttp.ClientSession, **changes: str) -> dict[str, str]:
    """Send an authorization request. Returns the parameters of the callback."""
    async with client.get("/auth", params={**ASKED, **changes}, allow_redirects=False) as answer:
        assert answer.status == 302
        return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


async def redeem(client: aiohttp.ClientSession, code: str, **changes: str) -> tuple[int, Any]:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, **changes}
    async with client.post("/token", data=form, headers=CREDENTIALS) as answer:
        return answer.status, await answer.json()


async def tokens_of(client: aiohttp.ClientSession) -> dict[str, str]:
    status, tokens = await redeem(client, (await authorize(client))["code"])
    assert status == 200
    return dict(tokens)


async def read(client: aiohttp.ClientSession, path: str, token: str = "") -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with client.get(path, headers=headers) as answer:
        return answer.status, await answer.json()


async def test_code_comes_back_with_the_state(provider: FakeOpenId, client: aiohttp.ClientSession) -> None:
    back = await authorize(client)
    assert (back["state"], back["iss"]) == ("st a&te", provider.issuer)
    assert back["code"]


@pytest.mark.parametrize("changes", [{"client_id": "another"}, {"scope": "profile"}])
async def test_request_of_an_unknown_client_stays_at_the_provider(
    client: aiohttp.ClientSession, changes: dict[str, str]
) -> None:
    async with client.get("/auth", params={**ASKED, **changes}, allow_redirects=False) as answer:
        assert answer.status == 400


async def test_id_token_verifies_with_the_published_key(
    provider: FakeOpenId, client: aiohttp.ClientSession
) -> None:
    _, published = await read(client, "/jwks")
    assert "d" not in published["keys"][0]
    key = jwt.PyJWK(published["keys"][0])
    token = (await tokens_of(client))["id_token"]
    claims = jwt.decode(token, key, algorithms=["ES256"], audience=CLIENT_ID, issuer=provider.issuer)
    assert (claims["sub"], claims["nonce"], claims["email"]) == ("maria", "once", "maria@corp.example")


async def test_access_token_reads_the_claims(client: aiohttp.ClientSession) -> None:
    tokens = await tokens_of(client)
    expected = {"sub": "maria", "email": "maria@corp.example", "email_verified": True}
    assert await read(client, "/me", tokens["access_token"]) == (200, expected)
    assert (await read(client, "/me", "another"))[0] == 401


async def test_code_is_redeemed_once_and_for_its_callback(client: aiohttp.ClientSession) -> None:
    code = (await authorize(client))["code"]
    assert (await redeem(client, code))[0] == 200
    assert await redeem(client, code) == (400, {"error": "invalid_grant"})
    other = (await authorize(client))["code"]
    assert (await redeem(client, other, redirect_uri="http://localhost/other"))[0] == 400


async def test_wrong_secret_is_refused(provider: FakeOpenId, client: aiohttp.ClientSession) -> None:
    code = (await authorize(client))["code"]
    provider.client_secret = "another"
    assert await redeem(client, code) == (401, {"error": "invalid_client"})


async def test_metadata_and_claims_can_be_replaced(
    provider: FakeOpenId, client: aiohttp.ClientSession
) -> None:
    provider.metadata = {"issuer": "https://other.example", "userinfo_endpoint": None}
    _, metadata = await read(client, "/.well-known/openid-configuration")
    assert metadata["issuer"] == "https://other.example"
    assert "userinfo_endpoint" not in metadata
    provider.id_token = {"aud": "another", "nonce": None}
    provider.signs_with = new_key()
    token = (await tokens_of(client))["id_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["aud"] == "another"
    assert "nonce" not in claims
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, jwt.PyJWK((await read(client, "/jwks"))[1]["keys"][0]), algorithms=["ES256"])


async def test_another_issuer_is_named_everywhere(
    provider: FakeOpenId, client: aiohttp.ClientSession
) -> None:
    provider.pretends_to_be = "https://other.example"
    _, metadata = await read(client, "/.well-known/openid-configuration")
    assert metadata["issuer"] == "https://other.example"
    assert metadata["token_endpoint"] == f"{provider.base_url}/token"
    assert (await authorize(client))["iss"] == "https://other.example"
    token = (await tokens_of(client))["id_token"]
    assert jwt.decode(token, options={"verify_signature": False})["iss"] == "https://other.example"


async def test_each_person_has_any_claims(provider: FakeOpenId, client: aiohttp.ClientSession) -> None:
    claims = {"email": "boss@another.example", "email_verified": False, "groups": ["staff", "admins"]}
    provider.person = OpenIdPerson("mallory", claims)
    tokens = await tokens_of(client)
    provider.person = MARIA
    assert await read(client, "/me", tokens["access_token"]) == (200, {"sub": "mallory", **claims})
    told = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert (told["email_verified"], told["groups"]) == (False, ["staff", "admins"])


async def test_code_with_a_challenge_needs_its_verifier(client: aiohttp.ClientSession) -> None:
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # RFC 7636, appendix B
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    code = (await authorize(client, code_challenge=challenge))["code"]
    assert await redeem(client, code, code_verifier="another") == (400, {"error": "invalid_grant"})
    code = (await authorize(client, code_challenge=challenge))["code"]
    assert (await redeem(client, code, code_verifier=verifier))[0] == 200


async def test_metadata_decides_where_the_secret_is(
    provider: FakeOpenId, client: aiohttp.ClientSession
) -> None:
    provider.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    code = (await authorize(client))["code"]
    assert (await redeem(client, code))[0] == 401
    assert (await redeem(client, code, client_id=CLIENT_ID, client_secret=CLIENT_SECRET))[0] == 200


async def test_answers_can_be_replaced(provider: FakeOpenId, client: aiohttp.ClientSession) -> None:
    provider.tokens = {"token_type": "DPoP", "expires_in": None}
    provider.userinfo = {"sub": "boss", "email_verified": None}
    tokens = await tokens_of(client)
    assert (tokens["token_type"], "expires_in" in tokens) == ("DPoP", False)
    assert await read(client, "/me", tokens["access_token"]) == (
        200,
        {"sub": "boss", "email": MARIA.claims["email"]},
    )


async def test_userinfo_can_be_signed(provider: FakeOpenId, client: aiohttp.ClientSession) -> None:
    provider.signs_userinfo = True
    token = (await tokens_of(client))["access_token"]
    async with client.get("/me", headers={"Authorization": f"Bearer {token}"}) as answer:
        assert answer.content_type == "application/jwt"
        key = jwt.PyJWK((await read(client, "/jwks"))[1]["keys"][0])
        assert jwt.decode(await answer.text(), key, algorithms=["ES256"])["sub"] == "maria"
