"""Questions about the members of an organization, which Logto answers page by page.

Nothing is stored here: Logto stores members and roles, and every page asks it. Its errors become ours
(:func:`saas_app.logto.explaining`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from saas_app.errors import NotFound
from saas_app.identity.tenant import Tenant
from saas_app.logto import (
    LogtoUser,
    ManagementClient,
    explaining,
)
from saas_app.rbac.permissions import Role, RoleType
from saas_app.text.visible import isolated

PAGE_SIZE = 20

T = TypeVar("T")


class NotAMember(NotFound):
    """The organization has no member with this id. An account of a non-member looks like a missing one."""

    code, title = "not-a-member", "Member not found"


@dataclass(frozen=True, slots=True)
class Member:
    """A person of the organization. ``is_self`` says whether it is the caller."""

    id: str
    display_name: str
    email: str | None
    is_suspended: bool
    role_names: frozenset[str]
    is_self: bool

    @property
    def is_admin(self) -> bool:
        """Whether the member holds the role that runs the organization."""
        return Role.ADMIN.value in self.role_names


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine application that belongs to the organization, with the names of its roles there."""

    id: str
    name: str
    description: str | None
    role_names: frozenset[str]


@dataclass(frozen=True, slots=True)
class MembersFilter:
    """A filter of members. ``role`` is a role's name; empty texts do not filter."""

    search: str = ""
    role: str = ""
    page: int = 1  # counted from 1, as Logto does
    page_size: int = PAGE_SIZE

    @property
    def is_empty(self) -> bool:
        """Whether the filter matches everybody."""
        return not self.search and not self.role


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """A page of a list in Logto, and its position among all pages."""

    items: tuple[T, ...]
    number: int
    total: int
    size: int = PAGE_SIZE

    @property
    def first(self) -> int:
        """The position of the first item, counted from 1."""
        return (self.number - 1) * self.size + 1

    @property
    def last(self) -> int:
        """The position of the last item."""
        return self.first + len(self.items) - 1

    @property
    def has_next(self) -> bool:
        """Whether another page follows."""
        return self.number * self.size < self.total

    @property
    def is_past_end(self) -> bool:
        """Whether the list has items but ends before this page, because it has become shorter."""
        return not self.items and self.total > 0

    @property
    def last_number(self) -> int:
        """The number of the last page."""
        return max(1, -(-self.total // self.size))


@dataclass(frozen=True, slots=True)
class People:
    """A page of people, and the roles to filter by."""

    page: Listing[Member]
    role_names: tuple[str, ...]


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
                f"This person is not a member of {isolated(tenant.organization_name)}. They "
                "may have left or been removed. Nothing was changed."
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
    )
