"""What a guard may ask of a caller, whatever they proved themselves with.

There is no caller without a proof: only a credential's ``prove`` makes one. So no later step of the ladder
can be taken before the first.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from saas_app.identity.principal import Principal
from saas_app.identity.tenant import Tenant
from saas_app.rbac.decision import Decision
from saas_app.rbac.permissions import Carrier


class Caller(Protocol):
    """A person or program that proved who it is."""

    @property
    def principal(self) -> Principal:
        """Who it is."""

    @property
    def organization_id(self) -> str | None:
        """The one organization that the credential itself is for, if it is bound to one."""

    async def get_tenant(
        self, organization_id: str, carriers: Collection[Carrier] = (), *, is_visit: bool = True
    ) -> Tenant:
        """Find the tenant: the organization in the path, for this caller.

        ``carriers`` are the kinds of token whose permissions the route weighs. ``is_visit``: somebody opened
        it on purpose. Raises :class:`NotFound` alike for an organization that the caller does not belong to
        and for one that does not exist; further what the credential cannot be read without.
        """

    def denial(self, tenant: Tenant, decision: Decision) -> Exception:
        """Return what a denied decision means: :class:`PermissionDenied`, or a way to mend it."""

    def require_fresh_sign_in(self, tenant: Tenant) -> None:
        """Step up: raise unless the caller proved who they are within ``FRESH_SIGN_IN_MAX_AGE``."""

    async def complete(self, tenant: Tenant) -> Tenant:
        """Return the tenant with everything the caller holds, for routes that weigh more than one permission.

        Only for what has been decided already: it may hold more than the credential grants.
        """
