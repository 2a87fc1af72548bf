"""Changes of several members that somebody chose on the list.

Each member is changed as if alone, in a turn of its own: the caller's standing, the last admin and the roles
that may be assigned are checked again, and the audit log gets an entry. A member whose roles changed after
the list was read is skipped. The caller comes last, because a change of their own roles ends their requests.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from saas_app.changes.organization_change import MemberChange
from saas_app.changes.rows import ChosenRow, RowChanged, RowResult, change_each
from saas_app.errors import AppError, LogtoUnavailable
from saas_app.members import changes
from saas_app.members.service import get_member
from saas_app.members.values import Member, RolePlan, WantedRoles
from saas_app.rbac.permissions import Role
from saas_app.text.translation import Sentence

Change: TypeAlias = Callable[[Member], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """What would become of a chosen member: a plan, or the reason why nothing would change."""

    row: ChosenRow
    name: str
    plan: RolePlan | None
    refused: Sentence | None = None


async def plan_roles(
    change: MemberChange, rows: Sequence[ChosenRow], chosen: frozenset[Role]
) -> list[PlannedRow]:
    """Return the result of the choice for each member, if it is allowed now."""
    planned = []
    for row in rows:
        name = ""
        try:
            member = await _get_unchanged(change, row)
            name = member.display_name
            plan = await changes.plan_roles(change, WantedRoles(row.id, member.role_names, chosen))
        except LogtoUnavailable:
            raise
        except AppError as error:
            planned.append(PlannedRow(row, name, None, error.detail or error.title))
        else:
            planned.append(PlannedRow(row, name, plan))
    return planned


async def change_roles(
    change: MemberChange, rows: Sequence[ChosenRow], chosen: frozenset[Role]
) -> list[RowResult]:
    """Give every member these roles. A caller does not give up their own permissions this way."""

    async def change_one(member: Member) -> None:
        await changes.change_roles(change, WantedRoles(member.id, member.role_names, chosen))

    return await _each(change, rows, change_one)


async def remove_members(change: MemberChange, rows: Sequence[ChosenRow]) -> list[RowResult]:
    """Remove the members. The caller is skipped."""

    async def remove(member: Member) -> None:
        await changes.remove_member(change, member.id, member.role_names)

    return await _each(change, rows, remove)


async def _each(change: MemberChange, rows: Sequence[ChosenRow], change_one: Change) -> list[RowResult]:
    names: dict[str, str] = {}

    async def change_row(row: ChosenRow) -> str:
        member = await get_member(change, row.id)
        names[row.id] = member.display_name
        _require_version(member, row)
        await change_one(member)
        return member.display_name

    own = change.caller.principal.subject
    results = await change_each(sorted(rows, key=lambda row: row.id == own), change_row)
    return [replace(result, name=result.name or names.get(result.id, "")) for result in results]


async def _get_unchanged(change: MemberChange, row: ChosenRow) -> Member:
    member = await get_member(change, row.id)
    _require_version(member, row)
    return member


def _require_version(member: Member, row: ChosenRow) -> None:
    if member.version != row.version:
        raise RowChanged({"roles": sorted(member.role_names)})
