"""Calls for machine applications and their memberships. Their secrets are in :mod:`.applications`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from saas_app.logto.calls import Calls
from saas_app.logto.paths import segment
from saas_app.logto.records import Application, OrganizationMembership

MACHINE: Final = "MachineToMachine"


class MachineClientCalls(Calls):
    """Machine applications, as members of organizations."""

    async def create_machine(
        self, name: str, description: str, *, custom_data: Mapping[str, Any]
    ) -> Application:
        """Create a machine application. Logto adds a secret that is not in the response (Logto 1.42)."""
        body = {"name": name, "type": MACHINE, "description": description, "customData": dict(custom_data)}
        return Application.read(await self._body("POST", "/applications", body))

    async def list_machines_by_name(self, name: str) -> list[Application]:
        """Return every machine application with exactly this name. Names are not unique."""
        query = {"types": MACHINE, "search.name": name, "mode.name": "exact"}
        return Application.read_all(await self._transport.list_all("/applications", query))

    async def find_machine_organizations(self, application_id: str) -> list[OrganizationMembership] | None:
        """Return every organization a machine belongs to, or None if there is no such application."""
        found = await self._find("/applications/{}/organizations", application_id)
        return None if found is None else OrganizationMembership.read_all(found)

    async def add_machine(self, organization_id: str, application_id: str) -> None:
        """Make a machine a member of an organization. Nothing changes if it is one already."""
        body = {"applicationIds": [application_id]}
        await self._body("POST", _machines(organization_id), body, repeatable=True)

    async def assign_machine_roles(
        self, organization_id: str, application_id: str, role_ids: Collection[str]
    ) -> None:
        """Add roles to those a machine has. 422 for a role that is for people."""
        path = f"{_machines(organization_id)}/{segment(application_id)}/roles"
        await self._body("POST", path, {"organizationRoleIds": list(role_ids)}, repeatable=True)

    async def remove_machine(self, organization_id: str, application_id: str) -> None:
        """Remove a machine and its roles from an organization. The application remains."""
        await self._body("DELETE", f"{_machines(organization_id)}/{segment(application_id)}")


def _machines(organization_id: str) -> str:
    return f"/organizations/{segment(organization_id)}/applications"
