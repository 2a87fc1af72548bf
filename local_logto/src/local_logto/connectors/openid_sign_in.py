"""Signing in at a customer's OpenID provider: where to send the browser, and who came back.

The requests and checks are those of Logto 1.42: the code, the ID token (signature, issuer, audience, times,
nonce), then the userinfo endpoint if there is one. The services of the sign-in pages decide what an identity
means for an account.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry

from local_logto.connectors.camel_case import camel_case
from local_logto.connectors.fetching import NoAnswer, fetch, is_success
from local_logto.connectors.openid import Metadata, OpenIdProvider, ProviderFailure, flattened
from local_logto.connectors.posting import basic_authorization
from local_logto.faults import Issue
from local_logto.values import Flag, OrNull, Shape, Text

_FAILED: Final = "authorization_failed"
_MAYBE: Final = OrNull(Text())
_RETURN: Final = Shape({"code": Text()})
_TOKENS: Final = Shape({"id_token": Text()}, {"access_token": Text()})
_CLAIMS: Final = Shape(
    {"sub": Text()},
    {
        **dict.fromkeys(("name", "email", "phone", "picture", "profile", "nonce"), _MAYBE),
        **dict.fromkeys(("email_verified", "phone_verified"), OrNull(Flag())),
    },
)
_KNOWN: Final = ("sub", "name", "picture", "email", "email_verified", "phone", "phone_verified")
_ALGORITHMS: Final = {  # asymmetric ones, with their type of key
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    **dict.fromkeys(("ES256", "ES384", "ES512"), "EC"),
    "EdDSA": "OKP",
}
_ISSUED_WITHIN: Final = 600  # seconds from now, in either direction


@dataclass(frozen=True)
class OpenIdUser:
    """A person at a provider. ``detail`` is what Logto stores of them. An address counts only if verified."""

    id: str
    detail: Mapping[str, Any]

    @property
    def email(self) -> str | None:
        return self.detail.get("email")

    @property
    def name(self) -> str | None:
        return self.detail.get("name")

    @property
    def avatar(self) -> str | None:
        return self.detail.get("avatar")


@dataclass(frozen=True)
class Visit:
    """One way to the provider and back. The nonce ties the ID token to it."""

    redirect_uri: str
    nonce: str


async def authorization_uri(
    provider: OpenIdProvider, visit: Visit, *, state: str, timeout_seconds: float
) -> str:
    """Return where to send the browser. Raises ``ProviderFailure`` if the metadata can't be fetched."""
    metadata = await provider.discover(timeout_seconds)
    query = {
        "state": state,
        "nonce": visit.nonce,
        "client_id": provider.client_id,
        "response_type": "code",
        "redirect_uri": visit.redirect_uri,
        "scope": provider.requested_scope,
    }
    return f"{metadata.authorization_endpoint}?{urlencode(query)}"


async def read_user(
    provider: OpenIdProvider, visit: Visit, data: Mapping[str, object], *, timeout_seconds: float
) -> OpenIdUser:
    """Return the person who came back with ``data``, in at most ``timeout_seconds``.

    Raises ``ProviderFailure``.
    """
    try:
        async with asyncio.timeout(timeout_seconds):
            metadata = await provider.discover(timeout_seconds)
            tokens = await _exchange(provider, metadata, visit, data, timeout_seconds)
            claims = await _verified_claims(provider, metadata, visit, tokens["id_token"], timeout_seconds)
            if metadata.userinfo_endpoint:
                claims = await _userinfo(metadata.userinfo_endpoint, tokens["access_token"], timeout_seconds)
    except TimeoutError as error:
        raise ProviderFailure(_FAILED, "The provider took too long") from error
    return _user_of(claims, trusts_unverified_email=provider.trusts_unverified_email)


