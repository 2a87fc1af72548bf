"""Logto's SDK, behind our own types: the only module that imports ``logto``.

A client is made for one request, with storage of its own, so that two people never share one. What all
requests share is only the provider's metadata and keys. Against the published SDK (0.2.1) this adds: a
nonce, extra authorization parameters, API-resource tokens of an organization, revocation, checks that do
not block the event loop, errors with status and code, and a refresh token that is saved before anything
else is looked at.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp
from logto import LogtoClient, LogtoConfig, LogtoException, OidcProviderMetadata, Storage, TokenResponse
from logto import UserInfoScope as SdkScope
from logto.OidcCore import OidcCore
from pydantic import SecretStr, ValidationError

from saas_app.coordination.shared_attempts import SharedAttempts
from saas_app.errors import LogtoUnavailable
from saas_app.identity.token_verifier import Claims, KeySet, TokenRejected, TokenVerifier
from saas_app.text.cleaning import clean_json

IDENTITY_SCOPES = (
    SdkScope.email,
    SdkScope.phone,
    SdkScope.identities,
    SdkScope.organizations,
    SdkScope.organization_roles,
)
"""Asked for beside the SDK's own ``openid``, ``offline_access`` and ``profile``. As the SDK's enum: with a
plain string it would not ask for the organizations resource, and organization permissions would be lost."""

_LONGEST_LIFE = 10 * 366 * 86_400  # seconds: no access token lives for ten years

SaveRefreshToken = Callable[[str], Awaitable[None]]


class LogtoRefusal(Exception):
    """Logto answered with an OAuth error (RFC 6749 §5.2): status, error, description."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(f"{status} {error}: {description}")
        self.status = status
        self.error = error
        self.description = description


class ScopedTokenResponse(TokenResponse):
    """The SDK's token response with the ``scope`` it drops."""

    scope: str = ""


class RequestStorage(Storage):
    """What one client keeps, for one request. Sessions are loaded into it and written back by us."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = dict(values or {})

    def get(self, key: str) -> str | None:
        return self._values.get(key)

    def set(self, key: str, value: str | None) -> None:
        if value is None:
            self._values.pop(key, None)
        else:
            self._values[key] = value

    def delete(self, key: str) -> None:
        self._values.pop(key, None)


class LogtoCore(OidcCore):
    """The SDK's protocol calls over one shared HTTP session, bounded in time, with typed errors."""

    def __init__(
        self, metadata: OidcProviderMetadata, http: aiohttp.ClientSession, verifier: TokenVerifier
    ) -> None:
        super().__init__(metadata)
        self.verifier = verifier
        self._http = http

    async def fetchTokenByCode(
        self, clientId: str, clientSecret: str | None, redirectUri: str, code: str, codeVerifier: str
    ) -> ScopedTokenResponse:
        return await self.fetch_token(
            {
                "grant_type": "authorization_code",
                "client_id": clientId,
                "client_secret": clientSecret or "",
                "redirect_uri": redirectUri,
                "code": code,
                "code_verifier": codeVerifier,
            }
        )

    async def fetch_token(self, form: Mapping[str, str]) -> ScopedTokenResponse:
        """One call to the token endpoint. Raises :class:`LogtoRefusal` or :class:`LogtoUnavailable`."""
        body = await self._post(self.metadata.token_endpoint, form)
        try:
            response = ScopedTokenResponse(**body)
        except (TypeError, ValidationError):
            raise LogtoUnavailable("Logto returned a token response that could not be read.") from None
        if not 0 <= response.expires_in <= _LONGEST_LIFE:
            raise LogtoUnavailable("Logto returned a token response that could not be read.")
        return response

    async def fetch_user_info(self, access_token: str) -> Claims:
        """The userinfo document as Logto sends it, ``organization_data`` included."""
        headers = {"Authorization": f"Bearer {access_token}"}
        async with _answer(self._http.get(self.metadata.userinfo_endpoint, headers=headers)) as response:
            claims: Claims = await _read_json(response)
        if not isinstance(claims, dict):
            raise LogtoUnavailable("Logto returned a response that could not be read.")
        return claims

    async def revoke(self, form: Mapping[str, str]) -> None:
        """Revoke a token and with it its grant (RFC 7009). The SDK's metadata has no such endpoint."""
        await self._post(f"{self.metadata.token_endpoint}/revocation", form)

    async def _post(self, url: str, form: Mapping[str, str]) -> Any:
        async with _answer(self._http.post(url, data=dict(form))) as response:
            return await _read_json(response)


