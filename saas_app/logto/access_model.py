"""Calls for what every organization shares: permissions, roles and API resources."""

from __future__ import annotations

from collections.abc import Iterable

from saas_app.logto.calls import Calls
from saas_app.logto.paths import segment
from saas_app.logto.records import OrganizationRole, OrganizationScope, Resource, ResourceScope


class AccessModelCalls(Calls):
    """The organization template (permissions and roles), and the API resources with their scopes."""

    async def list_organization_scopes(self) -> list[OrganizationScope]:
        """Return every organization permission."""
        return OrganizationScope.read_all(await self._transport.list_all("/organization-scopes"))

    async def create_organization_scope(self, name: str, description: str) -> OrganizationScope:
        """Add an organization permission."""
        body = {"name": name, "description": description}
        return OrganizationScope.read(await self._body("POST", "/organization-scopes", body))

    async def describe_organization_scope(self, scope_id: str, description: str) -> None:
        """Change the description of an organization permission."""
        await self._body("PATCH", f"/organization-scopes/{segment(scope_id)}", {"description": description})

    async def list_organization_roles(self) -> list[OrganizationRole]:
        """Return every organization role with its permissions. Only the list has them (Logto 1.42)."""
        return OrganizationRole.read_all(await self._transport.list_all("/organization-roles"))

    async def create_organization_role(self, name: str, description: str, type_: str) -> OrganizationRole:
        """Add a role without permissions. ``type_`` is User or MachineToMachine and cannot be changed."""
        body = {"name": name, "description": description, "type": type_}
        return OrganizationRole.read(await self._body("POST", "/organization-roles", body))

    async def describe_organization_role(self, role_id: str, description: str) -> None:
        """Change the description of a role."""
        await self._body("PATCH", f"/organization-roles/{segment(role_id)}", {"description": description})

    async def replace_role_scopes(self, role_id: str, scope_ids: Iterable[str]) -> None:
        """Set the organization permissions of a role."""
        body = {"organizationScopeIds": sorted(scope_ids)}
        await self._body("PUT", f"/organization-roles/{segment(role_id)}/scopes", body)

    async def replace_role_resource_scopes(self, role_id: str, scope_ids: Iterable[str]) -> None:
        """Set the API-resource scopes of a role."""
        body = {"scopeIds": sorted(scope_ids)}
        await self._body("PUT", f"/organization-roles/{segment(role_id)}/resource-scopes", body)

    async def list_resources(self) -> list[Resource]:
        """Return every API resource with its scopes."""
        return Resource.read_all(await self._transport.list_all("/resources", {"includeScopes": "true"}))

    async def create_resource(self, name: str, indicator: str) -> Resource:
        """Add an API resource. Its indicator cannot be changed."""
        return Resource.read(await self._body("POST", "/resources", {"name": name, "indicator": indicator}))

    async def create_resource_scope(self, resource_id: str, name: str, description: str) -> ResourceScope:
        """Add a scope to an API resource."""
        body = {"name": name, "description": description}
        return ResourceScope.read(await self._body("POST", _scopes(resource_id), body))

    async def describe_resource_scope(self, resource_id: str, scope_id: str, description: str) -> None:
        """Change the description of a scope."""
        path = f"{_scopes(resource_id)}/{segment(scope_id)}"
        await self._body("PATCH", path, {"description": description})


def _scopes(resource_id: str) -> str:
    return f"/resources/{segment(resource_id)}/scopes"
