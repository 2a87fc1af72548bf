"""Decides who may assign which role: nobody gives more than they hold. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from saas_app.rbac.decision import Decision, Step, StepResult
from saas_app.rbac.endings import latest_end
from saas_app.rbac.permissions import (
    OPERATOR_PERMISSIONS,
    ROLE_PERMISSIONS,
    Permission,
    Role,
    RoleType,
    in_role_order,
    permissions_of,
)
from saas_app.rbac.policy import AccessFacts, decide, proved
from saas_app.text.translation import Sentence, _
from saas_app.text.visible import isolated

PERSON_ROLES: Final = tuple(
    role for role in Role if role.type is RoleType.USER and not ROLE_PERMISSIONS[role] & OPERATOR_PERMISSIONS
)
"""The roles that can be assigned to people, in the registry's order. The operator assigns the others."""

OPERATOR_ROLES: Final = frozenset(
    role.value for role in Role if ROLE_PERMISSIONS[role] & OPERATOR_PERMISSIONS
)
"""The names of the roles of the operator's own team."""

MACHINE_ROLES: Final = tuple(role for role in Role if role.type is RoleType.MACHINE)
"""The roles that can be assigned to API clients, in the registry's order."""

MACHINE_PERMISSIONS: Final = tuple(
    permission
    for permission in Permission
    if any(permission in ROLE_PERMISSIONS[role] for role in MACHINE_ROLES)
)
"""The permissions that an API client can have, in the registry's order."""

_ROLES: Final = {role.value: role for role in Role}


@dataclass(frozen=True, slots=True)
class RoleChange:
    """The permissions a member gains and loses by a change of roles, in the registry's order.

    The preview of the change shows them.
    """

    added: frozenset[str]
    removed: frozenset[str]
    gained: tuple[Permission, ...]
    lost: tuple[Permission, ...]

    @property
    def is_empty(self) -> bool:
        """Whether the change has no effect."""
        return not self.added and not self.removed


@dataclass(frozen=True, slots=True)
class DeniedAssignment:
    """Why a caller may not assign a role: the decision, and a sentence that names the role.

    ``latest`` is the last end for which they may assign it, or None if they may not assign it at all.
    """

    decision: Decision
    explanation: Sentence
    latest: datetime | None = None


def preview(before: frozenset[str], after: frozenset[str]) -> RoleChange:
    """Compare two sets of role names. Unknown names grant nothing."""
    held, holds = permissions_of(before), permissions_of(after)
    return RoleChange(
        added=after - before,
        removed=before - after,
        gained=_in_order(holds - held),
        lost=_in_order(held - holds),
    )


def missing_to_assign(granted: frozenset[Permission], role: Role) -> tuple[Permission, ...]:
    """Return the permissions of ``role`` that the caller does not hold, in the registry's order.

    Empty means that the caller may assign the role.
    """
    return _in_order(ROLE_PERMISSIONS[role] - granted)


def assignable_roles(granted: frozenset[Permission]) -> tuple[Role, ...]:
    """Return the roles for people that a caller with ``granted`` may assign, in the registry's order."""
    return tuple(role for role in PERSON_ROLES if not missing_to_assign(granted, role))


def machine_roles_for(permissions: Collection[Permission]) -> tuple[Role, ...]:
    """Return the roles for API clients that grant these permissions, and as few others as possible.

    ``permissions`` are among :data:`MACHINE_PERMISSIONS`. Each comes from the smallest role that grants it. A
    role that another one includes is left out.
    """
    smallest = {
        min(
            (role for role in MACHINE_ROLES if permission in ROLE_PERMISSIONS[role]),
            key=lambda role: len(ROLE_PERMISSIONS[role]),
        )
        for permission in permissions
    }
    return tuple(
        role
        for role in MACHINE_ROLES
        if role in smallest
        and not any(ROLE_PERMISSIONS[role] < ROLE_PERMISSIONS[other] for other in smallest)
    )


def find_denied_assignment(
    facts: AccessFacts, role_names: Collection[str], until: datetime | None = None
) -> DeniedAssignment | None:
    """Return the first of these roles that the caller may not assign, or None if they may assign all.

    The roles end at ``until``, or never. An unknown role may grant anything in Logto, so nobody may assign it
    here.
    """
    for name in in_role_order(role_names):
        role = _ROLES.get(name)
        if role is None:
            why = _(
                "You cannot assign the %(role)s role, because Workroom does not recognize it.",
                role=isolated(name),
            )
            step = StepResult(Step.PERMISSION, False, why)
            return DeniedAssignment(Decision(False, (*proved(facts), step)), why)
        missing = missing_to_assign(facts.granted, role)
        if missing:
            return DeniedAssignment(
                decide(facts, missing[0]),
                _(
                    "The %(role)s role includes %(permission)s, which you do not have. You can assign only "
                    "roles whose permissions you have.",
                    role=role.value,
                    permission=missing[0].value,
                ),
            )
        if denied := _find_too_late(facts, role, until):
            return denied
    return None


def _find_too_late(facts: AccessFacts, role: Role, until: datetime | None) -> DeniedAssignment | None:
    """Return why the caller may not assign the role until then: they hold its permissions for less long."""
    latest = latest_end(facts.until, role)
    if latest is None or (until is not None and until <= latest):
        return None
    permission = _in_order([item for item in ROLE_PERMISSIONS[role] if facts.until.get(item) == latest])[0]
    why = _(
        "The %(role)s role includes %(permission)s, which you have only until %(time)s. You can assign the "
        "role only with an end that is not later.",
        role=role.value,
        permission=permission.value,
        time=latest.strftime("%Y-%m-%d %H:%M UTC"),
    )
    step = StepResult(Step.PERMISSION, False, why)
    return DeniedAssignment(Decision(False, (*proved(facts), step), permission=permission), why, latest)


def _in_order(permissions: Collection[Permission]) -> tuple[Permission, ...]:
    return tuple(permission for permission in Permission if permission in permissions)