async def _exchange(
    provider: OpenIdProvider,
    metadata: Metadata,
    visit: Visit,
    data: Mapping[str, object],
    timeout_seconds: float,
) -> dict[str, str]:
    issues: list[Issue] = []
    code = _RETURN.check(data, (), issues).get("code")
    if issues:
        facts = {"url": metadata.token_endpoint, "params": dict(data), "error": flattened(issues)}
        raise ProviderFailure("invalid_request_parameters", "The code is missing", **facts)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": visit.redirect_uri}
    headers = {
        "Authorization": basic_authorization(provider.client_id, provider.client_secret),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    body = urlencode(form).encode()
    text = await _answer(
        "Fail to fetch token", "POST", metadata.token_endpoint, headers, timeout_seconds, body
    )
    tokens: dict[str, str] = _parsed(_TOKENS, text, "Invalid token response")
    if "access_token" not in tokens:
        raise ProviderFailure(_FAILED, "The access token is missing from the response.")
    return tokens


async def _verified_claims(
    provider: OpenIdProvider, metadata: Metadata, visit: Visit, token: str, timeout_seconds: float
) -> dict[str, Any]:
    """Return the claims of the ID token after the checks of OIDC Core §3.1.3.7 that Logto makes."""
    unverified = "Fail to verify id_token"
    keys = await _answer(unverified, "GET", metadata.jwks_uri, {}, timeout_seconds)
    try:
        claims = json.loads(_signed_content(token, json.loads(keys)))
        known = _is_for(provider, metadata, claims)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ProviderFailure(_FAILED, unverified, error={"name": type(error).__name__}) from error
    if not known:
        raise ProviderFailure(_FAILED, unverified)
    if abs(claims.get("iat", 0) - time.time()) > _ISSUED_WITHIN:
        raise ProviderFailure(_FAILED, "id_token is expired")
    if _faults_of(claims):
        raise ProviderFailure(_FAILED, "invalid id_token")
    if claims.get("nonce") and claims["nonce"] != visit.nonce:
        raise ProviderFailure(_FAILED, "nonce does not match")
    return dict(claims)


def _signed_content(token: str, published: Mapping[str, Any]) -> bytes:
    """Return the content of a token that exactly one of the published keys may have signed."""
    header = jws.extract_compact(token.encode()).headers()
    kind, kid = _ALGORITHMS[header["alg"]], header.get("kid")
    fitting = [key for key in published["keys"] if key.get("kty") == kind and kid in (None, key.get("kid"))]
    if len(fitting) != 1:
        raise ValueError("no single key fits")
    content = jws.deserialize_compact(token, JWKRegistry.import_key(fitting[0]), algorithms=[header["alg"]])
    return content.payload


def _is_for(provider: OpenIdProvider, metadata: Metadata, claims: Mapping[str, Any]) -> bool:
    audience, now = claims.get("aud"), time.time()
    return (
        claims.get("iss") == metadata.issuer
        and provider.client_id in ([audience] if isinstance(audience, str) else audience or [])
        and claims.get("nbf", 0) <= now < claims.get("exp", float("inf"))
    )


async def _userinfo(url: str, access_token: str, timeout_seconds: float) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {access_token}"}
    text = await _answer("Fail to fetch user info", "GET", url, headers, timeout_seconds)
    claims: dict[str, Any] = _parsed(_CLAIMS, text, "Invalid user info response", keeps_all=True)
    return claims


def _user_of(claims: Mapping[str, Any], *, trusts_unverified_email: bool) -> OpenIdUser:
    """Return the person. As in Logto 1.42, a claim ``Email`` or ``ID`` replaces the checked one."""
    is_verified = claims.get("email_verified")
    email_counts = trusts_unverified_email if is_verified is None else is_verified
    known = {
        "name": claims.get("name"),
        "avatar": claims.get("picture"),
        "email": claims.get("email") if email_counts else None,
        "phone": claims.get("phone") if claims.get("phone_verified") else None,
    }
    others = {camel_case(name): value for name, value in claims.items() if name not in _KNOWN}
    present = {name: value for name, value in known.items() if value}
    detail = {"id": claims["sub"], **present, **others}
    if not all(isinstance(detail.get(name, ""), str) for name in ("id", *known)):
        raise ProviderFailure(_FAILED, "Invalid user info response")
    return OpenIdUser(detail["id"], detail)


async def _answer(
    failure: str,
    method: str,
    url: str,
    headers: Mapping[str, str],
    timeout_seconds: float,
    body: bytes | None = None,
) -> str:
    """Return the text of a successful response. Raises ``ProviderFailure`` with the message ``failure``."""
    try:
        status, text = await fetch(method, url, body=body, headers=headers, timeout_seconds=timeout_seconds)
    except NoAnswer as error:
        raise ProviderFailure(_FAILED, failure, error=error.facts) from error
    if not is_success(status):
        raise ProviderFailure(_FAILED, failure, error=text)
    return text


def _parsed(shape: Shape, text: str, failure: str, *, keeps_all: bool = False) -> Any:
    """Parse a response. Faults are named without their values, which may contain a token."""
    issues: list[Issue] = []
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ProviderFailure(_FAILED, failure) from error
    known = shape.check(value, (), issues)
    if issues:
        raise ProviderFailure(_FAILED, failure, error=flattened(issues))
    return value if keeps_all else known


def _faults_of(claims: object) -> list[Issue]:
    issues: list[Issue] = []
    _CLAIMS.check(claims, (), issues)
    return issues
