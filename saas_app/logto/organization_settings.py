"""The calls behind an organization's settings. Part of the client."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from urllib.parse import quote

from saas_app.logto.paths import segment
from saas_app.logto.records import JoiningDomain, OrganizationInfo, RoleName
from saas_app.logto.transport import ManagementTransport, as_list


class OrganizationSettingsCalls:
    """Name, second factors and auto-join domains. Mixed into the client, which brings the transport."""

    _transport: ManagementTransport

    async def update_organization(
        self,
        organization_id: str,
        *,
        name: str | None = None,
        description: str | None = None,
        is_mfa_required: bool | None = None,
    ) -> OrganizationInfo:
        """Change what is given, and nothing else; 404 ``entity.not_exists`` when there is none."""
        given = {"name": name, "description": description, "isMfaRequired": is_mfa_required}
        body: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
        answer = await self._transport.call("PATCH", f"/organizations/{segment(organization_id)}", body=body)
        return OrganizationInfo.read(answer.body)

    async def list_joining_domains(self, organization_id: str) -> list[str]:
        """The email domains whose people become members when they sign up."""
        answer = await self._transport.call("GET", f"{_joining(organization_id)}/email-domains")
        return [found.email_domain for found in JoiningDomain.read_all(answer.body)]

    async def add_joining_domain(self, organization_id: str, domain: str) -> None:
        """Let a domain's people join; 422 ``entity.unique_integrity_violation`` when they may already."""
        await self._transport.call(
            "POST", f"{_joining(organization_id)}/email-domains", body={"emailDomain": domain}
        )

    async def remove_joining_domain(self, organization_id: str, domain: str) -> None:
        """Let nobody join by this domain any more; 404 when it is not on the list."""
        path = f"{_joining(organization_id)}/email-domains/{quote(domain, safe='')}"
        await self._transport.call("DELETE", path)

    async def list_joining_roles(self, organization_id: str) -> frozenset[str]:
        """The names of the roles that who joins by themselves is given."""
        answer = await self._transport.call("GET", f"{_joining(organization_id)}/roles")
        return frozenset(role.name for role in RoleName.read_all(answer.body))

    async def replace_joining_roles(self, organization_id: str, role_ids: Collection[str]) -> None:
        """Let who joins by themselves be given exactly these roles."""
        await self._transport.call(
            "PUT", f"{_joining(organization_id)}/roles", body={"organizationRoleIds": list(role_ids)}
        )

    async def has_second_factor(self, user_id: str) -> bool:
        """Return whether an account has a second factor for organizations (Logto 1.42: not email or SMS)."""
        answer = await self._transport.call("GET", f"/users/{segment(user_id)}/mfa-verifications")
        return bool(as_list(answer.body))


def _joining(organization_id: str) -> str:
    return f"/organizations/{segment(organization_id)}/jit"
