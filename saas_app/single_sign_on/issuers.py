"""Inspects the OpenID Connect issuer that an admin entered, before it is stored or turned on.

A provider can publish something else later, so each sign-in reads and checks it again
(:mod:`saas_app.single_sign_on.visits`).
"""

from __future__ import annotations

from ssl import SSLContext
from typing import Final

from saas_app.single_sign_on.checked_hosts import IssuerRefused, LookUp, Refusal, look_up
from saas_app.single_sign_on.provider_addresses import ISSUER_LENGTH, NotAnIssuer, read_issuer
from saas_app.single_sign_on.visits import ProviderMetadata, ProviderVisits

__all__ = [
    "ISSUER_LENGTH",
    "IssuerInspector",
    "IssuerRefused",
    "NotAnIssuer",
    "ProviderMetadata",
    "Refusal",
    "read_issuer",
]

_TIMEOUT: Final = 5.0  # seconds


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
        self._visits = ProviderVisits(
            allows_private=allows_private, look_up=look_up, tls=tls, timeout=timeout
        )

    async def inspect(self, issuer: str) -> ProviderMetadata:
        """Return what the provider of an issuer publishes, if it can be used.

        Raises :class:`IssuerRefused`. The request in which this runs keeps no database connection.
        """
        async with self._visits.visit(issuer) as visit:
            await visit.fetch_keys()
            return visit.metadata