class _answer:  # noqa: N801 - reads as the context manager it is
    """A request whose failure to arrive is :class:`LogtoUnavailable`."""

    def __init__(self, request: Any) -> None:
        self._request = request

    async def __aenter__(self) -> aiohttp.ClientResponse:
        try:
            response: aiohttp.ClientResponse = await self._request.__aenter__()
        except (aiohttp.ClientError, TimeoutError):
            raise LogtoUnavailable("Logto did not respond.") from None
        return response

    async def __aexit__(self, *exc: Any) -> None:
        await self._request.__aexit__(*exc)


async def _read_json(response: aiohttp.ClientResponse) -> Any:
    try:
        text = await response.text()
    except (aiohttp.ClientError, TimeoutError, UnicodeDecodeError):
        raise LogtoUnavailable("Logto’s response was incomplete.") from None
    if response.status >= 500 or response.status == 429:
        raise LogtoUnavailable(f"Logto returned status {response.status}.")
    try:
        body = clean_json(json.loads(text)) if text else {}
    except (ValueError, RecursionError):
        raise LogtoUnavailable("Logto returned a response that could not be read.") from None
    if response.status >= 400:
        error = body if isinstance(body, dict) else {}
        raise LogtoRefusal(
            response.status,
            str(error.get("error") or error.get("code") or "unknown"),
            str(error.get("error_description") or error.get("message") or ""),
        )
    return body


@dataclass(frozen=True, slots=True)
class SignInOptions:
    """Extra parameters of the authorization request; empty ones are not sent (Logto 1.42)."""

    first_screen: str = ""
    direct_sign_in: str = ""
    identifier: str = ""
    login_hint: str = ""
    ui_locales: str = ""
    prompt: str = "consent"
    one_time_token: str = field(default="", repr=False)  # proves login_hint's address, once

    def as_query(self) -> dict[str, str]:
        """The parameters that were given, by their names on the wire."""
        named = {
            "first_screen": self.first_screen,
            "direct_sign_in": self.direct_sign_in,
            "identifier": self.identifier,
            "login_hint": self.login_hint,
            "ui_locales": self.ui_locales,
            "prompt": self.prompt,
            "one_time_token": self.one_time_token,
        }
        return {name: value for name, value in named.items() if value}


@dataclass(frozen=True, slots=True)
class StartedSignIn:
    """An authorization request: where to send the browser, and what its callback must match."""

    url: str
    state: str
    nonce: str
    sdk_session: str = field(repr=False)  # redirect URI, code verifier and state, as the SDK stores it


@dataclass(frozen=True, slots=True)
class GrantedTokens:
    """A verified answer of the token endpoint."""

    access_token: str = field(repr=False)
    scopes: frozenset[str]
    expires_in: int  # seconds
    id_token: str | None = field(repr=False)
    id_claims: Claims | None = field(repr=False)
    refresh_token: str | None = field(repr=False)


