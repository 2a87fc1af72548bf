"""Finding organizations of the caller, and explaining their access."""

from datetime import UTC, datetime

from saas_app.identity.profiles import Membership
from saas_app.identity.tenants import TokenDescription
from saas_app.organizations.service import (
    Matrix,
    example_decision,
    permission_matrix,
    search_memberships,
)
from saas_app.rbac.permissions import OPERATOR_PERMISSIONS, Carrier, Permission, Role, roles_granting
from tests.tokens import scopes_of

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def _memberships(*names: str) -> list[Membership]:
    return [Membership(f"id-{number}", name, frozenset()) for number, name in enumerate(names)]


def test_organizations_are_found_by_a_part_of_their_name() -> None:
    found = search_memberships(_memberships("Initech", "ACME Straße", "globex"), " strasse ")
    assert [membership.organization_name for membership in found] == ["ACME Straße"]


def test_organizations_are_listed_by_name_and_equal_names_by_id() -> None:
    ordered = search_memberships(_memberships("Acme", "Beta", "Acme", "alpha"), "")
    assert [membership.organization_id for membership in ordered] == ["id-0", "id-2", "id-3", "id-1"]


def _token(carrier: Carrier, *scopes: str) -> TokenDescription:
    return TokenDescription("audience", carrier, scopes, {}, NOW, NOW, NOW)


def _carried_by_permission(matrix: Matrix) -> dict[Permission, bool | None]:
    return {row.permission: row.carried for _carrier, rows in matrix.groups for row in rows}


def test_the_matrix_highlights_the_held_roles() -> None:
    matrix = permission_matrix(frozenset({"editor", "a role of another application"}), [])
    assert [column.role for column in matrix.columns if column.held] == [Role.EDITOR]


def test_the_matrix_distinguishes_tokens_from_roles() -> None:
    tokens = [_token(Carrier.API_TOKEN, "projects:read", "members:remove", "unknown:scope")]
    matrix = permission_matrix(frozenset({Role.EDITOR.value}), tokens)
    carried = _carried_by_permission(matrix)
    assert set(carried) == set(Permission) - OPERATOR_PERMISSIONS
    assert carried[Permission.PROJECTS_READ] is True
    assert carried[Permission.PROJECTS_WRITE] is False
    assert carried[Permission.MEMBERS_REMOVE] is None
    assert set(matrix.not_in_token) == set(scopes_of(Role.EDITOR)) - {Permission.PROJECTS_READ}


def test_the_matrix_of_the_operators_team_shows_what_only_they_may_do() -> None:
    role = next(role for permission in OPERATOR_PERMISSIONS for role in roles_granting(permission))
    matrix = permission_matrix(frozenset({role.value}), [])
    assert set(_carried_by_permission(matrix)) == set(Permission)
    assert [column.role for column in matrix.columns if column.held] == [role]


def test_the_example_decision_is_a_denial() -> None:
    decision = example_decision()
    assert not decision.allowed
    assert decision.permission is not None
    assert decision.roles_that_grant == roles_granting(decision.permission)
