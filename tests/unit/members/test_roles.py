"""Roles in the form for a member: which are offered, kept and rejected."""

from __future__ import annotations

import pytest

from saas_app.errors import Invalid
from saas_app.members.roles import kept_roles, read_choice, role_options, with_choice
from saas_app.rbac.permissions import ROLE_PERMISSIONS, Permission, Role


def test_only_roles_for_people_are_offered_in_registry_order() -> None:
    options = role_options(frozenset({"viewer"}), frozenset(Permission))
    assert [option.role for option in options] == [Role.ADMIN, Role.EDITOR, Role.VIEWER]
    assert [option.held for option in options] == [False, False, True]
    assert all(option.is_open for option in options)


def test_a_role_beyond_the_callers_permissions_is_disabled_and_names_the_missing_ones() -> None:
    admin, editor, viewer = role_options(frozenset(), ROLE_PERMISSIONS[Role.VIEWER])
    assert not admin.is_open
    assert set(editor.missing) == ROLE_PERMISSIONS[Role.EDITOR] - ROLE_PERMISSIONS[Role.VIEWER]
    assert not editor.is_open
    assert viewer.is_open


def test_a_held_role_can_be_removed_even_if_the_caller_could_not_assign_it() -> None:
    admin = role_options(frozenset({"admin"}), frozenset())[0]
    assert admin.missing
    assert admin.is_open


def test_roles_that_are_not_offered_are_kept_with_any_choice() -> None:
    held = frozenset({"editor", "integration", "people-manager"})
    assert kept_roles(held) == {"integration", "people-manager"}
    assert with_choice(held, frozenset({Role.VIEWER})) == {"viewer", "integration", "people-manager"}
    assert with_choice(held, frozenset()) == {"integration", "people-manager"}


@pytest.mark.parametrize("name", ["integration", "Admin", "", "people-manager"])
def test_a_name_that_is_not_a_role_for_people_is_rejected(name: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read_choice(["viewer", name])
    assert f"“{name}”" in refusal.value.fields["roles"]
