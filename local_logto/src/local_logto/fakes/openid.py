"""A customer's OpenID provider (OpenID Connect Core 1.0, Discovery 1.0) that tests can make misbehave.

Its authorization endpoint signs in ``person`` without a page. What it publishes and asserts can be replaced:
the metadata, the claims of ID tokens and of the userinfo endpoint, and the key that signs.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote_plus, urlencode

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, Key

from local_logto.fakes.server import RECEIVED, FakeProvider, Received, serving

CLIENT_ID: Final = "logto-client"
CLIENT_SECRET: Final = "logto-client-secret"
_LIFETIME: Final = 3600  # seconds


@dataclass(frozen=True, slots=True)
class OpenIdPerson:
    """A person at the provider: ``claims`` are those of the userinfo endpoint, besides ``sub``."""

    id: str
    claims: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Issued:
    """What a code stands for."""

    person: OpenIdPerson
    nonce: str
    redirect_uri: str
    code_challenge: str


def new_key() -> ECKey:
    """Create a key for ID tokens."""
    key = ECKey.generate_key("P-256", private=True)
    return ECKey.import_key({**key.as_dict(private=True), "kid": secrets.token_hex(8), "alg": "ES256"})


class FakeOpenId(FakeProvider):
    """The provider with one client. ``person`` is at the browser. Their claims may be anything: groups, an
    address that is not verified or belongs to another company.

    ``metadata`` and ``id_token`` replace members of the published metadata and claims of ID tokens.
    ``tokens`` and ``userinfo`` do so with what the token and the userinfo endpoint answer. None removes one.
    Clients authenticate as the metadata says. ``signs_userinfo`` sends the userinfo as a JWT.
    ``signs_with`` replaces the key, but not the published one. ``token_header`` replaces members of the
    header of ID tokens.
    ``pretends_to_be`` is the issuer that it names there and in its metadata, "" for its own.
    """

    def __init__(self) -> None:
        super().__init__()
        self.client_id = CLIENT_ID
        self.client_secret = CLIENT_SECRET
        self.person = OpenIdPerson("somebody")
        self.pretends_to_be = ""
        self.metadata: dict[str, object] = {}
        self.id_token: dict[str, object] = {}
        self.tokens: dict[str, object] = {}
        self.userinfo: dict[str, object] = {}
        self.signs_userinfo = False
        self.token_header: dict[str, object] = {}
        self.key = new_key()
        self.signs_with: Key = self.key
        self._codes: dict[str, _Issued] = {}
        self._tokens: dict[str, OpenIdPerson] = {}

    @property
    def issuer(self) -> str:
        return self.base_url

    @property
    def config(self) -> dict[str, object]:
        """The configuration of an enterprise connector for this provider."""
        return {"clientId": self.client_id, "clientSecret": self.client_secret, "issuer": self.issuer}

    @property
    def _named_issuer(self) -> str:
        return self.pretends_to_be or self.issuer

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/.well-known/openid-configuration", self._metadata)
        router.add_get("/jwks", self._keys)
        router.add_get("/auth", self._authorize)
        router.add_post("/token", self._token)
        router.add_get("/me", self._userinfo)

    async def _metadata(self, _request: web.Request) -> web.Response:
        published = {
            "issuer": self._named_issuer,
            "authorization_endpoint": f"{self.base_url}/auth",
            "token_endpoint": f"{self.base_url}/token",
            "userinfo_endpoint": f"{self.base_url}/me",
            "jwks_uri": f"{self.base_url}/jwks",
        }
        return web.json_response(_replaced(published, self.metadata))

    async def _keys(self, _request: web.Request) -> web.Response:
        return web.json_response({"keys": [self.key.as_dict(private=False)]})

    async def _authorize(self, request: web.Request) -> web.Response:
        asked = request.query
        if asked.get("client_id") != self.client_id or "openid" not in asked.get("scope", "").split():
            return web.Response(text="unknown client", status=400)
        code = secrets.token_urlsafe(16)
        self._codes[code] = _Issued(
            self.person, asked.get("nonce", ""), asked["redirect_uri"], asked.get("code_challenge", "")
        )
        query = urlencode({"code": code, "state": asked.get("state", ""), "iss": self._named_issuer})
        return web.Response(status=302, headers={"Location": f"{asked['redirect_uri']}?{query}"})

    async def _token(self, request: web.Request) -> web.Response:
        received = request[RECEIVED]
        if self._credentials(received) != (self.client_id, self.client_secret):
            return web.json_response({"error": "invalid_client"}, status=401)
        issued = self._codes.pop(received.form.get("code", ""), None)
        if issued is None or issued.redirect_uri != received.form.get("redirect_uri"):
            return web.json_response({"error": "invalid_grant"}, status=400)
        if issued.code_challenge != _challenge_of(received.form.get("code_verifier", "")):
            return web.json_response({"error": "invalid_grant"}, status=400)
        access_token = secrets.token_urlsafe(24)
        self._tokens[access_token] = issued.person
        answer = {"access_token": access_token, "token_type": "Bearer", "expires_in": _LIFETIME}
        return web.json_response(_replaced({**answer, "id_token": self._id_token(issued)}, self.tokens))

    def _credentials(self, received: Received) -> tuple[str, str] | None:
        """Return the client's ID and secret, from where the metadata says they are (RFC 6749 §2.3.1)."""
        methods = self.metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        assert isinstance(methods, list)
        if "client_secret_basic" in methods and received.credentials is not None:
            client_id, client_secret = map(unquote_plus, received.credentials)
            return client_id, client_secret
        if "client_secret_post" in methods:
            return received.form.get("client_id", ""), received.form.get("client_secret", "")
        return None

    def _id_token(self, issued: _Issued) -> str:
        now = int(time.time())
        claims = {
            "iss": self._named_issuer,
            "sub": issued.person.id,
            "aud": self.client_id,
            "iat": now,
            "exp": now + _LIFETIME,
            "nonce": issued.nonce,
            **issued.person.claims,
        }
        header = _replaced({"alg": "ES256", "kid": self.key.kid}, self.token_header)
        asserted = _replaced(claims, self.id_token)
        if header["alg"] == "none":
            return f"{_encoded(header)}.{_encoded(asserted)}."
        return jwt.encode(header, asserted, self.signs_with)

    async def _userinfo(self, request: web.Request) -> web.Response:
        scheme, _, token = request[RECEIVED].header("authorization").partition(" ")
        person = self._tokens.get(token) if scheme.lower() == "bearer" else None
        if person is None:
            return web.json_response({"error": "invalid_token"}, status=401)
        told = _replaced({"sub": person.id, **person.claims}, self.userinfo)
        if self.signs_userinfo:
            signed = jwt.encode({"alg": "ES256", "kid": self.key.kid}, told, self.key)
            return web.Response(text=signed, content_type="application/jwt")
        return web.json_response(told)


def _challenge_of(code_verifier: str) -> str:
    """Return the PKCE challenge of a verifier (RFC 7636, S256): "" if there is none."""
    digest = hashlib.sha256(code_verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() if code_verifier else ""


def _encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def _replaced(values: Mapping[str, object], replacements: Mapping[str, object]) -> dict[str, object]:
    kept = {name: value for name, value in values.items() if name not in replacements}
    return {**kept, **{name: value for name, value in replacements.items() if value is not None}}


@asynccontextmanager
async def fake_openid() -> AsyncIterator[FakeOpenId]:
    """Run the provider. Its issuer is its ``base_url``."""
    async with serving(FakeOpenId()) as provider:
        yield provider
