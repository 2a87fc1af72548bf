"""Which roles can be asked for, and who could approve them."""

from __future__ import annotations

import pytest

from saas_app.access_requests.choosing import could_approve, gained_by, roles_to_ask
from saas_app.rbac.assignment import PERSON_ROLES
from saas_app.rbac.permissions import ROLE_PERMISSIONS, Permission, Role

NOTHING: frozenset[str] = frozenset()


@pytest.mark.parametrize("permission", list(Permission))
def test_only_roles_for_people_that_grant_the_permission_are_offered(permission: Permission) -> None:
    assert set(roles_to_ask(NOTHING, permission)) == {
        role for role in PERSON_ROLES if permission in ROLE_PERMISSIONS[role]
    }


@pytest.mark.parametrize("held", list(PERSON_ROLES))
def test_a_role_that_adds_nothing_is_not_offered(held: Role) -> None:
    offered = roles_to_ask(frozenset({held.value}))

    assert held not in offered
    assert all(ROLE_PERMISSIONS[role] - ROLE_PERMISSIONS[held] for role in offered)


def test_the_role_that_adds_least_comes_first() -> None:
    added = [len(gained_by(NOTHING, role)) for role in roles_to_ask(NOTHING)]

    assert added == sorted(added)


def test_a_role_that_ends_can_be_asked_for_again() -> None:
    held = frozenset({Role.VIEWER.value, Role.EDITOR.value})

    assert Role.EDITOR not in roles_to_ask(held)
    assert Role.EDITOR in roles_to_ask(held, ending={Role.EDITOR.value})
    assert Role.VIEWER not in roles_to_ask(held, ending={Role.EDITOR.value})


def test_a_role_that_ends_is_about_what_its_holder_would_lose() -> None:
    held = frozenset({Role.VIEWER.value, Role.EDITOR.value})

    assert gained_by(held, Role.EDITOR, {Role.EDITOR.value}) == gained_by(
        frozenset({Role.VIEWER.value}), Role.EDITOR
    )


def test_a_role_that_ends_beside_a_lasting_one_with_more_is_not_offered() -> None:
    held = frozenset({Role.ADMIN.value, Role.EDITOR.value})

    assert roles_to_ask(held, ending={Role.EDITOR.value}) == []


def test_an_unknown_role_grants_nothing() -> None:
    assert roles_to_ask(frozenset({"made in Logto"})) == roles_to_ask(NOTHING)
    assert not could_approve(frozenset({"made in Logto"}), Role.VIEWER)


@pytest.mark.parametrize("role", list(PERSON_ROLES))
def test_approvers_can_change_roles_and_hold_everything_that_the_role_grants(role: Role) -> None:
    able = {holder for holder in PERSON_ROLES if could_approve(frozenset({holder.value}), role)}

    assert able == {
        holder
        for holder in PERSON_ROLES
        if ROLE_PERMISSIONS[holder] >= ROLE_PERMISSIONS[role] | {Permission.MEMBERS_UPDATE}
    }
