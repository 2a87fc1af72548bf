"""Which ID tokens of a company's provider are believed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from saas_app.single_sign_on.broker.id_tokens import verify_id_token
from saas_app.single_sign_on.broker.provider_errors import ProviderRefused

ISSUER = "https://login.corp.example/"
CLIENT = "workroom"
NONCE = "once"
EC_KEY = ec.generate_private_key(ec.SECP256R1())
EC_384_KEY = ec.generate_private_key(ec.SECP384R1())
OTHER_EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)
ED_KEY = ed25519.Ed25519PrivateKey.generate()


def published(key: Any, **members: str) -> dict[str, Any]:
    """Return a key as the provider publishes it (RFC 7517)."""
    if isinstance(key, rsa.RSAPrivateKey):
        public = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    elif isinstance(key, ed25519.Ed25519PrivateKey):
        public = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        public = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    public.pop("key_ops", None)
    return {**public, **members}


KEYS = [published(EC_KEY, kid="ec", alg="ES256", use="sig"), published(RSA_KEY, kid="rsa")]


def claims_of(**changes: Any) -> dict[str, Any]:
    """Return the claims of a genuine token, with changes. None removes a claim."""
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "sub": "maria",
        "aud": CLIENT,
        "exp": now + 300,
        "iat": now,
        "nonce": NONCE,
        "email": "maria@corp.example",
    }
    return {name: value for name, value in {**claims, **changes}.items() if value is not None}


def token_of(
    claims: dict[str, Any] | None = None,
    key: Any = EC_KEY,
    algorithm: str = "ES256",
    kid: str | None = "ec",
    **header: Any,
) -> str:
    named = {} if kid is None else {"kid": kid}
    return jwt.encode(claims or claims_of(), key, algorithm, headers={**named, **header})


def forged(header: dict[str, Any], secret: bytes | None) -> str:
    """Return a token that PyJWT would not write: signed with HMAC, or without a ``secret`` not at all."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()) for part in (header, claims_of())]
    signed = b".".join(part.rstrip(b"=") for part in parts)
    mac = hmac.new(secret, signed, hashlib.sha256).digest() if secret else b""
    return f"{signed.decode()}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def verify(token: str, keys: list[dict[str, Any]] = KEYS, nonce: str = NONCE) -> dict[str, Any]:
    return verify_id_token(token, keys, issuer=ISSUER, client_id=CLIENT, nonce=nonce)


def refusal_of(token: str, keys: list[dict[str, Any]] = KEYS, nonce: str = NONCE) -> str:
    """Return why a token is refused, for the log."""
    with pytest.raises(ProviderRefused) as refused:
        verify(token, keys, nonce)
    return refused.value.kind.removeprefix("ID token: ")


# --- Keys and algorithms


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        *((RSA_KEY, name) for name in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")),
        (EC_KEY, "ES256"),
        (EC_384_KEY, "ES384"),
        (ec.generate_private_key(ec.SECP521R1()), "ES512"),
        (ec.generate_private_key(ec.SECP256K1()), "ES256K"),
        (ED_KEY, "EdDSA"),
    ],
)
@pytest.mark.parametrize("says_algorithm", [True, False])
def test_every_kind_of_public_key_verifies(key: Any, algorithm: str, says_algorithm: bool) -> None:
    public = published(key, kid="k", **({"alg": algorithm} if says_algorithm else {}))

    assert verify(token_of(None, key, algorithm, "k"), [public])["sub"] == "maria"


def test_a_token_without_a_key_name_is_verified_with_the_only_key_that_fits() -> None:
    assert verify(token_of(kid=None))["sub"] == "maria"


def test_a_key_without_a_name_verifies_tokens_that_name_none() -> None:
    assert verify(token_of(kid=None), [published(EC_KEY)])["sub"] == "maria"


def test_of_several_keys_the_token_has_to_name_one() -> None:
    keys = [published(EC_KEY, kid="ec"), published(OTHER_EC_KEY, kid="other")]

    assert refusal_of(token_of(kid=None), keys) == "several keys fit"


def test_two_keys_with_one_name_are_refused() -> None:
    keys = [published(EC_KEY, kid="ec"), published(OTHER_EC_KEY, kid="ec")]

    assert refusal_of(token_of(), keys) == "several keys fit"


