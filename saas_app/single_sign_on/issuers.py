"""Inspects the OpenID Connect issuer that an admin entered, before Logto is told about it.

Logto 1.42 fetches ``<issuer>/.well-known/openid-configuration`` itself, but checks neither that the hosts are
public nor that the published issuer is the configured one. A provider can publish something else later, so an
operator also keeps Logto out of private networks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any, Final

import structlog

from saas_app.db.kept_connection import release_kept
from saas_app.single_sign_on.checked_hosts import CheckedHosts, IssuerRefused, LookUp, Refusal, look_up
from saas_app.single_sign_on.fetching import fetch_json, open_session
from saas_app.single_sign_on.provider_addresses import (
    DISCOVERY_PATH,
    ISSUER_LENGTH,
    Endpoint,
    NotAnEndpoint,
    NotAnIssuer,
    read_endpoint,
    read_issuer,
)
from saas_app.text.translation import _

__all__ = [
    "ISSUER_LENGTH",
    "IssuerInspector",
    "IssuerRefused",
    "NotAnIssuer",
    "ProviderMetadata",
    "Refusal",
    "read_issuer",
]

log = structlog.get_logger(__name__)

_TIMEOUT: Final = 5.0  # seconds
_ASYMMETRIC: Final = ("RS", "PS", "ES", "Ed")  # RS256, PS384, ES512, EdDSA, Ed25519
_KEY_MEMBERS: Final = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
_MOST_SHOWN: Final = 100  # scopes or claims
_LONGEST_SHOWN: Final = 100  # characters of each


@dataclass(frozen=True, slots=True)
class ProviderMetadata:
    """What a provider publishes. Scopes and claims are empty if it does not list them."""

    issuer: str
    """As published, so possibly with a final slash that the configured one does not have."""
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    scopes_supported: tuple[str, ...]
    claims_supported: tuple[str, ...]


class IssuerInspector:
    """Fetches what issuers publish, and checks it."""

    def __init__(
        self,
        *,
        allows_private: bool,
        look_up: LookUp = look_up,
        tls: SSLContext | None = None,
        timeout: float = _TIMEOUT,
    ) -> None:
        """``timeout`` is in seconds, for one inspection. ``allows_private`` is for development only.

        By default, names are looked up and certificates are trusted as on this machine.
        """
        self._allows_private = allows_private
        self._look_up = look_up
        self._tls = tls
        self._timeout = timeout

    async def inspect(self, issuer: str) -> ProviderMetadata:
        """Return what the provider of an issuer publishes, if Logto can use it.

        Raises :class:`IssuerRefused`. The request in which this runs keeps no database connection.
        """
        await release_kept()
        try:
            issuer = read_issuer(issuer, allows_private=self._allows_private)
        except NotAnIssuer as wrong:
            raise IssuerRefused(Refusal.ADDRESS, wrong.reason) from None
        try:
            async with asyncio.timeout(self._timeout):
                return await self._inspect(issuer)
        except TimeoutError:
            refused = IssuerRefused(
                Refusal.TIMEOUT,
                _("The provider did not respond in time. Check the issuer, or try again later."),
            )
        except IssuerRefused as error:
            refused = error
        log.info("an issuer was refused", issuer=issuer, reason=refused.kind.value)
        raise refused from None

    async def _inspect(self, issuer: str) -> ProviderMetadata:
        hosts = CheckedHosts(self._look_up, allows_private=self._allows_private)
        async with open_session(hosts, self._tls) as http:
            metadata = read_endpoint(f"{issuer}{DISCOVERY_PATH}", allows_private=self._allows_private)
            await hosts.admit(metadata.host)
            document = await fetch_json(http, metadata)
            _check_issuer(document, issuer)
            _check_flow(document)
            authorization = await self._endpoint(hosts, document, "authorization_endpoint")
            token = await self._endpoint(hosts, document, "token_endpoint")
            jwks = await self._endpoint(hosts, document, "jwks_uri")
            userinfo = (
                await self._endpoint(hosts, document, "userinfo_endpoint")
                if document.get("userinfo_endpoint") is not None
                else None
            )
            _check_keys(await fetch_json(http, jwks))
        return ProviderMetadata(
            issuer=document["issuer"],
            authorization_endpoint=authorization.address,
            token_endpoint=token.address,
            jwks_uri=jwks.address,
            userinfo_endpoint=userinfo.address if userinfo else None,
            scopes_supported=_shown(document.get("scopes_supported")),
            claims_supported=_shown(document.get("claims_supported")),
        )

    async def _endpoint(self, hosts: CheckedHosts, document: Mapping[str, Any], member: str) -> Endpoint:
        """Return a published endpoint, with its host admitted."""
        try:
            endpoint = read_endpoint(document.get(member), allows_private=self._allows_private)
        except NotAnEndpoint:
            raise IssuerRefused(
                Refusal.ENDPOINT,
                _(
                    "The provider publishes no usable %(member)s. It must be an address that starts with "
                    "https:// and names a host on the internet.",
                    member=f"“{member}”",
                ),
            ) from None
        await hosts.admit(endpoint.host)
        return endpoint


def _check_issuer(document: Mapping[str, Any], issuer: str) -> None:
    if document.get("issuer") not in (issuer, f"{issuer}/"):
        raise IssuerRefused(
            Refusal.OTHER_ISSUER,
            _(
                "The provider publishes another issuer than the one you entered. Open %(metadata)s and copy "
                "the value of “issuer”.",
                metadata=f"{issuer}{DISCOVERY_PATH}",
            ),
        )


def _check_flow(document: Mapping[str, Any]) -> None:
    """Check the authorization code flow and the signatures, where the provider says what it supports."""
    types = document.get("response_types_supported")
    if types is not None and "code" not in _texts(types):
        raise IssuerRefused(
            Refusal.NO_CODE_FLOW,
            _("The provider does not support the authorization code flow. Enable it there (“code”)."),
        )
    algorithms = document.get("id_token_signing_alg_values_supported")
    if algorithms is not None and not any(name.startswith(_ASYMMETRIC) for name in _texts(algorithms)):
        raise IssuerRefused(
            Refusal.NO_ALGORITHM,
            _("The provider does not sign ID tokens with a public key. Enable RS256 or ES256 there."),
        )


def _check_keys(document: Mapping[str, Any]) -> None:
    keys = document.get("keys")
    if not isinstance(keys, list) or not any(map(_verifies_signatures, keys)):
        raise IssuerRefused(
            Refusal.NO_KEY,
            _("The provider publishes no key that verifies signatures. Check its signing keys."),
        )


def _verifies_signatures(key: object) -> bool:
    """Return whether a JSON Web Key (RFC 7517) is a complete public key that is not for encryption only."""
    if not isinstance(key, dict) or key.get("use", "sig") != "sig":
        return False
    members = _KEY_MEMBERS.get(str(key.get("kty")), ())
    return bool(members) and all(isinstance(key.get(member), str) and key[member] for member in members)


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _shown(value: object) -> tuple[str, ...]:
    texts = [text for text in _texts(value) if text and len(text) <= _LONGEST_SHOWN]
    return tuple(dict.fromkeys(texts))[:_MOST_SHOWN]
