"""What is offered, kept and refused when roles are chosen."""

from __future__ import annotations

import pytest

from saas_app.errors import Invalid
from saas_app.members.roles import kept_roles, read_choice, role_options, with_choice
from saas_app.rbac.permissions import ROLE_PERMISSIONS, Permission, Role


def test_only_roles_for_people_are_offered_in_the_registrys_order() -> None:
    options = role_options(frozenset({"viewer"}), frozenset(Permission))
    assert [option.role for option in options] == [Role.ADMIN, Role.EDITOR, Role.VIEWER]
    assert [option.held for option in options] == [False, False, True]
    assert all(option.is_open for option in options)


def test_a_role_that_reaches_further_is_closed_and_says_what_is_lacking() -> None:
    admin, editor, viewer = role_options(frozenset(), ROLE_PERMISSIONS[Role.VIEWER])
    assert not admin.is_open
    assert editor.missing == (Permission.PROJECTS_WRITE,)
    assert not editor.is_open
    assert viewer.is_open


def test_a_held_role_can_be_taken_away_though_it_could_not_be_given() -> None:
    admin = role_options(frozenset({"admin"}), frozenset())[0]
    assert admin.missing
    assert admin.is_open


def test_roles_the_registry_does_not_offer_to_people_stay_with_any_choice() -> None:
    held = frozenset({"editor", "integration", "people-manager"})
    assert kept_roles(held) == {"integration", "people-manager"}
    assert with_choice(held, frozenset({Role.VIEWER})) == {"viewer", "integration", "people-manager"}
    assert with_choice(held, frozenset()) == {"integration", "people-manager"}


@pytest.mark.parametrize("name", ["integration", "Admin", "", "people-manager"])
def test_a_name_that_is_no_role_for_people_is_refused(name: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read_choice(["viewer", name])
    assert f"“{name}”" in refusal.value.fields["roles"]