def test_a_token_that_names_an_unknown_key_is_refused() -> None:
    assert refusal_of(token_of(kid="unknown")) == "no key fits"


def test_a_signature_with_another_key_is_refused() -> None:
    assert refusal_of(token_of(key=OTHER_EC_KEY)) == "InvalidSignatureError"


def test_changed_claims_are_refused() -> None:
    header, _, signature = token_of().split(".")
    changed = token_of(claims_of(sub="boss")).split(".")[1]

    assert refusal_of(f"{header}.{changed}.{signature}") == "InvalidSignatureError"


@pytest.mark.parametrize("algorithm", ["none", "None", "", "HS256", 7, None, ["ES256"]])
def test_an_unsigned_token_is_refused(algorithm: Any) -> None:
    assert refusal_of(forged({"alg": algorithm, "kid": "ec"}, None)) in ("algorithm", "DecodeError")


@pytest.mark.parametrize("kid", ["ec", "rsa", "oct"])
def test_a_public_key_is_not_taken_for_a_secret(kid: str) -> None:
    key = RSA_KEY if kid == "rsa" else EC_KEY
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    encoded = base64.urlsafe_b64encode(pem).decode()
    keys = [*KEYS, {"kty": "oct", "k": encoded, "kid": "oct", "alg": "HS256"}]

    assert refusal_of(forged({"alg": "HS256", "kid": kid}, pem), keys) == "algorithm"


@pytest.mark.parametrize(
    ("key", "algorithm", "public"),
    [
        (RSA_KEY, "RS256", published(EC_KEY)),
        (EC_KEY, "ES256", published(RSA_KEY)),
        (EC_KEY, "ES256", published(EC_384_KEY)),
        (EC_KEY, "ES256", published(ED_KEY)),
        (ED_KEY, "EdDSA", published(EC_KEY)),
        (RSA_KEY, "RS256", published(RSA_KEY, alg="PS256")),
        (RSA_KEY, "PS256", published(RSA_KEY, alg="RS256")),
        (RSA_KEY, "RS256", published(RSA_KEY, alg="RSA-OAEP")),
    ],
)
@pytest.mark.parametrize("kid", ["k", None])
def test_an_algorithm_that_is_not_for_the_key_is_refused(
    key: Any, algorithm: str, public: dict[str, Any], kid: str | None
) -> None:
    assert refusal_of(token_of(None, key, algorithm, kid), [{**public, "kid": "k"}]) == "no key fits"


def test_a_short_rsa_key_is_refused() -> None:
    short = rsa.generate_private_key(65537, 1024)  # noqa: S505
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = token_of(None, short, "RS256", "k")

    assert refusal_of(token, [published(short, kid="k")]) == "InvalidKeyError"


@pytest.mark.parametrize(
    "members", [{"x": "eA"}, {"x": "?"}, {"x": "eA", "y": "eA"}, {"crv": "P-256", "y": "a" * 43}]
)
def test_a_broken_key_is_refused(members: dict[str, str]) -> None:
    assert refusal_of(token_of(), [{**KEYS[0], **members}]) == "InvalidKeyError"


def test_an_unknown_critical_extension_is_refused() -> None:
    assert refusal_of(token_of(crit=["urn:unknown"])) == "InvalidTokenError"


@pytest.mark.parametrize(
    "token",
    ["", "a", "a.b", "a.b.c", "....", "{}.{}.{}", token_of()[:-3], token_of() + ".x", "\udc80", "[" * 9_999],
)
def test_what_is_no_signed_token_is_refused(token: str) -> None:
    assert refusal_of(token)


def test_a_deep_payload_is_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(400):
        deep = {"a": [deep]}

    assert refusal_of(token_of(claims_of(deep=deep))) in ("RecursionError", "DecodeError")


# --- Claims


@pytest.mark.parametrize("claim", ["iss", "sub", "aud", "exp", "iat", "nonce"])
def test_no_claim_may_be_missing(claim: str) -> None:
    assert refusal_of(token_of(claims_of(**{claim: None}))) == "MissingRequiredClaimError"


@pytest.mark.parametrize(
    "issuer",
    ["https://login.corp.example", "https://login.corp.example//", "https://LOGIN.corp.example/", ""],
)
def test_the_issuer_is_exactly_the_published_one(issuer: str) -> None:
    assert refusal_of(token_of(claims_of(iss=issuer))) == "InvalidIssuerError"


