"""Roles that end: which are in force, what they still grant, and for how long others may get them. Pure.

Logto knows no end of a role. So a token may name a role that has ended, and carry its permissions, until the
role was taken away at Logto and the token has expired (decision 28).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from saas_app.rbac.permissions import ROLE_PERMISSIONS, Permission, Role, permissions_of


def have_ended(ends: Mapping[str, datetime], now: datetime) -> frozenset[str]:
    """Return the names of the roles whose end has come. A role ends at its end, not after it."""
    return frozenset(name for name, ends_at in ends.items() if ends_at <= now)


def in_force(role_names: Collection[str], ends: Mapping[str, datetime], now: datetime) -> frozenset[str]:
    """Return the names of the roles that have not ended."""
    return frozenset(role_names) - have_ended(ends, now)


def still_granted(
    granted: frozenset[Permission], ended: Collection[str], in_force_roles: frozenset[str]
) -> frozenset[Permission]:
    """Return what tokens still grant: everything, or after a role ended, what the other roles grant.

    Unknown roles grant nothing then, because a token does not say which role a permission comes from.
    """
    return granted & permissions_of(in_force_roles) if ended else granted


def granted_until(role_names: frozenset[str], ends: Mapping[str, datetime]) -> dict[Permission, datetime]:
    """Return the permissions that a caller holds only for a time, and until when.

    ``role_names`` are the roles that the caller is known to hold, and ``ends`` the future ends of roles. If
    nothing else is known to grant a permission, it ends with the first role that grants it.
    """
    until: dict[Permission, datetime] = {}
    for permission in permissions_of(frozenset(ends)):
        granting = {role.value for role in Role if permission in ROLE_PERMISSIONS[role]}
        held = granting & role_names
        if held <= ends.keys():
            until[permission] = (
                max(ends[name] for name in held)
                if held
                else min(ends[name] for name in granting & ends.keys())
            )
    return until


def latest_end(until: Mapping[Permission, datetime], role: Role) -> datetime | None:
    """Return the latest end of a role that a caller may set, or None if they may give it without an end.

    They must hold each of its permissions for as long; ``until`` is the result of :func:`granted_until`.
    """
    return min((until[item] for item in ROLE_PERMISSIONS[role] if item in until), default=None)


def may_be_renamed(role: str, held: frozenset[str], names: Collection[str]) -> bool:
    """Return whether a role that a member seems to hold no longer may be held under another name.

    ``held`` are their roles, and ``names`` those of all roles at Logto.
    """
    return role not in names and bool(held - {known.value for known in Role})
