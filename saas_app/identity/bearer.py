"""Bearer tokens, verified: what a program's token says, once its signature and its claims are checked.

Two audiences are accepted, and nothing else: our API resource, with ``organization_id`` where a route
belongs to an organization, and Logto's organization audience. Which permission needs which is in the
registry. Whether a verified token is newer than the changes of its membership is in
:mod:`saas_app.identity.bearer_freshness`.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from saas_app.errors import InvalidToken
from saas_app.identity.claims import ORGANIZATION_AUDIENCE, decode_unverified, is_id, scopes_of
from saas_app.identity.token_verifier import TokenRejected, TokenVerifier
from saas_app.logto.provider_clock import LEEWAY
from saas_app.rbac.permissions import Carrier

log = structlog.get_logger(__name__)

_LONGEST: Final = 16_384  # characters; a JWT of an API is a tenth of that
_MOST_REMEMBERED: Final = 4_096


@dataclass(frozen=True, slots=True)
class BearerToken:
    """What a verified token says. It holds no token, only its ``fingerprint``. Times are Unix seconds."""

    fingerprint: bytes = field(repr=False)
    subject: str
    client_id: str
    carrier: Carrier
    organization_id: str | None
    scopes: frozenset[str]
    issued_at: int
    expires_at: int

    @property
    def is_machine(self) -> bool:
        """Whether a program came by itself: with client credentials, ``sub`` is the client (Logto 1.42)."""
        return self.subject == self.client_id


class VerifiedTokens:
    """Checks tokens by signature, once each, and remembers what they say until they expire.

    ``get_verifier`` gives the issuer's verifier.
    """

    def __init__(self, get_verifier: Callable[[], Awaitable[TokenVerifier]], *, api_resource: str) -> None:
        self._get_verifier = get_verifier
        self._api_resource = api_resource
        self._remembered: OrderedDict[bytes, BearerToken] = OrderedDict()

    async def verify(self, token: str) -> BearerToken:
        """Return what the token says. Raises :class:`InvalidToken`, whose text never contains the token."""
        verified = self.find_verified(token)
        if verified is None:
            verified = await self._verify(token)
            self._remembered[verified.fingerprint] = verified
            if len(self._remembered) > _MOST_REMEMBERED:
                self._remembered.popitem(last=False)
        return verified

    def find_verified(self, token: str) -> BearerToken | None:
        """Return what a token says that was verified before and has not expired; None for every other."""
        verified = self._remembered.get(key := _fingerprint(token))
        if verified is None or verified.expires_at + LEEWAY <= time.time():
            return None
        self._remembered.move_to_end(key)
        return verified

    async def may_be_genuine(self, token: str) -> bool:
        """Return whether a token's signature is worth checking: all else about it is right."""
        verifier = await self._get_verifier()
        try:
            return verifier.may_be_genuine(token, audience=self._audience_of(token)[1])
        except TokenRejected:
            return False

    async def _verify(self, token: str) -> BearerToken:
        verifier = await self._get_verifier()
        try:
            carrier, audience = self._audience_of(token)
            claims = await verifier.verify_access_token(token, audience=audience)
            return _as_bearer(claims, carrier, _fingerprint(token))
        except TokenRejected as rejected:
            log.info("bearer token rejected", reason=str(rejected))
            raise InvalidToken(f"The token is not accepted: {rejected}.") from None

    def _audience_of(self, token: str) -> tuple[Carrier, str]:
        """Which of our two audiences the token claims to be for; whether it is, its signature tells."""
        if len(token) > _LONGEST:
            raise TokenRejected("too long")
        audience = decode_unverified(token).get("aud")
        if audience == self._api_resource:
            return Carrier.API_TOKEN, audience
        if isinstance(audience, str) and audience.startswith(ORGANIZATION_AUDIENCE):
            return Carrier.ORGANIZATION_TOKEN, audience
        raise TokenRejected("not issued for this API")


def _fingerprint(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _as_bearer(claims: dict[str, Any], carrier: Carrier, fingerprint: bytes) -> BearerToken:
    organization_id = claims.get("organization_id")
    if carrier is Carrier.ORGANIZATION_TOKEN:
        named = str(claims["aud"]).removeprefix(ORGANIZATION_AUDIENCE)
        if not is_id(named):
            raise TokenRejected("its audience names no organization")
        if organization_id not in (None, named):  # a script for custom claims can write it (Logto 1.42)
            raise TokenRejected("it names two organizations")
        organization_id = named
    return BearerToken(
        fingerprint=fingerprint,
        subject=claims["sub"],
        client_id=claims.get("client_id") or "",
        carrier=carrier,
        organization_id=organization_id or None,
        scopes=scopes_of(claims),
        issued_at=int(claims["iat"]),
        expires_at=int(claims["exp"]),
    )
