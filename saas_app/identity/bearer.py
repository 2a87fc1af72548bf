"""Verifies bearer tokens: their signatures and claims.

Only two audiences are accepted: our API resource, with ``organization_id`` for a route of an organization,
and Logto's organization audience. The registry says which permission needs which.
:mod:`saas_app.identity.bearer_freshness` decides whether a token is newer than the changes of its membership.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from saas_app.errors import InvalidToken
from saas_app.identity.actors import actor_of, require_expected_actor
from saas_app.identity.claims import ORGANIZATION_AUDIENCE, decode_unverified, is_id, scopes_of
from saas_app.identity.token_verifier import TokenRejected, TokenVerifier
from saas_app.identity.vault import fingerprint
from saas_app.logto.provider_clock import LEEWAY
from saas_app.rbac.permissions import Carrier
from saas_app.text.translation import _

log = structlog.get_logger(__name__)

_LONGEST: Final = 16_384  # characters; ten times as long as usual
_MAX_REMEMBERED: Final = 4_096


@dataclass(frozen=True, slots=True)
class BearerToken:
    """The contents of a verified token, without the token itself. Times are Unix seconds.

    ``actor`` is the person who acts for the subject (``act``, RFC 8693 §4.1), or None in most tokens.
    """

    fingerprint: bytes = field(repr=False)
    subject: str
    client_id: str
    carrier: Carrier
    organization_id: str | None
    scopes: frozenset[str]
    issued_at: int
    expires_at: int
    actor: str | None = None

    @property
    def is_machine(self) -> bool:
        """Whether no person is involved: with client credentials, ``sub`` is the client (Logto 1.42)."""
        return self.subject == self.client_id

    @property
    def user(self) -> str:
        """Who uses the token: its subject, or the person who acts for the subject."""
        return self.actor or self.subject


class VerifiedTokens:
    """Verifies each token once, and remembers its contents until it expires.

    ``get_verifier`` returns the issuer's verifier. ``support_app_id`` is the only application whose tokens
    name two people, or "" without one.
    """

    def __init__(
        self,
        get_verifier: Callable[[], Awaitable[TokenVerifier]],
        *,
        api_resource: str,
        support_app_id: str = "",
    ) -> None:
        self._get_verifier = get_verifier
        self._api_resource = api_resource
        self._support_app_id = support_app_id
        self._remembered: OrderedDict[bytes, BearerToken] = OrderedDict()

    async def verify(self, token: str) -> BearerToken:
        """Return the contents of a token. Raises :class:`InvalidToken`, which never contains the token."""
        verified = self.find_verified(token)
        if verified is None:
            verified = await self._verify(token)
            self._remembered[verified.fingerprint] = verified
            if len(self._remembered) > _MAX_REMEMBERED:
                self._remembered.popitem(last=False)
        return verified

    def find_verified(self, token: str) -> BearerToken | None:
        """Return the contents of a token that was verified before and has not expired, or None."""
        verified = self._remembered.get(key := fingerprint(token))
        if verified is None or verified.expires_at + LEEWAY <= time.time():
            return None
        self._remembered.move_to_end(key)
        return verified

    async def may_be_genuine(self, token: str) -> bool:
        """Return whether a token is worth verifying: everything except its signature is valid."""
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
            bearer = _as_bearer(claims, carrier, fingerprint(token))
            require_expected_actor(bearer, self._support_app_id)
        except TokenRejected as rejected:
            log.info("bearer token rejected", reason=str(rejected))
            raise InvalidToken(_("The token is not accepted: %(reason)s.", reason=rejected.reason)) from None
        return bearer

    def _audience_of(self, token: str) -> tuple[Carrier, str]:
        """Return which of our two audiences the token claims to be for. The signature is not checked."""
        if len(token) > _LONGEST:
            raise TokenRejected(_("too long"))
        audience = decode_unverified(token).get("aud")
        if audience == self._api_resource:
            return Carrier.API_TOKEN, audience
        if isinstance(audience, str) and audience.startswith(ORGANIZATION_AUDIENCE):
            return Carrier.ORGANIZATION_TOKEN, audience
        raise TokenRejected(_("not issued for this API"))


def _as_bearer(claims: dict[str, Any], carrier: Carrier, token_hash: bytes) -> BearerToken:
    organization_id = claims.get("organization_id")
    if carrier is Carrier.ORGANIZATION_TOKEN:
        named = str(claims["aud"]).removeprefix(ORGANIZATION_AUDIENCE)
        if not is_id(named):
            raise TokenRejected(_("its audience names no organization"))
        if organization_id not in (None, named):  # a custom claim can set it (Logto 1.42)
            raise TokenRejected(_("it names two organizations"))
        organization_id = named
    return BearerToken(
        fingerprint=token_hash,
        subject=claims["sub"],
        client_id=claims.get("client_id") or "",
        carrier=carrier,
        organization_id=organization_id or None,
        scopes=scopes_of(claims),
        issued_at=int(claims["iat"]),
        expires_at=int(claims["exp"]),
        actor=actor_of(claims),
    )
