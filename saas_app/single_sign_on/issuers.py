"""Inspects the OpenID Connect issuer that an admin entered, before it is stored or turned on.

A provider can publish something else later, so each sign-in reads and checks it again
(:mod:`saas_app.single_sign_on.visits`).
"""

from __future__ import annotations

from saas_app.single_sign_on.checked_hosts import IssuerFault, IssuerRefused
from saas_app.single_sign_on.provider_addresses import ISSUER_LENGTH, NotAnIssuer, read_issuer
from saas_app.single_sign_on.visits import ProviderMetadata, ProviderVisits

__all__ = [
    "ISSUER_LENGTH",
    "IssuerFault",
    "IssuerInspector",
    "IssuerRefused",
    "NotAnIssuer",
    "ProviderMetadata",
    "read_issuer",
]


class IssuerInspector:
    """Fetches what issuers publish, and checks it."""

    def __init__(self, visits: ProviderVisits) -> None:
        self._visits = visits

    async def inspect(self, issuer: str) -> ProviderMetadata:
        """Return what the provider of an issuer publishes, if it can be used.

        Raises :class:`IssuerRefused`. The request in which this runs keeps no database connection.
        """
        async with self._visits.visit(issuer) as visit:
            await visit.fetch_keys()
            return visit.metadata
