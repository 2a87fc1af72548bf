"""Calls for organizations themselves: create, read, change and delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from saas_app.logto.calls import Calls
from saas_app.logto.paths import segment
from saas_app.logto.records import OrganizationInfo, OrganizationMembership


class OrganizationCalls(Calls):
    """Organizations of the tenant. Their members are in :mod:`.members`."""

    async def create_organization(
        self, name: str, description: str | None = None, *, custom_data: Mapping[str, Any] | None = None
    ) -> OrganizationInfo:
        """Create an organization. It has no members yet, not even its creator."""
        body: dict[str, Any] = {"name": name}
        if description:
            body["description"] = description
        if custom_data is not None:
            body["customData"] = dict(custom_data)
        return OrganizationInfo.read(await self._body("POST", "/organizations", body))

    async def get_organization(self, organization_id: str) -> OrganizationInfo:
        """Return an organization. Logto refuses an unknown one with 404 ``entity.not_exists_with_id``."""
        return OrganizationInfo.read(await self._body("GET", _path(organization_id)))

    async def find_organization(self, organization_id: str) -> OrganizationInfo | None:
        """Return an organization, or None if there is none with this ID."""
        found = await self._find("/organizations/{}", organization_id)
        return None if found is None else OrganizationInfo.read(found)

    async def list_organizations(self) -> list[OrganizationInfo]:
        """Return every organization of the tenant. It reads all pages: for commands, not for requests."""
        return OrganizationInfo.read_all(await self._transport.list_all("/organizations"))

    async def list_user_organizations(self, user_id: str) -> list[OrganizationMembership]:
        """Return every organization a person belongs to."""
        body = await self._body("GET", f"/users/{segment(user_id)}/organizations")
        return OrganizationMembership.read_all(body)

    async def update_organization(
        self,
        organization_id: str,
        *,
        name: str | None = None,
        description: str | None = None,
        is_mfa_required: bool | None = None,
        branding: Mapping[str, Any] | None = None,
        color: Mapping[str, Any] | None = None,
    ) -> OrganizationInfo:
        """Change the given fields; None leaves one as it is. 404 ``entity.not_exists`` if there is none.

        Logto replaces ``branding`` and ``color`` as a whole.
        """
        given = {
            "name": name,
            "description": description,
            "isMfaRequired": is_mfa_required,
            "branding": branding,
            "color": color,
        }
        body = {key: value for key, value in given.items() if value is not None}
        return OrganizationInfo.read(await self._body("PATCH", _path(organization_id), body))

    async def delete_organization(self, organization_id: str) -> None:
        """Delete an organization with its memberships and invitations. 404 if there is none."""
        await self._body("DELETE", _path(organization_id))


def _path(organization_id: str) -> str:
    return f"/organizations/{segment(organization_id)}"