@pytest.mark.parametrize("audience", ["other", "WORKROOM", ["other"], [CLIENT, 7], {CLIENT: 1}, 7])
def test_a_token_for_another_client_is_refused(audience: Any) -> None:
    assert refusal_of(token_of(claims_of(aud=audience))) == "InvalidAudienceError"


@pytest.mark.parametrize(
    "parties",
    [
        {"aud": [CLIENT, "other"]},
        {"aud": ["other", CLIENT], "azp": "other"},
        {"azp": "other"},
        {"azp": ""},
        {"azp": [CLIENT]},
        {"aud": [CLIENT], "azp": "other"},
    ],
)
def test_a_token_that_was_issued_to_another_client_is_refused(parties: dict[str, Any]) -> None:
    assert refusal_of(token_of(claims_of(**parties))) == "azp"


@pytest.mark.parametrize(
    "parties", [{"aud": [CLIENT]}, {"azp": CLIENT}, {"aud": ["other", CLIENT], "azp": CLIENT}]
)
def test_a_token_for_us_is_accepted(parties: dict[str, Any]) -> None:
    assert verify(token_of(claims_of(**parties)))["sub"] == "maria"


@pytest.mark.parametrize(
    "times", [{"exp": -90}, {"iat": 90}, {"nbf": 90}, {"iat": -700}, {"iat": -90_000, "exp": 90_000}]
)
def test_a_token_of_another_time_is_refused(times: dict[str, int]) -> None:
    now = int(time.time())

    assert refusal_of(token_of(claims_of(**{name: now + offset for name, offset in times.items()}))) == "time"


@pytest.mark.parametrize("times", [{"exp": -30}, {"iat": 30}, {"nbf": 30}, {"iat": -500}])
def test_clocks_may_differ_a_little(times: dict[str, int]) -> None:
    now = int(time.time())

    assert verify(token_of(claims_of(**{name: now + offset for name, offset in times.items()})))


@pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", ["1", "soon", True, [], {}, float("nan"), float("inf"), -1, 1e300])
def test_what_is_no_time_is_refused(claim: str, value: Any) -> None:
    assert refusal_of(token_of(claims_of(**{claim: value})))


@pytest.mark.parametrize("text", [lambda now: str(now + 100), lambda now: f" {now + 100} "])
def test_a_time_is_a_number_and_no_text(text: Any) -> None:
    assert refusal_of(token_of(claims_of(exp=text(int(time.time()))))) == "exp"


@pytest.mark.parametrize("nonce", ["of another sign-in", "", "ONCE", 7, [NONCE]])
def test_the_nonce_is_the_one_of_the_sign_in(nonce: Any) -> None:
    assert refusal_of(token_of(claims_of(nonce=nonce))) == "nonce"


def test_an_empty_nonce_proves_nothing() -> None:
    assert refusal_of(token_of(claims_of(nonce="")), nonce="") == "nonce"


@pytest.mark.parametrize("subject", ["", " ", "\t", "s" * 256])
def test_a_person_has_a_name_of_reasonable_length(subject: str) -> None:
    assert refusal_of(token_of(claims_of(sub=subject))) == "sub"


@pytest.mark.parametrize("subject", [7, ["maria"], {"id": 1}])
def test_the_name_of_a_person_is_a_text(subject: Any) -> None:
    assert refusal_of(token_of(claims_of(sub=subject))) == "InvalidSubjectError"


def test_a_long_name_of_a_person_is_accepted() -> None:
    assert verify(token_of(claims_of(sub="s" * 255)))["sub"] == "s" * 255


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "ma\x00ria"},
        {"sub\x01": "boss"},
        {"nonce": f"{NONCE}\x00"},
        {"aud\x00": "other"},
        {"azp\x07": ""},
    ],
)
def test_cleaning_turns_nobody_into_somebody_else(claims: dict[str, Any]) -> None:
    assert refusal_of(token_of(claims_of(**claims))) == "unclean text"


def test_all_texts_are_cleaned() -> None:
    told = verify(token_of(claims_of(name="Ma\x00ria", groups=["st\x07aff"], a={"b\x1b": "c\x9b"})))

    assert (told["name"], told["groups"], told["a"]) == ("Maria", ["staff"], {"b": "c"})
