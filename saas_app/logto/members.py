"""The calls about who belongs to an organization, and with which roles. Part of the client."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from saas_app.logto.paths import segment
from saas_app.logto.records import MachineInfo, MemberInfo, MembersPage, RoleName
from saas_app.logto.transport import Answer, ManagementError, ManagementTransport

NOT_A_MEMBER: Final = "organization.require_membership"


class MemberCalls:
    """People and machines of an organization. Mixed into the client, which brings the transport."""

    _transport: ManagementTransport

    async def add_members(self, organization_id: str, user_ids: Collection[str]) -> None:
        """Make people members; who is one already stays as they are."""
        await self._transport.call(
            "POST", _people(organization_id), body={"userIds": list(user_ids)}, repeatable=True
        )

    async def list_members(self, organization_id: str, *, role_id: str | None = None) -> list[MemberInfo]:
        """Every member with their roles, or every holder of one role: all pages.

        Logto answers an empty list for an unknown organization.
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
        """One page of the members, counted from 1, by user id; ``search`` looks into names and addresses."""
        answer = await self._page(_people(organization_id), page, page_size, search, role_id)
        return MembersPage(tuple(MemberInfo.read_all(answer.body)), answer.total or 0)

    async def list_machines_page(
        self, organization_id: str, *, page: int, page_size: int, search: str = ""
    ) -> MembersPage[MachineInfo]:
        """One page of the machine applications that belong to an organization, counted from 1."""
        path = f"/organizations/{segment(organization_id)}/applications"
        answer = await self._page(path, page, page_size, search, None)
        return MembersPage(tuple(MachineInfo.read_all(answer.body)), answer.total or 0)

    async def find_member_roles(self, organization_id: str, user_id: str) -> frozenset[str] | None:
        """The names of a member's roles; None for who is not a member."""
        try:
            answer = await self._transport.call("GET", _roles_of(organization_id, user_id))
        except ManagementError as refusal:
            if refusal.code == NOT_A_MEMBER or refusal.status == 404:
                return None
            raise
        return frozenset(role.name for role in RoleName.read_all(answer.body))

    async def remove_member(self, organization_id: str, user_id: str) -> None:
        """Take somebody out of an organization, their roles with them; 404 for who is not a member."""
        await self._transport.call("DELETE", f"{_people(organization_id)}/{segment(user_id)}")

    async def assign_roles(self, organization_id: str, user_id: str, role_names: Collection[str]) -> None:
        """Add roles to those a member holds. Assigning none is a no-op: Logto 1.42 answers it with 500."""
        if role_names:
            await self._transport.call(
                "POST",
                _roles_of(organization_id, user_id),
                body={"organizationRoleNames": list(role_names)},
                repeatable=True,
            )

    async def replace_roles(self, organization_id: str, user_id: str, role_names: Collection[str]) -> None:
        """Let a member hold exactly these roles."""
        await self._transport.call(
            "PUT",
            _roles_of(organization_id, user_id),
            body={"organizationRoleNames": list(role_names), "organizationRoleIds": []},
        )

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
