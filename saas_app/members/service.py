"""Questions about the members of an organization, which Logto answers page by page.

Logto stores members and roles, and every page asks it. Its errors become ours
(:func:`saas_app.logto.explaining`). Only the ends of roles are stored here. A role that has ended counts as
not held, although Logto has it until the job has taken it away.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from saas_app.changes.organization_change import MemberChange
from saas_app.db.base import utc_now
from saas_app.identity import role_ends
from saas_app.identity.last_admin import is_only_admin
from saas_app.identity.single_sign_on import find_requirement
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
from saas_app.rbac.assignment import OPERATOR_ROLES
from saas_app.rbac.endings import have_ended
from saas_app.rbac.permissions import RoleType, in_role_order
from saas_app.text.languages import current_language
from saas_app.text.order import order_key
from saas_app.text.translation import _
from saas_app.text.visible import isolated

T = TypeVar("T")


async def list_people(change: MemberChange, wanted: MembersFilter) -> People:
    """Return a page of the people, with their roles. Nobody holds a role that Logto does not know."""
    with explaining():
        roles = await change.management.list_organization_roles()
        role_ids = {role.name: role.id for role in roles if role.type == RoleType.USER}
        if wanted.role and wanted.role not in role_ids:
            return People(_listing((), wanted, 0), _filters(change, role_ids))
        found = await _read_page(change, wanted, role_ids.get(wanted.role))
    members = await _as_members(change, [(info.user, info.role_names) for info in found.items])
    if wanted.sort is not MemberSort.LOGTO and found.total <= MAX_SORTED:
        start = (wanted.page - 1) * wanted.page_size
        members = _sorted(members, wanted.sort)[start : start + wanted.page_size]
    return People(_listing(tuple(members), wanted, found.total), _filters(change, role_ids))


def _filters(change: MemberChange, role_names: Collection[str]) -> tuple[str, ...]:
    """Return the roles to filter by. Those of the operator's team are offered only to its members."""
    return tuple(
        name for name in role_names if name not in OPERATOR_ROLES or name in change.caller.role_names
    )


async def _read_page(
    change: MemberChange, wanted: MembersFilter, role_id: str | None
) -> MembersPage[MemberInfo]:
    """Read a page of Logto's, or to sort them everybody, if there are few enough."""
    management = change.management
    if wanted.sort is not MemberSort.LOGTO:
        everybody = await management.list_members_page(
            change.organization_id, page=1, page_size=MAX_SORTED, search=wanted.search, role_id=role_id
        )
        if everybody.total <= MAX_SORTED:
            return everybody
    return await management.list_members_page(
        change.organization_id,
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


async def list_chosen(change: MemberChange, user_ids: Sequence[str]) -> list[Member]:
    """Return the chosen people who are members now, in the given order."""
    members = []
    for user_id in user_ids:
        try:
            members.append(await get_member(change, user_id))
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


async def get_member(change: MemberChange, user_id: str) -> Member:
    """Return a member as Logto knows them now. Raises :class:`NotAMember`."""
    with explaining():
        role_names = await change.management.find_member_roles(change.organization_id, user_id)
        if role_names is None:
            raise NotAMember(
                _(
                    "This person is not a member of %(organization)s. They may have left or been removed. "
                    "Nothing was changed.",
                    organization=isolated(change.caller.organization_name),
                )
            )
        user = await change.management.get_user(user_id)
    (member,) = await _as_members(change, [(user, role_names)])
    return member


async def is_last_admin(change: MemberChange, member: Member) -> bool:
    """Return whether the member is an admin, and no other member could run the organization."""
    return member.is_admin and await is_only_admin(
        change.work, change.management, change.organization_id, member.id
    )


async def is_recovery_admin(change: MemberChange, member: Member) -> bool:
    """Return whether the organization requires single sign-on, and this member comes in without it."""
    async with change.work.reading(change.organization_id) as db:
        required = await find_requirement(db, change.organization_id)
    return required is not None and required.recovery_id == member.id


def _listing(items: tuple[T, ...], wanted: MembersFilter, total: int) -> Listing[T]:
    return Listing(items, wanted.page, total, wanted.page_size)


async def _as_members(
    change: MemberChange, found: Sequence[tuple[LogtoUser, frozenset[str]]]
) -> list[Member]:
    """Return the people as members, with the ends of their roles."""
    async with change.work.reading(change.organization_id) as db:
        ends = await role_ends.list_ends(db, change.organization_id, [user.id for user, _names in found])
    principal, now = change.caller.principal, utc_now()
    own = "" if principal.support else principal.subject  # an agent is none of the members
    return [_as_member(user, names, ends.get(user.id, {}), now, own) for user, names in found]


def _as_member(
    user: LogtoUser, role_names: frozenset[str], ends: Mapping[str, datetime], now: datetime, own: str
) -> Member:
    ended = have_ended(ends, now) & role_names
    return Member(
        id=user.id,
        display_name=user.display_name,
        email=user.email,
        is_suspended=user.is_suspended,
        role_names=role_names - ended,
        is_self=user.id == own,
        picture=user.avatar,
        ends={name: ends[name] for name in role_names - ended if name in ends},
        ended=ended,
    )
