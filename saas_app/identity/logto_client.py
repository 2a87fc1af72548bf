"""Subclasses of Logto's SDK. The only module that imports ``logto``.

Each request gets its own client and storage, so two people never share one. Requests share only the
provider's metadata and keys. This adds to the published SDK (0.2.1): a nonce, optional authorization
parameters, API-resource tokens of an organization, revocation, verification that does not block the event
loop, typed errors, and a refresh token that is saved before the rest of a response is processed.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp
from logto import LogtoClient, LogtoConfig, LogtoException, OidcProviderMetadata, Storage, TokenResponse
from logto import UserInfoScope as SdkScope
from logto.OidcCore import OidcCore
from pydantic import SecretStr, ValidationError

from saas_app.coordination.shared_attempts import SharedAttempts
from saas_app.errors import LogtoUnavailable
from saas_app.identity.logto_messages import (
    GrantedTokens,
    LogtoRefusal,
    SignInOptions,
    StartedSignIn,
    fetch_json,
)
from saas_app.identity.token_forms import PLACEHOLDER, code_form, refresh_form
from saas_app.identity.token_verifier import Claims, KeySet, TokenRejected, TokenVerifier
from saas_app.identity.wire import TokenRequest, record_exchange
from saas_app.logto.http import CallKind
from saas_app.text.translation import _

IDENTITY_SCOPES = (
    SdkScope.email,
    SdkScope.phone,
    SdkScope.identities,
    SdkScope.organizations,
    SdkScope.organization_roles,
)
"""Scopes to request besides the SDK's own ``openid``, ``offline_access`` and ``profile``.

They are members of the SDK's enum: for a plain string, the SDK would not request the organizations resource,
and organization permissions would be missing.
"""

_LONGEST_LIFE = 10 * 366 * 86_400  # seconds; no access token lives for ten years

SaveRefreshToken = Callable[[str], Awaitable[None]]


class ScopedTokenResponse(TokenResponse):
    """The SDK's token response, with the ``scope`` that the SDK drops."""

    scope: str = ""


class RequestStorage(Storage):
    """The storage of one client, for one request. The caller fills it from the session."""

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
    """The SDK's protocol calls, over one shared HTTP session with a time limit, with typed errors."""

    def __init__(
        self,
        metadata: OidcProviderMetadata,
        http: aiohttp.ClientSession,
        verifier: TokenVerifier,
        account_url: str,
    ) -> None:
        super().__init__(metadata)
        self.verifier = verifier
        self._http = http
        self._account_url = account_url

    async def fetchTokenByCode(
        self, clientId: str, clientSecret: str | None, redirectUri: str, code: str, codeVerifier: str
    ) -> ScopedTokenResponse:
        return await self.fetch_token(
            code_form(clientId, clientSecret, redirect_uri=redirectUri, code=code, code_verifier=codeVerifier)
        )

    async def fetch_token(self, form: Mapping[str, str]) -> ScopedTokenResponse:
        """Call the token endpoint. Raises :class:`LogtoRefusal` or :class:`LogtoUnavailable`."""
        body = await self._post(self.metadata.token_endpoint, form, _kind_of(form))
        try:
            response = ScopedTokenResponse(**body)
        except (TypeError, ValidationError):
            raise LogtoUnavailable(_("Logto returned a token response that could not be read.")) from None
        if not 0 <= response.expires_in <= _LONGEST_LIFE:
            raise LogtoUnavailable(_("Logto returned a token response that could not be read."))
        return response

    async def fetch_user_info(self, access_token: str) -> Claims:
        """Return the userinfo document as Logto sends it, with ``organization_data``."""
        headers = {"Authorization": f"Bearer {access_token}"}
        url = self.metadata.userinfo_endpoint
        claims: Claims = await fetch_json(
            self._http.get(url, headers=headers, trace_request_ctx=CallKind.USERINFO)
        )
        if not isinstance(claims, dict):
            raise LogtoUnavailable(_("Logto returned a response that could not be read."))
        return claims

    async def change_account(self, access_token: str, changes: Mapping[str, str | None]) -> Claims:
        """Change a person's own account by Logto's Account API (1.42), and return it.

        The token is the opaque one, without a resource. 400 ``account_center.not_enabled`` and
        ``account_center.field_not_editable`` if the tenant does not allow it.
        """
        headers = {"Authorization": f"Bearer {access_token}"}
        account: Claims = await fetch_json(
            self._http.patch(
                self._account_url, json=dict(changes), headers=headers, trace_request_ctx=CallKind.ACCOUNT
            )
        )
        return account

    async def revoke(self, form: Mapping[str, str]) -> None:
        """Revoke a token and its grant (RFC 7009). The SDK's metadata does not name this endpoint."""
        await self._post(f"{self.metadata.token_endpoint}/revocation", form, CallKind.REVOCATION)

    async def _post(self, url: str, form: Mapping[str, str], kind: CallKind) -> Any:
        try:
            answer = await fetch_json(self._http.post(url, data=dict(form), trace_request_ctx=kind))
        except LogtoRefusal as refusal:
            record_exchange(url, form, refusal.status, refusal.answer)
            raise
        record_exchange(url, form, 200, answer)
        return answer


