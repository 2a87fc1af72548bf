"""Questions about the members of an organization, which Logto answers page by page.

Nothing is stored here: Logto stores members and roles, and every page asks it. Its errors become ours
(:func:`saas_app.logto.explaining`).
"""

from __future__ import annotations

from typing import TypeVar

from saas_app.identity.tenant import Tenant
from saas_app.logto import LogtoUser, ManagementClient, explaining
from saas_app.members.values import Listing, Machine, Member, MembersFilter, NotAMember, People
from saas_app.rbac.permissions import Role, RoleType
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
        found = await management.list_members_page(
            tenant.organization_id,
            page=wanted.page,
            page_size=wanted.page_size,
            search=wanted.search,
            role_id=role_ids.get(wanted.role),
        )
    members = tuple(_as_member(tenant, info.user, info.role_names) for info in found.items)
    return People(_listing(members, wanted, found.total), tuple(role_ids))


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
