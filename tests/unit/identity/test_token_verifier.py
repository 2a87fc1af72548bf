"""JWT checks: signature, algorithm, issuer, audience, type, times and nonce; and when keys are fetched."""

import asyncio
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.utils import base64url_encode

from saas_app.errors import LogtoUnavailable
from saas_app.identity.token_verifier import KeySet, TokenRejected, TokenVerifier
from tests.unit.clock import Clock

ISSUER = "https://id.example.test/oidc"
AUDIENCE = "urn:logto:organization:acme"


class Provider:
    """A stand-in for a provider: counts how often its key set is fetched, and can be down."""

    def __init__(self) -> None:
        self.keys = {"k1": ec.generate_private_key(ec.SECP384R1())}
        self.reads = 0
        self.is_down = False

    async def fetch(self) -> dict[str, Any]:
        self.reads += 1
        await asyncio.sleep(0)
        if self.is_down:
            raise LogtoUnavailable
        return {"keys": [self._public(key_id) for key_id in self.keys]}

    def _public(self, key_id: str) -> dict[str, Any]:
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.keys[key_id].public_key()))
        return {**public, "kid": key_id, "alg": "ES384", "use": "sig"}

    def token(self, key_id: str = "k1", typ: str | None = "at+jwt", **changes: Any) -> str:
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "u1", "iat": now, "exp": now + 600, **changes}
        claims = {name: value for name, value in claims.items() if value is not None}
        headers = {"kid": key_id, "typ": typ}
        return jwt.encode(claims, self.keys[key_id], "ES384", headers=headers)


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def verifier(provider: Provider) -> TokenVerifier:
    return TokenVerifier(ISSUER, KeySet(provider.fetch))


async def test_a_valid_token_returns_its_claims(provider: Provider, verifier: TokenVerifier) -> None:
    claims = await verifier.verify_access_token(provider.token(scope="members:read"), audience=AUDIENCE)
    assert claims["scope"] == "members:read"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.test/oidc"},
        {"aud": "urn:logto:organization:globex"},
        {"aud": [AUDIENCE, "other"]},
        {"exp": int(time.time()) - 3600},
        {"iat": int(time.time()) + 3600},
        {"nbf": int(time.time()) + 3600},
        {"exp": None},
        {"sub": None},
        {"iat": None},
        {"typ": "JWT"},
        {"typ": None},
    ],
    ids=lambda changes: "-".join(changes),  # no times in names: every process must collect the same
)
async def test_a_token_that_is_wrong_in_one_way_is_rejected(
    provider: Provider, verifier: TokenVerifier, changes: dict[str, Any]
) -> None:
    with pytest.raises(TokenRejected):
        await verifier.verify_access_token(provider.token(**changes), audience=AUDIENCE)


async def test_an_unsigned_token_is_rejected(provider: Provider, verifier: TokenVerifier) -> None:
    claims = jwt.decode(provider.token(), options={"verify_signature": False})
    unsigned = jwt.encode(claims, None, "none", headers={"kid": "k1", "typ": "at+jwt"})

    with pytest.raises(TokenRejected):
        await verifier.verify_access_token(unsigned, audience=AUDIENCE)


async def test_hs256_with_the_public_key_as_secret_is_rejected(
    provider: Provider, verifier: TokenVerifier
) -> None:
    public = provider.keys["k1"].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = {"alg": "HS256", "kid": "k1", "typ": "at+jwt"}
    claims = jwt.decode(provider.token(), options={"verify_signature": False})
    body = b".".join(base64url_encode(json.dumps(part).encode()) for part in (header, claims))
    forged = (body + b"." + base64url_encode(hmac.digest(public, body, "sha256"))).decode()

    with pytest.raises(TokenRejected, match="algorithm"):
        await verifier.verify_access_token(forged, audience=AUDIENCE)


async def test_a_token_signed_by_another_key_under_a_known_id_is_rejected(
    provider: Provider, verifier: TokenVerifier
) -> None:
    await verifier.verify_access_token(provider.token(), audience=AUDIENCE)
    provider.keys["k1"] = ec.generate_private_key(ec.SECP384R1())

    with pytest.raises(TokenRejected):
        await verifier.verify_access_token(provider.token(), audience=AUDIENCE)


@pytest.mark.parametrize("nonce", ["ours", None])
async def test_an_id_token_with_the_nonce_of_the_sign_in_is_accepted(
    provider: Provider, verifier: TokenVerifier, nonce: str | None
) -> None:
    token = provider.token(typ=None, aud="app", nonce="ours")

    assert await verifier.verify_id_token(token, client_id="app", nonce=nonce)


@pytest.mark.parametrize("given", ["another", None])
async def test_an_id_token_without_the_nonce_of_the_sign_in_is_rejected(
    provider: Provider, verifier: TokenVerifier, given: str | None
) -> None:
    token = provider.token(typ=None, aud="app", nonce=given)

    with pytest.raises(TokenRejected, match="nonce"):
        await verifier.verify_id_token(token, client_id="app", nonce="ours")


