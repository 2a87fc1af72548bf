"""The interface of a caller that guards use, the same for every credential.

Only a credential's ``prove`` creates a caller, so no later step of the ladder can come before the first.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from saas_app.identity.principal import Principal
from saas_app.identity.tenant import Tenant
from saas_app.rbac.decision import Decision
from saas_app.rbac.permissions import Carrier


class Caller(Protocol):
    """A person or program that has proved its identity."""

    @property
    def principal(self) -> Principal:
        """The identity of the caller."""

    @property
    def organization_id(self) -> str | None:
        """The organization that the credential is bound to, or None."""

    async def get_tenant(
        self, organization_id: str, carriers: Collection[Carrier] = (), *, is_visit: bool = True
    ) -> Tenant:
        """Find the tenant: the organization in the path, for this caller.

        ``carriers`` are the kinds of token that the route needs. ``is_visit``: a person opened the page on
        purpose. Raises :class:`NotFound` if the caller does not belong to the organization, or if it does not
        exist.
        """

    def denial(self, tenant: Tenant, decision: Decision) -> Exception:
        """Return the error for a denied decision: :class:`PermissionDenied`, or a renewal that lifts it."""

    def require_fresh_sign_in(self, tenant: Tenant) -> None:
        """Raise unless the caller signed in within ``FRESH_SIGN_IN_MAX_AGE``."""

    async def complete(self, tenant: Tenant) -> Tenant:
        """Return the tenant with all permissions of the caller, for routes that need more than one.

        Call it after the decision, because the result may hold more than the credential grants.
        """
