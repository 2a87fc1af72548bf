"""The calls about machine applications: made, given to an organization, their secrets. Part of the client.

Secrets and their list are read with :meth:`ManagementClient.list_secrets`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from saas_app.logto.paths import quoted, segment
from saas_app.logto.records import Application, OrganizationMembership
from saas_app.logto.transport import ManagementError, ManagementTransport

MACHINE: Final = "MachineToMachine"


class MachineClientCalls:
    """Machine applications. Mixed into the client, which brings the transport."""

    _transport: ManagementTransport

    async def create_machine(
        self, name: str, description: str, *, custom_data: Mapping[str, Any]
    ) -> Application:
        """Create a machine application with its first secret, which the reply does not show (Logto 1.42)."""
        body = {"name": name, "type": MACHINE, "description": description, "customData": dict(custom_data)}
        return Application.read((await self._transport.call("POST", "/applications", body=body)).body)

    async def list_machines_called(self, name: str) -> list[Application]:
        """Every machine application of the tenant with exactly this name: names are not unique."""
        query = {"types": MACHINE, "search.name": name, "mode.name": "exact"}
        return Application.read_all(await self._transport.list_all("/applications", query))

    async def delete_application(self, application_id: str) -> None:
        """Delete an application with its secrets, in every organization it belongs to; 404 without one."""
        await self._transport.call("DELETE", f"/applications/{segment(application_id)}")

    async def find_machine_organizations(self, application_id: str) -> list[OrganizationMembership] | None:
        """Every organization a machine belongs to, in one call; None when there is no such application."""
        try:
            answer = await self._transport.call(
                "GET", f"/applications/{segment(application_id)}/organizations"
            )
        except ManagementError as refusal:
            if refusal.status == 404:
                return None
            raise
        return OrganizationMembership.read_all(answer.body)

    async def add_machine(self, organization_id: str, application_id: str) -> None:
        """Let a machine belong to an organization; one that does already stays as it is."""
        body = {"applicationIds": [application_id]}
        await self._transport.call("POST", _machines(organization_id), body=body, repeatable=True)

    async def assign_machine_roles(
        self, organization_id: str, application_id: str, role_ids: Collection[str]
    ) -> None:
        """Add roles for machines to those a machine holds; 422 for a role for people."""
        path = f"{_machines(organization_id)}/{segment(application_id)}/roles"
        body = {"organizationRoleIds": list(role_ids)}
        await self._transport.call("POST", path, body=body, repeatable=True)

    async def remove_machine(self, organization_id: str, application_id: str) -> None:
        """Take a machine out of an organization, its roles with it; the application stays."""
        await self._transport.call("DELETE", f"{_machines(organization_id)}/{segment(application_id)}")

    async def delete_secret(self, application_id: str, name: str) -> None:
        """Delete a secret by its name, which may be any text; 404 without one."""
        path = f"/applications/{segment(application_id)}/secrets/{quoted(name)}"
        await self._transport.call("DELETE", path)


def _machines(organization_id: str) -> str:
    return f"/organizations/{segment(organization_id)}/applications"
