"""Nobody assigns a role with permissions they do not have: assignable roles, and explanations of denials."""

from __future__ import annotations

from collections.abc import Collection
from itertools import combinations

import pytest

from saas_app.rbac.assignment import (
    MACHINE_PERMISSIONS,
    DeniedAssignment,
    assignable_roles,
    find_denied_assignment,
    machine_roles_for,
    missing_to_assign,
)
from saas_app.rbac.permissions import ROLE_PERMISSIONS, Carrier, Permission, Role, RoleType
from saas_app.rbac.policy import AccessFacts


def facts(
    granted: Collection[Permission], role_names: frozenset[str] | None = frozenset({"own"})
) -> AccessFacts:
    return AccessFacts("Ada", "Acme", role_names, frozenset(granted), frozenset(Carrier))


def denied(granted: Collection[Permission], *role_names: str) -> DeniedAssignment:
    found = find_denied_assignment(facts(granted), role_names)
    assert found is not None
    assert not found.decision.allowed
    return found


@pytest.mark.parametrize("role", Role)
def test_a_caller_with_all_permissions_of_a_role_may_assign_it(role: Role) -> None:
    held = ROLE_PERMISSIONS[role]
    assert find_denied_assignment(facts(held), [role.value]) is None
    assert missing_to_assign(held, role) == ()


@pytest.mark.parametrize(
    ("role", "permission"),
    [(role, permission) for role in Role for permission in sorted(ROLE_PERMISSIONS[role])],
)
def test_each_permission_of_a_role_is_needed_to_assign_it(role: Role, permission: Permission) -> None:
    found = denied(frozenset(Permission) - {permission}, role.value)
    assert found.decision.permission is permission
    assert f"The {role.value} role includes {permission.value}, which you do not have" in found.explanation
    assert missing_to_assign(frozenset(Permission) - {permission}, role) == (permission,)


def test_roles_within_the_callers_permissions_may_be_assigned_together() -> None:
    assert find_denied_assignment(facts(ROLE_PERMISSIONS[Role.EDITOR]), {"viewer", "editor"}) is None


def test_the_first_role_beyond_the_callers_permissions_is_named_with_what_is_missing() -> None:
    granted = ROLE_PERMISSIONS[Role.EDITOR]
    missing = next(one for one in Permission if one in ROLE_PERMISSIONS[Role.ADMIN] - granted)
    found = denied(granted, "viewer", "admin")
    assert found.decision.permission is missing
    assert f"The admin role includes {missing.value}" in found.explanation


def test_nobody_may_assign_a_role_that_the_registry_does_not_know() -> None:
    found = denied(frozenset(Permission), "viewer", "people-manager")
    assert found.decision.permission is None
    assert "people-manager" in found.explanation
    assert found.decision.decided_by.explanation == found.explanation


def test_a_token_that_was_not_read_grants_nothing() -> None:
    unread = AccessFacts("Ada", "Acme", None, frozenset(), frozenset({Carrier.ORGANIZATION_TOKEN}))
    found = find_denied_assignment(unread, ["integration"])
    assert found is not None
    assert "this request has none" in found.decision.decided_by.explanation


def test_only_roles_for_people_are_offered() -> None:
    assert assignable_roles(frozenset(Permission)) == (Role.ADMIN, Role.EDITOR, Role.VIEWER)
    assert assignable_roles(ROLE_PERMISSIONS[Role.VIEWER]) == (Role.VIEWER,)
    assert assignable_roles(frozenset()) == ()


EVERY_CHOICE = [
    frozenset(chosen)
    for number in range(1, len(MACHINE_PERMISSIONS) + 1)
    for chosen in combinations(MACHINE_PERMISSIONS, number)
]


def granted_by(roles: Collection[Role]) -> frozenset[Permission]:
    return frozenset().union(*(ROLE_PERMISSIONS[role] for role in roles))


def test_every_choice_of_permissions_for_a_client_has_roles_that_grant_it() -> None:
    for chosen in EVERY_CHOICE:
        roles = machine_roles_for(chosen)
        assert chosen <= granted_by(roles)
        assert all(role.type is RoleType.MACHINE for role in roles)


def test_the_roles_for_a_choice_grant_only_it_and_the_viewing_that_it_needs() -> None:
    for chosen in EVERY_CHOICE:
        needed = {
            permission
            for permission in Permission
            if permission.value in {f"{item.value.partition(':')[0]}:read" for item in chosen}
        }
        assert granted_by(machine_roles_for(chosen)) <= chosen | needed


def test_no_role_of_a_choice_is_part_of_another() -> None:
    for chosen in EVERY_CHOICE:
        granted = [ROLE_PERMISSIONS[role] for role in machine_roles_for(chosen)]
        assert not [(one, other) for one in granted for other in granted if one < other]


def test_no_client_can_manage_clients_roles_or_the_organization() -> None:
    assert not {
        Permission.API_CLIENTS_MANAGE,
        Permission.MEMBERS_INVITE,
        Permission.MEMBERS_UPDATE,
        Permission.ORGANIZATION_UPDATE,
        Permission.ORGANIZATION_DELETE,
    } & set(MACHINE_PERMISSIONS)
