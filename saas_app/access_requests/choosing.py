"""The roles that a member can ask for, and who could assign them. Pure."""

from __future__ import annotations

from collections.abc import Collection

from saas_app.rbac.assignment import PERSON_ROLES, missing_to_assign, preview
from saas_app.rbac.permissions import ROLE_PERMISSIONS, Permission, Role, permissions_of

DECIDING_ROLES = tuple(role for role in PERSON_ROLES if Permission.MEMBERS_UPDATE in ROLE_PERMISSIONS[role])
"""The roles whose holders can decide about requests."""


def roles_to_ask(
    held: frozenset[str], permission: Permission | None = None, ending: Collection[str] = ()
) -> list[Role]:
    """Return the roles for people that add something to those that are held, the one that adds least first.

    Roles that are held and end are among them, if their holder would lose something at the end. With a
    permission, only roles that grant it.
    """
    roles = (
        role
        for role in PERSON_ROLES
        if gained_by(held, role, ending) and (permission is None or permission in ROLE_PERMISSIONS[role])
    )
    return sorted(roles, key=lambda role: len(gained_by(held, role, ending)))


def gained_by(held: frozenset[str], role: Role, ending: Collection[str] = ()) -> tuple[Permission, ...]:
    """Return the permissions that a role adds to those that are held.

    If the role itself is held, it adds something only to those that are not ``ending``.
    """
    others = held - frozenset(ending) if role.value in held else held
    return preview(others, others | {role.value}).gained


def could_approve(role_names: frozenset[str], role: Role) -> bool:
    """Return whether a member with these roles can change roles, and assign this one."""
    granted = permissions_of(role_names)
    return Permission.MEMBERS_UPDATE in granted and not missing_to_assign(granted, role)