class RequestClient(LogtoClient):
    """Logto's client for one request, with one person's tokens."""

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
        """Exchange the callback's code for tokens.

        Raises :class:`LogtoRefusal`, :class:`TokenRejected` or :class:`LogtoUnavailable`.
        """
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
        """Fetch a token for an organization, for an API resource in it, or for userinfo (neither).

        The new refresh token is saved before the rest of the response is processed, because losing a rotated
        refresh token ends the whole grant. Raises :class:`LogtoRefusal`, :class:`TokenRejected` or
        :class:`LogtoUnavailable`.
        """
        response = await self._core.fetch_token(
            refresh_form(
                self.config.appId,
                self.config.appSecret,
                refresh_token=self._storage.get("refreshToken") or "",
                organization_id=organization_id,
                resource=resource,
            )
        )
        if response.refresh_token:
            await save_refresh_token(response.refresh_token)
        await self._handleTokenResponse(resource or "", response)
        return self._granted()

    async def revoke_refresh_token(self) -> None:
        """End the grant at Logto. Signing out there does not revoke the refresh token (Logto 1.42)."""
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
            raise LogtoUnavailable(_("Logto returned no tokens."))
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
    """Logto as the sign-in provider of this process: its metadata, its keys, and a client per request."""

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

    @property
    def http(self) -> aiohttp.ClientSession:
        """The HTTP session for calls to the provider. It stores no cookies."""
        return self._http

    async def core(self) -> LogtoCore:
        """Return the protocol calls, with the metadata and keys that the first caller fetches.

        Raises :class:`LogtoUnavailable` to all callers that wait for the same attempt. Later callers try
        again.
        """
        if self._core is None:
            self._core = await self._attempts.join("discovery", self._discover)
        return self._core

    async def client(self, stored: Mapping[str, str] | None = None) -> RequestClient:
        """Return a client for one request. ``stored`` is what the SDK reads, such as ``refreshToken``."""
        return RequestClient(self._config, await self.core(), stored)

    async def verifier(self) -> TokenVerifier:
        """Return the verifier of this provider's tokens."""
        return (await self.core()).verifier

    async def describe_refresh(self, organization_id: str, resource: str | None) -> TokenRequest:
        """Return the request that fetches a token for an organization, with its secrets replaced.

        Raises :class:`LogtoUnavailable` if Logto's metadata cannot be fetched.
        """
        form = refresh_form(
            self._config.appId,
            self._config.appSecret,
            refresh_token=PLACEHOLDER,
            organization_id=organization_id,
            resource=resource,
        )
        return TokenRequest.of((await self.core()).metadata.token_endpoint, form)

    async def describe_sign_in(self, redirect_uri: str) -> TokenRequest:
        """Return the request that exchanges the code of a sign-in, with its secrets replaced.

        Raises :class:`LogtoUnavailable` if Logto's metadata cannot be fetched.
        """
        form = code_form(
            self._config.appId,
            self._config.appSecret,
            redirect_uri=redirect_uri,
            code=PLACEHOLDER,
            code_verifier=PLACEHOLDER,
        )
        return TokenRequest.of((await self.core()).metadata.token_endpoint, form)

    async def _discover(self) -> LogtoCore:
        url = f"{self._config.endpoint}/oidc/.well-known/openid-configuration"
        document = await self._get(url, CallKind.DISCOVERY)
        try:
            metadata = OidcProviderMetadata(**document)
        except (TypeError, ValidationError):
            raise LogtoUnavailable(_("Logto returned a discovery document that could not be read.")) from None
        keys = KeySet(lambda: self._get(metadata.jwks_uri, CallKind.KEYS))
        return LogtoCore(
            metadata,
            self._http,
            TokenVerifier(metadata.issuer, keys),
            f"{self._config.endpoint}/api/my-account",
        )

    async def _get(self, url: str, kind: CallKind) -> Any:
        try:
            return await fetch_json(self._http.get(url, headers={"Accept": "*/*"}, trace_request_ctx=kind))
        except LogtoRefusal as refusal:
            raise LogtoUnavailable(
                _(
                    "Logto returned status %(status)s at %(path)s.",
                    status=refusal.status,
                    path=urlsplit(url).path,
                )
            ) from None


def _kind_of(form: Mapping[str, str]) -> CallKind:
    """Return what a call of the token endpoint is for."""
    if form["grant_type"] == "client_credentials":
        return CallKind.MACHINE
    if "subject_token" in form:
        return CallKind.EXCHANGE
    if form["grant_type"] != "refresh_token":
        return CallKind.SIGN_IN
    if "organization_id" not in form:
        return CallKind.REFRESH
    return CallKind.API_RESOURCE if "resource" in form else CallKind.ORGANIZATION
