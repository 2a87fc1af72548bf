"""Who may give which role: nobody hands out more than they hold. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from saas_app.rbac.permissions import ROLE_PERMISSIONS, Permission, Role, permissions_of


@dataclass(frozen=True, slots=True)
class RoleChange:
    """What a member would gain and lose by a change of roles: what the preview shows."""

    added: frozenset[str]
    removed: frozenset[str]
    gained: frozenset[Permission]
    lost: frozenset[Permission]

    @property
    def is_empty(self) -> bool:
        """Whether nothing would change."""
        return not self.added and not self.removed


def preview(before: frozenset[str], after: frozenset[str]) -> RoleChange:
    """Compare two sets of role names; names the registry does not know bundle nothing."""
    held, holds = permissions_of(before), permissions_of(after)
    return RoleChange(
        added=after - before,
        removed=before - after,
        gained=frozenset(holds - held),
        lost=frozenset(held - holds),
    )


def missing_to_assign(granted: frozenset[Permission], role: Role) -> frozenset[Permission]:
    """What somebody with ``granted`` lacks to give ``role`` to another. Empty: they may."""
    return ROLE_PERMISSIONS[role] - granted


def assignable_roles(granted: frozenset[Permission], roles: tuple[Role, ...]) -> tuple[Role, ...]:
    """The roles among ``roles`` that somebody with ``granted`` may give, in the registry's order."""
    return tuple(role for role in roles if not missing_to_assign(granted, role))
