"""Calls for auto-join: the email domains whose people become members, and their roles."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import quote

from saas_app.logto.calls import Calls
from saas_app.logto.paths import segment
from saas_app.logto.records import JoiningDomain, RoleName


class AutoJoinCalls(Calls):
    """Auto-join of an organization. Logto's API calls it just-in-time provisioning."""

    async def list_joining_domains(self, organization_id: str) -> list[str]:
        """Return the email domains whose people become members when they sign up."""
        body = await self._body("GET", f"{_path(organization_id)}/email-domains")
        return [found.email_domain for found in JoiningDomain.read_all(body)]

    async def add_joining_domain(self, organization_id: str, domain: str) -> None:
        """Let people of a domain join. 422 ``entity.unique_integrity_violation`` if they already do."""
        await self._body("POST", f"{_path(organization_id)}/email-domains", {"emailDomain": domain})

    async def remove_joining_domain(self, organization_id: str, domain: str) -> None:
        """Stop people of a domain from joining. 404 if the domain is not on the list."""
        await self._body("DELETE", f"{_path(organization_id)}/email-domains/{quote(domain, safe='')}")

    async def list_joining_roles(self, organization_id: str) -> frozenset[str]:
        """Return the names of the roles that people get who join by a domain."""
        body = await self._body("GET", f"{_path(organization_id)}/roles")
        return frozenset(role.name for role in RoleName.read_all(body))

    async def replace_joining_roles(self, organization_id: str, role_ids: Collection[str]) -> None:
        """Set the roles that people get who join by a domain."""
        await self._body("PUT", f"{_path(organization_id)}/roles", {"organizationRoleIds": list(role_ids)})


def _path(organization_id: str) -> str:
    return f"/organizations/{segment(organization_id)}/jit"
