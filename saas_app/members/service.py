"""Questions about the members of an organization, which Logto answers page by page.

Nothing is stored here: Logto stores members and roles, and every page asks it. Its errors become ours
(:func:`saas_app.logto.explaining`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from saas_app.identity.tenant import Tenant
from saas_app.logto import LogtoUser, ManagementClient, MemberInfo, MembersPage, explaining
from saas_app.members.values import (
    MAX_SORTED,
    Listing,
    Machine,
    Member,
    MembersFilter,
    MemberSort,
    NotAMember,
    People,
)
from saas_app.rbac.permissions import Role, RoleType, in_role_order
from saas_app.text.languages import current_language
from saas_app.text.order import order_key
from saas_app.text.translation import _
from saas_app.text.visible import isolated

T = TypeVar("T")


async def list_people(management: ManagementClient, tenant: Tenant, wanted: MembersFilter) -> People:
    """Return a page of the people, with their roles. Nobody holds a role that Logto does not know."""
    with explaining():
        roles = await management.list_organization_roles()
        role_ids = {role.name: role.id for role in roles if role.type == RoleType.USER}
        if wanted.role and wanted.role not in role_ids:
            return People(_listing((), wanted, 0), tuple(role_ids))
        found = await _read_page(management, tenant, wanted, role_ids.get(wanted.role))
    members = [_as_member(tenant, info.user, info.role_names) for info in found.items]
    if wanted.sort is not MemberSort.LOGTO and found.total <= MAX_SORTED:
        start = (wanted.page - 1) * wanted.page_size
        members = _sorted(members, wanted.sort)[start : start + wanted.page_size]
    return People(_listing(tuple(members), wanted, found.total), tuple(role_ids))


async def _read_page(
    management: ManagementClient, tenant: Tenant, wanted: MembersFilter, role_id: str | None
) -> MembersPage[MemberInfo]:
    """Read a page of Logto's, or to sort them everybody, if there are few enough."""
    if wanted.sort is not MemberSort.LOGTO:
        everybody = await management.list_members_page(
            tenant.organization_id, page=1, page_size=MAX_SORTED, search=wanted.search, role_id=role_id
        )
        if everybody.total <= MAX_SORTED:
            return everybody
    return await management.list_members_page(
        tenant.organization_id,
        page=wanted.page,
        page_size=wanted.page_size,
        search=wanted.search,
        role_id=role_id,
    )


def _sorted(members: list[Member], sort: MemberSort) -> list[Member]:
    language = current_language()

    def key(member: Member) -> tuple[str, str, str]:
        name = order_key(member.display_name, language)
        if sort.column == "email":
            return order_key(member.email or "", language), name, member.id
        if sort.column == "roles":
            return " ".join(in_role_order(member.role_names)), name, member.id
        return name, "", member.id

    return sorted(members, key=key, reverse=sort.is_down)


async def list_chosen(management: ManagementClient, tenant: Tenant, user_ids: Sequence[str]) -> list[Member]:
    """Return the chosen people who are members now, in the given order."""
    members = []
    for user_id in user_ids:
        try:
            members.append(await get_member(management, tenant, user_id))
        except NotAMember:
            continue
    return members


async def list_machines(
    management: ManagementClient, tenant: Tenant, wanted: MembersFilter
) -> Listing[Machine]:
    """Return a page of the machines that belong to the organization, with their roles."""
    with explaining():
        found = await management.list_machines_page(
            tenant.organization_id, page=wanted.page, page_size=wanted.page_size, search=wanted.search
        )
    machines = (Machine(info.id, info.name, info.description, info.role_names) for info in found.items)
    return _listing(tuple(machines), wanted, found.total)


async def get_member(management: ManagementClient, tenant: Tenant, user_id: str) -> Member:
    """Return a member as Logto knows them now. Raises :class:`NotAMember`."""
    with explaining():
        role_names = await management.find_member_roles(tenant.organization_id, user_id)
        if role_names is None:
            raise NotAMember(
                _(
                    "This person is not a member of %(organization)s. They may have left or been removed. "
                    "Nothing was changed.",
                    organization=isolated(tenant.organization_name),
                )
            )
        return _as_member(tenant, await management.get_user(user_id), role_names)


async def is_last_admin(management: ManagementClient, tenant: Tenant, member: Member) -> bool:
    """Return whether no other member could run the organization. Asks Logto for all of its admins.

    Suspended people cannot sign in, so they do not count.
    """
    if not member.is_admin:
        return False
    with explaining():
        roles = await management.list_organization_roles()
        role_id = next((role.id for role in roles if role.name == Role.ADMIN), None)
        if role_id is None:
            return True
        admins = await management.list_members(tenant.organization_id, role_id=role_id)
    return not any(admin.user.id != member.id and not admin.user.is_suspended for admin in admins)


def _listing(items: tuple[T, ...], wanted: MembersFilter, total: int) -> Listing[T]:
    return Listing(items, wanted.page, total, wanted.page_size)


def _as_member(tenant: Tenant, user: LogtoUser, role_names: frozenset[str]) -> Member:
    return Member(
        id=user.id,
        display_name=user.display_name,
        email=user.email,
        is_suspended=user.is_suspended,
        role_names=role_names,
        is_self=user.id == tenant.principal.subject,
        picture=user.avatar,
    )
