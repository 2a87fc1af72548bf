"""Groups at the company's provider, as roles."""

from __future__ import annotations

import pytest

from saas_app.rbac.assignment import MACHINE_ROLES, OPERATOR_ROLES, PERSON_ROLES
from saas_app.single_sign_on.groups import groups_in, wanted_roles
from saas_app.single_sign_on.values import GroupRole

FIRST, SECOND, THIRD, *_ = [role.value for role in PERSON_ROLES]
MAPPING = (GroupRole("staff", FIRST), GroupRole("leads", SECOND), GroupRole("more leads", SECOND))


@pytest.mark.parametrize(
    ("claim", "groups"),
    [
        (["staff", "leads"], {"staff", "leads"}),
        ("staff", {"staff"}),
        ("staff,leads", {"staff,leads"}),
        ('["staff"]', {'["staff"]'}),
        ([], set()),
        (None, set()),
        (7, set()),
        (True, set()),
        ({"staff": True}, set()),
        (["staff", 7, None, ["leads"], {"leads": 1}], {"staff"}),
    ],
)
def test_only_texts_are_groups(claim: object, groups: set[str]) -> None:
    assert groups_in(claim) == groups


@pytest.mark.parametrize(
    ("claim", "held", "wanted"),
    [
        (["staff"], set(), {FIRST}),
        (["staff", "leads"], set(), {FIRST, SECOND}),
        (["leads"], {FIRST}, {SECOND}),
        (["more leads"], {SECOND}, {SECOND}),
        ([], {FIRST, SECOND}, set()),
        (None, {FIRST}, set()),
        (["others"], {FIRST, THIRD}, {THIRD}),
        (["Staff", " staff"], {FIRST}, set()),
        (["staff"], {"made in Logto"}, {FIRST, "made in Logto"}),
    ],
)
def test_the_roles_of_the_mapping_follow_the_groups_and_others_stay(
    claim: object, held: set[str], wanted: set[str]
) -> None:
    assert wanted_roles(claim, MAPPING, held) == wanted


@pytest.mark.parametrize("role", [*OPERATOR_ROLES, *(role.value for role in MACHINE_ROLES), "made in Logto"])
def test_a_role_that_nobody_can_assign_is_neither_given_nor_taken(role: str) -> None:
    mapping = (GroupRole("staff", role),)

    assert wanted_roles(["staff"], mapping, ()) == frozenset()
    assert wanted_roles([], mapping, (role,)) == {role}


def test_a_huge_claim_is_read() -> None:
    claim = [f"group {number}" for number in range(100_000)]

    assert wanted_roles([*claim, "staff"], MAPPING, ()) == {FIRST}
