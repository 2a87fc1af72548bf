"""The policy: who may do what, from values alone."""

import pytest

from saas_app.rbac.decision import Step
from saas_app.rbac.permissions import (
    ROLE_PERMISSIONS,
    Carrier,
    Permission,
    Role,
    RoleType,
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
def test_a_token_that_carries_the_permission_allows(permission: Permission) -> None:
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
def test_nothing_is_allowed_by_default(permission: Permission) -> None:
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


def test_every_permission_is_granted_by_some_role_and_named_noun_verb() -> None:
    for permission in Permission:
        assert roles_granting(permission)
        noun, _, verb = permission.value.partition(":")
        assert noun
        assert verb
        assert permission.description


def test_admin_holds_everything() -> None:
    assert ROLE_PERMISSIONS[Role.ADMIN] == frozenset(Permission)


def test_only_machines_hold_the_integration_role() -> None:
    assert [role for role in Role if role.type is RoleType.MACHINE] == [Role.INTEGRATION]


def test_carriers_divide_the_permissions() -> None:
    divided = [permission for carrier in Carrier for permission in permissions_carried_by(carrier)]
    assert sorted(divided) == sorted(Permission)


def test_roles_and_scopes_the_registry_does_not_know_add_nothing() -> None:
    assert permissions_of(frozenset({"owner", "viewer"})) == ROLE_PERMISSIONS[Role.VIEWER]
    assert known_permissions(frozenset({"projects:read", "all", ""})) == {Permission.PROJECTS_READ}
