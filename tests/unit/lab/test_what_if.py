"""The preview of roles: which permission each token would carry now, after a refresh, and after a consent."""

from __future__ import annotations

from itertools import product

import pytest

from saas_app.lab.what_if import Frozen, Outcome, Prediction, predict
from saas_app.rbac.assignment import PERSON_ROLES
from saas_app.rbac.permissions import ROLE_PERMISSIONS, Carrier, Permission, Role, permissions_carried_by

ROLES = (*PERSON_ROLES, None)
OF_ORGANIZATION = frozenset(permissions_carried_by(Carrier.ORGANIZATION_TOKEN))
OF_API = frozenset(permissions_carried_by(Carrier.API_TOKEN))


def permissions(role: Role | None) -> frozenset[Permission]:
    return frozenset() if role is None else ROLE_PERMISSIONS[role]


def names(role: Role | None) -> frozenset[str]:
    return frozenset() if role is None else frozenset({role.value})


def tokens(role: Role | None, frozen: frozenset[Permission]) -> dict[Carrier, frozenset[Permission]]:
    """What the tokens of a member with this role carry, with this grant."""
    return {
        Carrier.ORGANIZATION_TOKEN: permissions(role) & OF_ORGANIZATION,
        Carrier.API_TOKEN: permissions(role) & frozen & OF_API,
    }


def predicted(held: Role | None, consented: Role | None, wanted: Role | None) -> dict[Permission, Prediction]:
    frozen = permissions(consented)
    found = predict(names(wanted), tokens(held, frozen), Frozen.exactly(frozen))
    return {one.permission: one for one in found}


@pytest.mark.parametrize(("held", "consented", "wanted"), list(product(ROLES, ROLES, ROLES)))
class TestEveryCombinationOfRoles:
    def test_now_is_what_the_tokens_carry(
        self, held: Role | None, consented: Role | None, wanted: Role | None
    ) -> None:
        carried = frozenset().union(*tokens(held, permissions(consented)).values())

        found = predicted(held, consented, wanted)

        assert {one for one in Permission if found[one].now} == carried

    def test_organization_permissions_follow_the_role_at_the_next_refresh(
        self, held: Role | None, consented: Role | None, wanted: Role | None
    ) -> None:
        found = predicted(held, consented, wanted)

        assert {one for one in OF_ORGANIZATION if found[one].after_refresh} == (
            permissions(wanted) & OF_ORGANIZATION
        )

    def test_a_refresh_brings_only_frozen_scopes_of_the_role(
        self, held: Role | None, consented: Role | None, wanted: Role | None
    ) -> None:
        found = predicted(held, consented, wanted)

        assert {one for one in OF_API if found[one].after_refresh} == (
            permissions(wanted) & permissions(consented) & OF_API
        )

    def test_a_consent_brings_all_of_the_role(
        self, held: Role | None, consented: Role | None, wanted: Role | None
    ) -> None:
        found = predicted(held, consented, wanted)

        assert {one for one in Permission if found[one].after_consent} == permissions(wanted)

    def test_the_outcome_says_when(
        self, held: Role | None, consented: Role | None, wanted: Role | None
    ) -> None:
        for one in predicted(held, consented, wanted).values():
            expected = {
                (False, False, False): Outcome.STAYS,
                (True, True, True): Outcome.STAYS,
                (False, True, True): Outcome.COMES,
                (False, False, True): Outcome.COMES_WITH_CONSENT,
                (True, False, False): Outcome.GOES,
            }[bool(one.now), bool(one.after_refresh), one.after_consent]
            assert one.outcome is expected


def test_a_promotion_reaches_the_two_tokens_at_different_times() -> None:
    found = predicted(Role.VIEWER, Role.VIEWER, Role.ADMIN)

    assert found[Permission.MEMBERS_INVITE].outcome is Outcome.COMES
    assert found[Permission.PROJECTS_WRITE].outcome is Outcome.COMES_WITH_CONSENT


def test_a_demotion_reaches_both_tokens_with_the_next_refresh() -> None:
    found = predicted(Role.ADMIN, Role.ADMIN, Role.VIEWER)

    assert found[Permission.MEMBERS_INVITE].outcome is Outcome.GOES
    assert found[Permission.PROJECTS_WRITE].outcome is Outcome.GOES


def test_without_a_token_nothing_is_said_about_now() -> None:
    found = predict(names(Role.VIEWER), {}, Frozen.exactly(Permission))

    assert {one.now for one in found} == {None}


def test_tokens_show_what_a_grant_has_and_what_it_lacks() -> None:
    frozen = Frozen.shown_by([(names(Role.EDITOR), frozenset({Permission.PROJECTS_READ}))])

    assert frozen.includes(Permission.PROJECTS_READ) is True
    assert frozen.includes(Permission.PROJECTS_WRITE) is False
    assert frozen.includes(Permission.PROJECTS_DELETE) is None


def test_what_a_grant_froze_may_be_open() -> None:
    carried = {Carrier.API_TOKEN: frozenset({Permission.PROJECTS_READ})}
    frozen = Frozen.shown_by([(names(Role.VIEWER), carried[Carrier.API_TOKEN])])

    found = {one.permission: one for one in predict(names(Role.ADMIN), carried, frozen)}

    assert found[Permission.PROJECTS_DELETE].outcome is Outcome.DEPENDS
    assert found[Permission.PROJECTS_READ].outcome is Outcome.STAYS