class RequestClient(LogtoClient):
    """Logto's client for one request, on one person's tokens."""

    def __init__(self, config: LogtoConfig, core: LogtoCore, stored: Mapping[str, str] | None = None) -> None:
        super().__init__(config, RequestStorage(stored))
        self._oidcCore = self._core = core
        self._extra: dict[str, str] = {}
        self._nonce: str | None = None
        self._received: tuple[ScopedTokenResponse, Claims | None] | None = None

    async def start_sign_in(self, redirect_uri: str, options: SignInOptions) -> StartedSignIn:
        """Begin a sign-in with a fresh state, nonce and PKCE verifier."""
        self._nonce = secrets.token_urlsafe(24)
        self._extra = {**options.as_query(), "nonce": self._nonce}
        url = await self.signIn(redirect_uri)
        sdk_session = self._storage.get("signInSession") or ""
        state = json.loads(sdk_session)["state"]
        return StartedSignIn(url, state, self._nonce, sdk_session)

    async def finish_sign_in(self, callback_url: str, nonce: str) -> GrantedTokens:
        """Exchange the callback's code. Raises :class:`LogtoRefusal`, :class:`TokenRejected` or
        :class:`LogtoUnavailable`."""
        self._nonce = nonce
        try:
            await self.handleSignInCallback(callback_url)
        except LogtoException as error:
            raise TokenRejected(str(error)) from None
        return self._granted()

    async def refresh(
        self,
        save_refresh_token: SaveRefreshToken,
        *,
        organization_id: str | None = None,
        resource: str | None = None,
    ) -> GrantedTokens:
        """A token for an organization, for an API resource in it, or neither (userinfo).

        The refresh token that comes back is saved before the answer is looked at any further: losing a
        rotated one would burn the whole grant. Raises as :meth:`finish_sign_in`.
        """
        form = {
            "grant_type": "refresh_token",
            "client_id": self.config.appId,
            "client_secret": self.config.appSecret or "",
            "refresh_token": self._storage.get("refreshToken") or "",
        }
        if organization_id:
            form["organization_id"] = organization_id
        if resource:
            form["resource"] = resource
        response = await self._core.fetch_token(form)
        if response.refresh_token:
            await save_refresh_token(response.refresh_token)
        await self._handleTokenResponse(resource or "", response)
        return self._granted()

    async def revoke_refresh_token(self) -> None:
        """End the grant at Logto. Signing out there alone would leave the refresh token alive."""
        await self._core.revoke(
            {
                "client_id": self.config.appId,
                "client_secret": self.config.appSecret or "",
                "token": self._storage.get("refreshToken") or "",
                "token_type_hint": "refresh_token",
            }
        )

    async def _buildSignInUrl(
        self,
        redirectUri: str,
        codeChallenge: str,
        state: str,
        interactionMode: Literal["signIn", "signUp"] | None = None,
    ) -> str:
        url = await super()._buildSignInUrl(redirectUri, codeChallenge, state, interactionMode)
        base, _, query = url.partition("?")
        kept = [(name, value) for name, value in parse_qsl(query) if name not in self._extra]
        return f"{base}?{urlencode([*kept, *self._extra.items()])}"

    async def _handleTokenResponse(self, resource: str, tokenResponse: TokenResponse) -> None:
        response = ScopedTokenResponse(**tokenResponse.model_dump())
        if response.refresh_token is not None:
            self._storage.set("refreshToken", response.refresh_token)
        claims = None
        if response.id_token is not None:
            claims = await self._core.verifier.verify_id_token(
                response.id_token, client_id=self.config.appId, nonce=self._nonce
            )
            self._storage.set("idToken", response.id_token)
        self._setAccessToken(resource, response.access_token, response.expires_in)
        self._received = (response, claims)

    def _granted(self) -> GrantedTokens:
        if self._received is None:
            raise LogtoUnavailable("Logto returned no tokens.")
        response, claims = self._received
        return GrantedTokens(
            access_token=response.access_token,
            scopes=frozenset(response.scope.split()),
            expires_in=response.expires_in,
            id_token=response.id_token,
            id_claims=claims,
            refresh_token=response.refresh_token,
        )


class LogtoProvider:
    """One Logto for the process: its metadata, read once and when needed, its keys, our clients."""

    def __init__(
        self,
        *,
        endpoint: str,
        app_id: str,
        app_secret: SecretStr,
        api_resource: str,
        permission_scopes: tuple[str, ...],
        http: aiohttp.ClientSession,
    ) -> None:
        self._http = http
        self._config = LogtoConfig(
            endpoint=endpoint.rstrip("/"),
            appId=app_id,
            appSecret=app_secret.get_secret_value(),
            resources=[api_resource],
            scopes=[*IDENTITY_SCOPES, *permission_scopes],
        )
        self._core: LogtoCore | None = None
        self._attempts = SharedAttempts()

    async def core(self) -> LogtoCore:
        """Metadata and keys. Raises :class:`LogtoUnavailable` for all who wait; later callers try again."""
        if self._core is None:
            self._core = await self._attempts.join("discovery", self._discover)
        return self._core

    async def client(self, stored: Mapping[str, str] | None = None) -> RequestClient:
        """A client for this request, on what the session stores (``refreshToken``, …)."""
        return RequestClient(self._config, await self.core(), stored)

    async def verifier(self) -> TokenVerifier:
        """What checks this provider's tokens."""
        return (await self.core()).verifier

    async def _discover(self) -> LogtoCore:
        document = await self._get(f"{self._config.endpoint}/oidc/.well-known/openid-configuration")
        try:
            metadata = OidcProviderMetadata(**document)
        except (TypeError, ValidationError):
            raise LogtoUnavailable("Logto returned a discovery document that could not be read.") from None
        keys = KeySet(lambda: self._get(metadata.jwks_uri))
        return LogtoCore(metadata, self._http, TokenVerifier(metadata.issuer, keys))

    async def _get(self, url: str) -> Any:
        async with _answer(self._http.get(url, headers={"Accept": "*/*"})) as response:
            try:
                return await _read_json(response)
            except LogtoRefusal as refusal:
                raise LogtoUnavailable(
                    f"Logto returned status {refusal.status} at {urlsplit(url).path}."
                ) from None
