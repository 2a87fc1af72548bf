"""Calls for the members of an organization and their roles."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from saas_app.logto.calls import Calls
from saas_app.logto.paths import segment
from saas_app.logto.records import MachineInfo, MemberInfo, MembersPage, RoleName
from saas_app.logto.responses import Answer, ManagementError

NOT_A_MEMBER: Final = "organization.require_membership"


class MemberCalls(Calls):
    """People and machines of an organization."""

    async def add_members(self, organization_id: str, user_ids: Collection[str]) -> None:
        """Make people members. Nothing changes for those who are members already."""
        await self._body("POST", _people(organization_id), {"userIds": list(user_ids)}, repeatable=True)

    async def list_members(self, organization_id: str, *, role_id: str | None = None) -> list[MemberInfo]:
        """Return every member with their roles, or every member who has one role. It reads all pages.

        Logto sends an empty list for an unknown organization.
        """
        query = {"organizationRoleId": role_id} if role_id else None
        return MemberInfo.read_all(await self._transport.list_all(_people(organization_id), query))

    async def list_members_page(
        self,
        organization_id: str,
        *,
        page: int,
        page_size: int,
        search: str = "",
        role_id: str | None = None,
    ) -> MembersPage[MemberInfo]:
        """Return a page of members by user ID, counted from 1. ``search`` covers names and addresses."""
        answer = await self._page(_people(organization_id), page, page_size, search, role_id)
        return MembersPage(tuple(MemberInfo.read_all(answer.body)), answer.total or 0)

    async def list_machines_page(
        self, organization_id: str, *, page: int, page_size: int, search: str = ""
    ) -> MembersPage[MachineInfo]:
        """Return a page of the machine applications in an organization, counted from 1."""
        path = f"/organizations/{segment(organization_id)}/applications"
        answer = await self._page(path, page, page_size, search, None)
        return MembersPage(tuple(MachineInfo.read_all(answer.body)), answer.total or 0)

    async def find_member_roles(self, organization_id: str, user_id: str) -> frozenset[str] | None:
        """Return the names of a member's roles, or None for a person who is not a member."""
        try:
            body = await self._find("/organizations/{}/users/{}/roles", organization_id, user_id)
        except ManagementError as refusal:
            if refusal.code == NOT_A_MEMBER:
                return None
            raise
        return None if body is None else frozenset(role.name for role in RoleName.read_all(body))

    async def remove_member(self, organization_id: str, user_id: str) -> None:
        """Remove a member and their roles from an organization. 404 for a person who is not a member."""
        await self._body("DELETE", f"{_people(organization_id)}/{segment(user_id)}")

    async def assign_roles(self, organization_id: str, user_id: str, role_names: Collection[str]) -> None:
        """Add roles to those a member has. Without roles, nothing is sent: Logto 1.42 fails with 500."""
        if role_names:
            body = {"organizationRoleNames": list(role_names)}
            await self._body("POST", _roles_of(organization_id, user_id), body, repeatable=True)

    async def replace_roles(self, organization_id: str, user_id: str, role_names: Collection[str]) -> None:
        """Set the roles of a member."""
        body = {"organizationRoleNames": list(role_names), "organizationRoleIds": []}
        await self._body("PUT", _roles_of(organization_id, user_id), body)

    async def remove_role(self, organization_id: str, user_id: str, role_id: str) -> None:
        """Take one role away from a member, and leave the others. 404 if they do not hold it."""
        await self._body("DELETE", f"{_roles_of(organization_id, user_id)}/{segment(role_id)}")

    async def _page(self, path: str, page: int, page_size: int, search: str, role_id: str | None) -> Answer:
        query: dict[str, str | int] = {"page": page, "page_size": page_size}
        if search:
            query["q"] = search
        if role_id:
            query["organizationRoleId"] = role_id
        return await self._transport.call("GET", path, query=query)


def _people(organization_id: str) -> str:
    return f"/organizations/{segment(organization_id)}/users"


def _roles_of(organization_id: str, user_id: str) -> str:
    return f"{_people(organization_id)}/{segment(user_id)}/roles"
