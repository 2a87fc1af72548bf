"""Visits to an identity provider: what it publishes is read and checked, and more requests may follow.

An admin chose the provider, and it can publish something else every time. So each visit reads it again,
checks its hosts again, and has one time limit for everything.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any, Final
from weakref import WeakValueDictionary

import aiohttp
import structlog

from saas_app.db.kept_connection import release_kept
from saas_app.single_sign_on.checked_hosts import CheckedHosts, IssuerFault, IssuerRefused, LookUp, look_up
from saas_app.single_sign_on.fetching import fetch_json, open_session
from saas_app.single_sign_on.provider_addresses import (
    DISCOVERY_PATH,
    Endpoint,
    NotAnEndpoint,
    NotAnIssuer,
    read_endpoint,
    read_issuer,
)
from saas_app.single_sign_on.signatures import ALGORITHMS, verifies_signatures
from saas_app.text.translation import _

log = structlog.get_logger(__name__)

_TIMEOUT: Final = 5.0  # seconds
_AT_ONCE: Final = 8
"""Visits to one issuer. Others wait, so that one that hangs takes little from this process."""
_MOST_SHOWN: Final = 100  # scopes or claims
_LONGEST_SHOWN: Final = 100  # characters of each


@dataclass(frozen=True, slots=True)
class ProviderMetadata:
    """What a provider publishes. Scopes, claims and methods are empty if it does not list them."""

    issuer: str
    """As published, so possibly with a final slash that the configured one does not have."""
    authorization_endpoint: Endpoint
    token_endpoint: Endpoint
    jwks_uri: Endpoint
    userinfo_endpoint: Endpoint | None
    scopes_supported: tuple[str, ...]
    claims_supported: tuple[str, ...]
    token_auth_methods: tuple[str, ...]
    """How its token endpoint lets clients prove who they are."""
    names_itself: bool
    """Whether each answer to an authorization request names the issuer (RFC 9207)."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A provider that was read, and the session to go on with. Hosts of its endpoints are admitted."""

    metadata: ProviderMetadata
    http: aiohttp.ClientSession

    async def fetch_keys(self) -> list[dict[str, Any]]:
        """Return the public keys that verify signatures, at least one. Raises :class:`IssuerRefused`."""
        document = await fetch_json(self.http, self.metadata.jwks_uri)
        published = document.get("keys")
        keys = list(filter(verifies_signatures, published)) if isinstance(published, list) else []
        if not keys:
            raise IssuerRefused(
                IssuerFault.NO_KEY,
                _("The provider publishes no key that verifies signatures. Check its signing keys."),
            )
        return keys


class ProviderVisits:
    """Visits providers that admins entered."""

    def __init__(
        self,
        *,
        allows_private: bool,
        look_up: LookUp = look_up,
        tls: SSLContext | None = None,
        timeout: float = _TIMEOUT,
    ) -> None:
        """``timeout`` is in seconds, for one visit. ``allows_private`` is for development only.

        By default, names are looked up and certificates are trusted as on this machine.
        """
        self._allows_private = allows_private
        self._look_up = look_up
        self._tls = tls
        self._timeout = timeout
        self._turns = WeakValueDictionary[str, asyncio.Semaphore]()

    @asynccontextmanager
    async def visit(self, issuer: str) -> AsyncIterator[Visit]:
        """Visit the provider of an issuer.

        Raises :class:`IssuerRefused`, at the end of the time limit also in the block. The request in which
        this runs keeps no database connection.
        """
        await release_kept()
        try:
            issuer = read_issuer(issuer, allows_private=self._allows_private)
        except NotAnIssuer as wrong:
            raise IssuerRefused(IssuerFault.ADDRESS, wrong.reason) from None
        turns = self._turns.setdefault(issuer, asyncio.Semaphore(_AT_ONCE))
        late = IssuerFault.BUSY if turns.locked() else IssuerFault.TIMEOUT  # the time may pass in the queue
        try:
            async with asyncio.timeout(self._timeout), turns:
                hosts = CheckedHosts(self._look_up, allows_private=self._allows_private)
                async with open_session(hosts, self._tls) as http:
                    yield Visit(await self._read(issuer, hosts, http), http)
                    return
        except TimeoutError:
            refused = IssuerRefused(
                late,
                _("The provider did not respond in time. Check the issuer, or try again later."),
            )
        except IssuerRefused as error:
            refused = error
        log.info("an issuer was refused", issuer=issuer, reason=refused.kind.value)
        raise refused from None

    async def _read(self, issuer: str, hosts: CheckedHosts, http: aiohttp.ClientSession) -> ProviderMetadata:
        metadata = read_endpoint(f"{issuer}{DISCOVERY_PATH}", allows_private=self._allows_private)
        await hosts.admit(metadata.host)
        document = await fetch_json(http, metadata)
        _check_issuer(document, issuer)
        _check_flow(document)
        return ProviderMetadata(
            issuer=document["issuer"],
            authorization_endpoint=await self._endpoint(hosts, document, "authorization_endpoint"),
            token_endpoint=await self._endpoint(hosts, document, "token_endpoint"),
            jwks_uri=await self._endpoint(hosts, document, "jwks_uri"),
            userinfo_endpoint=(
                await self._endpoint(hosts, document, "userinfo_endpoint")
                if document.get("userinfo_endpoint") is not None
                else None
            ),
            scopes_supported=_shown(document.get("scopes_supported")),
            claims_supported=_shown(document.get("claims_supported")),
            token_auth_methods=_shown(document.get("token_endpoint_auth_methods_supported")),
            names_itself=document.get("authorization_response_iss_parameter_supported") is True,
        )

    async def _endpoint(self, hosts: CheckedHosts, document: Mapping[str, Any], member: str) -> Endpoint:
        """Return a published endpoint, with its host admitted."""
        try:
            endpoint = read_endpoint(document.get(member), allows_private=self._allows_private)
        except NotAnEndpoint:
            raise IssuerRefused(
                IssuerFault.ENDPOINT,
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
            IssuerFault.OTHER_ISSUER,
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
            IssuerFault.NO_CODE_FLOW,
            _("The provider does not support the authorization code flow. Enable it there (“code”)."),
        )
    algorithms = document.get("id_token_signing_alg_values_supported")
    if algorithms is not None and ALGORITHMS.keys().isdisjoint(_texts(algorithms)):
        raise IssuerRefused(
            IssuerFault.NO_ALGORITHM,
            _("The provider does not sign ID tokens with a public key. Enable RS256 or ES256 there."),
        )


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _shown(value: object) -> tuple[str, ...]:
    texts = [text for text in _texts(value) if text and len(text) <= _LONGEST_SHOWN]
    return tuple(dict.fromkeys(texts))[:_MOST_SHOWN]