async def test_concurrent_verifications_fetch_the_keys_once(
    provider: Provider, verifier: TokenVerifier
) -> None:
    token = provider.token()
    await asyncio.gather(*(verifier.verify_access_token(token, audience=AUDIENCE) for _ in range(20)))
    assert provider.reads == 1


@pytest.fixture
def clock() -> Clock:
    """The clock of the key sets."""
    return Clock()


@pytest.fixture
async def keys(provider: Provider, clock: Clock) -> KeySet:
    """A key set that was fetched a moment ago and holds the key ``k1``."""
    keys = KeySet(provider.fetch, clock)
    await keys.get_key("k1")
    return keys


async def test_an_unknown_key_is_not_fetched_again_within_seconds(provider: Provider, keys: KeySet) -> None:
    provider.keys["k2"] = ec.generate_private_key(ec.SECP384R1())
    with pytest.raises(TokenRejected):
        await keys.get_key("k2")
    assert provider.reads == 1


async def test_a_new_key_is_fetched_after_some_seconds(
    provider: Provider, keys: KeySet, clock: Clock
) -> None:
    provider.keys["k2"] = ec.generate_private_key(ec.SECP384R1())
    clock.now += 11
    assert (await keys.get_key("k2")).key_id == "k2"
    assert provider.reads == 2


async def test_cached_keys_stay_in_use_while_the_provider_is_down(
    provider: Provider, keys: KeySet, clock: Clock
) -> None:
    clock.now += 7200
    provider.is_down = True
    assert (await keys.get_key("k1")).key_id == "k1"


async def test_an_unknown_key_is_reported_as_unavailable_while_the_provider_is_down(
    provider: Provider, keys: KeySet, clock: Clock
) -> None:
    clock.now += 7200
    provider.is_down = True
    with pytest.raises(LogtoUnavailable):
        await keys.get_key("k2")


async def test_an_old_key_set_is_refreshed_in_the_background(provider: Provider, clock: Clock) -> None:
    was_read = asyncio.Event()

    async def fetch() -> dict[str, Any]:
        document = await provider.fetch()
        was_read.set()
        return document

    keys = KeySet(fetch, clock)
    await keys.get_key("k1")
    was_read.clear()
    clock.now += 3601
    await keys.get_key("k1")
    assert provider.reads == 1  # the old keys answered before the provider did
    await asyncio.wait_for(was_read.wait(), 5)
    assert provider.reads == 2


async def test_a_withdrawn_key_is_rejected_once_the_key_set_has_expired(
    provider: Provider, keys: KeySet, clock: Clock
) -> None:
    provider.keys = {"k2": ec.generate_private_key(ec.SECP384R1())}
    clock.now += 7201
    with pytest.raises(TokenRejected):
        await keys.get_key("k1")


LOGOUT = {"http://schemas.openid.net/event/backchannel-logout": {}}


def logout_token(provider: Provider, typ: str | None = "logout+jwt", **changes: Any) -> str:
    claims: dict[str, Any] = {"aud": "app", "jti": "j1", "sid": "s1", "events": LOGOUT, **changes}
    return provider.token(typ=typ, **claims)


async def test_a_valid_logout_token_returns_its_claims(provider: Provider, verifier: TokenVerifier) -> None:
    claims = await verifier.verify_logout_token(logout_token(provider), client_id="app")

    assert (claims["sub"], claims["sid"], claims["jti"]) == ("u1", "s1", "j1")


@pytest.mark.parametrize("changes", [{"sub": None}, {"sid": None}])
async def test_a_logout_token_may_name_only_the_person_or_only_the_session(
    provider: Provider, verifier: TokenVerifier, changes: dict[str, None]
) -> None:
    await verifier.verify_logout_token(logout_token(provider, **changes), client_id="app")


@pytest.mark.parametrize(
    "changes",
    [
        {"typ": "JWT"},
        {"typ": "at+jwt"},
        {"typ": None},
        {"iss": "https://evil.test/oidc"},
        {"aud": "another"},
        {"aud": ["app", "another"]},
        {"exp": int(time.time()) - 3600},
        {"exp": None},
        {"iat": int(time.time()) - 3600},
        {"iat": int(time.time()) + 3600},
        {"iat": None},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"events": None},
        {"events": {}},
        {"events": [*LOGOUT]},
        {"events": {"http://schemas.openid.net/event/backchannel-logout": True}},
        {"nonce": "n"},
        {"sub": None, "sid": None},
        {"sub": "", "sid": ""},
        {"sub": None, "sid": 7},
    ],
    ids=lambda changes: "-".join(changes),
)
async def test_a_logout_token_that_breaks_the_specification_is_rejected(
    provider: Provider, verifier: TokenVerifier, changes: dict[str, Any]
) -> None:
    with pytest.raises(TokenRejected):
        await verifier.verify_logout_token(logout_token(provider, **changes), client_id="app")
