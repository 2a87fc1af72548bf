"""Verifies JWTs from Logto: signature, algorithm, issuer, audience and times.

Keys are fetched without blocking the event loop and shared by the whole process. The algorithm comes from the
key set, never from the token's header (RFC 8725 §3.1).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import jwt
import structlog

from saas_app.coordination.shared_attempts import SharedAttempts
from saas_app.errors import LogtoUnavailable
from saas_app.identity.claims import InvalidClaim, checked
from saas_app.logto.provider_clock import LEEWAY
from saas_app.text.translation import _

log = structlog.get_logger(__name__)

_ASYMMETRIC = frozenset({"ES256", "ES384", "ES512", "RS256", "PS256"})
_MAX_AGE = 3600.0  # seconds before the key set is fetched again
_UNKNOWN_KEY_INTERVAL = 10.0  # seconds between two fetches because of unknown keys
_LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_LOGOUT_MAX_AGE = 600  # seconds after which a logout token is rejected, whatever its exp

_REQUIRED = ("iss", "sub", "aud", "exp", "iat")

Claims = dict[str, Any]


class TokenRejected(Exception):
    """The token is rejected. ``reason`` says why and never contains the token."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class KeySet:
    """The provider's public keys, cached. All callers that wait for them share one fetch.

    A known key is returned at once. If the set is old, it is fetched again in the background. If that keeps
    failing until the set is twice that old, callers wait for a fetch. An unknown key causes a fetch too.
    """

    def __init__(
        self,
        fetch: Callable[[], Awaitable[dict[str, Any]]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._published: dict[str, dict[str, Any]] = {}
        self._fetched_at = float("-inf")
        self._attempts = SharedAttempts()
        self._reading: asyncio.Task[None] | None = None

    async def get_key(self, key_id: str) -> jwt.PyJWK:
        """Return the key with this ``kid``. Raises :class:`TokenRejected` if the provider has none."""
        if key_id not in self._keys:
            if self._age() > _UNKNOWN_KEY_INTERVAL:  # a token can name any key
                await self._read_shared()
        elif self._age() > 2 * _MAX_AGE:
            await self._read_or_keep()
        elif self._age() > _MAX_AGE and self._reading is None:
            self._reading = asyncio.create_task(self._read_in_background())
        try:
            return self._keys[key_id]
        except KeyError:
            raise TokenRejected(_("signed with a key that the provider does not publish")) from None

    def find_known(self, key_id: str) -> jwt.PyJWK | None:
        """Return the key with this ``kid`` if it is cached."""
        return self._keys.get(key_id)

    def find_published(self, key_id: str) -> dict[str, Any] | None:
        """Return the key with this ``kid`` as the provider publishes it (RFC 7517), if it is cached."""
        return self._published.get(key_id)

    async def _read_in_background(self) -> None:
        try:
            await self._read_or_keep()
        finally:
            self._reading = None

    async def _read_or_keep(self) -> None:
        """Fetch the keys, or keep the known ones if that fails."""
        try:
            await self._read_shared()
        except LogtoUnavailable:
            log.warning("the key set could not be fetched; the known keys stay in use")

    async def _read_shared(self) -> None:
        """Join the running fetch, or start one. All callers share its result or its failure."""
        await self._attempts.join("keys", self._read)

    def _age(self) -> float:
        return self._clock() - self._fetched_at

    async def _read(self) -> None:
        document = await self._fetch()
        published = {
            entry["kid"]: entry
            for entry in document.get("keys", ())
            if entry.get("alg") in _ASYMMETRIC and entry.get("use", "sig") == "sig" and "kid" in entry
        }
        self._keys = {key_id: jwt.PyJWK(entry) for key_id, entry in published.items()}
        self._published, self._fetched_at = published, self._clock()


class TokenVerifier:
    """Checks the tokens of one issuer against its keys."""

    def __init__(self, issuer: str, keys: KeySet) -> None:
        self.issuer = issuer
        self._keys = keys

    async def verify_id_token(self, token: str, *, client_id: str, nonce: str | None) -> Claims:
        """Return the claims of an ID token for this client (OIDC Core §3.1.3.7).

        ``nonce`` is the one that the sign-in sent, or None for a refresh, which sends none. Raises
        :class:`TokenRejected`.
        """
        claims = await self._verify(token, audience=client_id, token_type=None)
        if nonce is not None and claims.get("nonce") != nonce:
            raise TokenRejected(_("nonce is not the one this sign-in sent"))
        return claims

    async def verify_access_token(self, token: str, *, audience: str) -> Claims:
        """Return the claims of an access token for this audience (RFC 9068).

        Raises :class:`TokenRejected`.
        """
        return await self._verify(token, audience=audience, token_type="at+jwt")  # noqa: S106

    def may_be_genuine(self, token: str, *, audience: str) -> bool:
        """Return whether a token is worth verifying: its header and claims are those of a valid token.

        This is cheap and makes no call. It proves nothing, because the signature is not checked.
        """
        try:
            header = jwt.get_unverified_header(token)
            key = self._keys.find_known(str(header.get("kid", "")))
            jwt.decode(
                token,
                algorithms=[],
                audience=audience,
                issuer=self.issuer,
                leeway=LEEWAY,
                options={
                    "verify_signature": False,
                    "verify_exp": True,
                    "verify_nbf": True,
                    "verify_iat": True,
                    "verify_aud": True,
                    "verify_iss": True,
                    "require": list(_REQUIRED),
                },
            )
        except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError, RecursionError):
            return False
        return key is not None and header.get("alg") == key.algorithm_name

    def find_published_key(self, key_id: str) -> dict[str, Any] | None:
        """Return the public key with this ``kid`` as the issuer publishes it, if it is cached."""
        return self._keys.find_published(key_id)

    async def verify_logout_token(self, token: str, *, client_id: str) -> Claims:
        """Return the claims of a logout token for this client (OIDC Back-Channel Logout 1.0 §2.6).

        The caller has to reject a ``jti`` that was used before. Raises :class:`TokenRejected`.
        """
        required = ("iss", "aud", "iat", "exp", "jti", "events")
        claims = await self._verify(token, audience=client_id, token_type="logout+jwt", required=required)  # noqa: S106
        events = claims["events"]
        if not isinstance(events, dict) or not isinstance(events.get(_LOGOUT_EVENT), dict):
            raise TokenRejected(_("not a logout event"))
        if "nonce" in claims:
            raise TokenRejected(_("contains a nonce, which only ID tokens have"))
        if not (_is_text(claims.get("sub")) or _is_text(claims.get("sid"))):
            raise TokenRejected(_("names neither a person nor a session"))
        if not _is_text(claims["jti"]):
            raise TokenRejected(_("its identifier is empty"))
        if claims["iat"] < time.time() - _LOGOUT_MAX_AGE:
            raise TokenRejected(_("was issued too long ago"))
        return claims

    async def _verify(
        self, token: str, *, audience: str, token_type: str | None, required: Sequence[str] = _REQUIRED
    ) -> Claims:
        key = await self._get_key(token, token_type)
        try:
            claims: Claims = jwt.decode(
                token,
                key=key,
                algorithms=[key.algorithm_name],
                audience=audience,
                issuer=self.issuer,
                leeway=LEEWAY,
                options={"require": list(required), "strict_aud": True},
            )
            return checked(claims)
        except (jwt.InvalidTokenError, InvalidClaim) as error:
            raise TokenRejected(str(error)) from None
        except (ValueError, TypeError, OverflowError, RecursionError):
            raise TokenRejected(_("its claims cannot be read")) from None

    async def _get_key(self, token: str, token_type: str | None) -> jwt.PyJWK:
        """Return the key that the token's header names, if the header is that of a token of this type."""
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.InvalidTokenError, ValueError, RecursionError):
            raise TokenRejected(_("not a signed token")) from None
        if token_type is not None and str(header.get("typ", "")).lower() != token_type:
            raise TokenRejected(_("not a token of this type"))
        key = await self._keys.get_key(str(header.get("kid", "")))
        if header.get("alg") != key.algorithm_name:
            raise TokenRejected(_("its algorithm is not the one of its key"))
        return key


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""
