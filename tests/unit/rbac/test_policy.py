"""The policy: decisions from plain values, without I/O."""

import pytest

from saas_app.rbac.assignment import MACHINE_ROLES, PERSON_ROLES
from saas_app.rbac.decision import Step
from saas_app.rbac.permissions import (
    OPERATOR_PERMISSIONS,
    ROLE_PERMISSIONS,
    Carrier,
    Permission,
    Role,
    known_permissions,
    permissions_carried_by,
    permissions_of,
    roles_granting,
)
from saas_app.rbac.policy import AccessFacts, decide


def facts(
    role: str = "viewer",
    granted: frozenset[Permission] = frozenset(),
    carriers: frozenset[Carrier] = frozenset(Carrier),
) -> AccessFacts:
    return AccessFacts("Alice", "Acme Robotics", frozenset({role}), granted, carriers)


@pytest.mark.parametrize("permission", Permission)
def test_a_token_that_carries_the_permission_allows_the_action(permission: Permission) -> None:
    decision = decide(facts(granted=frozenset({permission})), permission)

    assert decision.allowed
    assert [step.step for step in decision.steps] == [
        Step.AUTHENTICATED,
        Step.MEMBER,
        Step.AUDIENCE,
        Step.PERMISSION,
    ]
    assert all(step.passed for step in decision.steps)


@pytest.mark.parametrize("permission", Permission)
def test_a_permission_that_no_token_carries_is_denied(permission: Permission) -> None:
    decision = decide(facts(granted=frozenset(Permission) - {permission}), permission)

    assert not decision.allowed
    assert decision.decided_by.step is Step.PERMISSION
    assert permission.value in decision.decided_by.explanation
    assert decision.roles_that_grant == roles_granting(permission)


def test_a_role_without_a_token_allows_nothing() -> None:
    decision = decide(facts("admin", carriers=frozenset()), Permission.PROJECTS_READ)

    assert not decision.allowed
    assert decision.decided_by.step is Step.AUDIENCE


def test_a_permission_is_read_from_its_own_kind_of_token() -> None:
    only_organization_token = frozenset({Carrier.ORGANIZATION_TOKEN})
    decision = decide(
        facts(granted=frozenset({Permission.PROJECTS_READ}), carriers=only_organization_token),
        Permission.PROJECTS_READ,
    )

    assert not decision.allowed


def test_every_permission_has_a_role_a_description_and_a_name_of_noun_and_verb() -> None:
    for permission in Permission:
        assert roles_granting(permission)
        noun, _, verb = permission.value.partition(":")
        assert noun
        assert verb
        assert permission.description


def test_the_admin_role_has_every_permission_but_those_of_the_operators_team() -> None:
    assert ROLE_PERMISSIONS[Role.ADMIN] == frozenset(Permission) - OPERATOR_PERMISSIONS


def test_no_role_that_members_can_assign_has_a_permission_of_the_operators_team() -> None:
    assert not OPERATOR_PERMISSIONS & permissions_of(frozenset(role.value for role in PERSON_ROLES))
    assert not OPERATOR_PERMISSIONS & permissions_of(frozenset(role.value for role in MACHINE_ROLES))


def test_every_permission_has_exactly_one_carrier() -> None:
    divided = [permission for carrier in Carrier for permission in permissions_carried_by(carrier)]
    assert sorted(divided) == sorted(Permission)


def test_unknown_roles_and_scopes_grant_nothing() -> None:
    assert permissions_of(frozenset({"owner", "viewer"})) == ROLE_PERMISSIONS[Role.VIEWER]
    assert known_permissions(frozenset({"projects:read", "all", ""})) == {Permission.PROJECTS_READ}
