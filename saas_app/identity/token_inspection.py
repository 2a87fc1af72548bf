"""Looks into the tokens of a session for the person who owns it: what they say, and whether they verify.

Only for display. An inspection holds no token: the raw text is a question of its own.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from saas_app.errors import LogtoUnavailable
from saas_app.identity.claims import decode_header, decode_unverified
from saas_app.identity.freshness import Freshness
from saas_app.identity.logto_client import LogtoProvider
from saas_app.identity.session_tokens import SessionTokens
from saas_app.identity.token_verifier import Claims, TokenRejected, TokenVerifier
from saas_app.identity.wire import TokenRequest
from saas_app.rbac.permissions import Carrier

_PUBLIC_PARTS: Final = ("kid", "kty", "alg", "use", "crv", "x", "y", "n", "e")
"""The parameters of a key that pages show (RFC 7518 §6), in this order. All of them are public."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of verifying a token here and now.

    ``accepted`` is None if it could not be verified, because Logto's keys could not be fetched. ``reason``
    says why it is rejected. ``key`` are the public parts of the key that its header names, if it is known.
    """

    accepted: bool | None
    reason: str = ""
    key: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a token says, and whether it verifies."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    verdict: Verdict


class TokenInspector:
    """Inspects the cached tokens of sessions. Fetches none."""

    def __init__(
        self,
        tokens: SessionTokens,
        provider: LogtoProvider,
        freshness: Freshness,
        *,
        client_id: str,
        redirect_uri: str,
    ) -> None:
        self._tokens = tokens
        self._provider = provider
        self._freshness = freshness
        self._client_id = client_id
        self._redirect_uri = redirect_uri

    async def inspect_id_token(self, session_id: uuid.UUID) -> Inspection | None:
        """Return the inspection of the session's ID token, or None if the session has ended."""
        token = await self.find_raw_id_token(session_id)
        if token is None:
            return None
        return await _inspect(
            token,
            self._provider.verifier,
            lambda verifier: verifier.verify_id_token(token, client_id=self._client_id, nonce=None),
        )

    async def inspect(
        self, session_id: uuid.UUID, organization_id: str, carrier: Carrier
    ) -> Inspection | None:
        """Return the inspection of a cached access token that has not expired, or None if there is none."""
        token = await self.find_raw_token(session_id, organization_id, carrier)
        if token is None:
            return None
        audience = self._audience_in_token(organization_id, carrier)
        return await _inspect(
            token,
            self._provider.verifier,
            lambda verifier: verifier.verify_access_token(token, audience=audience),
        )

    async def find_raw_id_token(self, session_id: uuid.UUID) -> str | None:
        """Return the session's ID token itself. Only its owner may see it."""
        return await self._tokens.get_id_token(session_id) or None

    async def find_raw_token(
        self, session_id: uuid.UUID, organization_id: str, carrier: Carrier
    ) -> str | None:
        """Return a cached access token itself, if it has not expired. Only its owner may see it."""
        return await self._tokens.find_token(session_id, self._freshness.audience(carrier, organization_id))

    async def describe_request(self, organization_id: str, carrier: Carrier) -> TokenRequest | None:
        """Return the request that fetches a token, without secrets, or None if Logto is down."""
        resource = self._freshness.api_resource if carrier is Carrier.API_TOKEN else None
        try:
            return await self._provider.describe_refresh(organization_id, resource)
        except LogtoUnavailable:
            return None

    async def describe_sign_in(self) -> TokenRequest | None:
        """Return the request that fetches the tokens of a sign-in, or None if Logto is down."""
        try:
            return await self._provider.describe_sign_in(self._redirect_uri)
        except LogtoUnavailable:
            return None

    def _audience_in_token(self, organization_id: str, carrier: Carrier) -> str:
        if carrier is Carrier.API_TOKEN:
            return self._freshness.api_resource
        return self._freshness.audience(carrier, organization_id)


async def _inspect(
    token: str,
    get_verifier: Callable[[], Awaitable[TokenVerifier]],
    verify: Callable[[TokenVerifier], Awaitable[Claims]],
) -> Inspection:
    header = decode_header(token)
    return Inspection(header, decode_unverified(token), await _verify(header, get_verifier, verify))


async def _verify(
    header: Mapping[str, Any],
    get_verifier: Callable[[], Awaitable[TokenVerifier]],
    verify: Callable[[TokenVerifier], Awaitable[Claims]],
) -> Verdict:
    try:
        verifier = await get_verifier()
        await verify(verifier)
    except LogtoUnavailable as unavailable:
        return Verdict(None, unavailable.detail)
    except TokenRejected as rejected:
        return Verdict(False, rejected.reason, _key_of(header, verifier))
    return Verdict(True, key=_key_of(header, verifier))


def _key_of(header: Mapping[str, Any], verifier: TokenVerifier) -> tuple[tuple[str, str], ...]:
    published = verifier.find_published_key(str(header.get("kid", ""))) or {}
    return tuple((name, str(published[name])) for name in _PUBLIC_PARTS if name in published)
