"""Roles that end: what is in force, what is still granted, and that nobody gives longer than they have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import combinations, product

import pytest

from saas_app.rbac.assignment import PERSON_ROLES, find_denied_assignment
from saas_app.rbac.endings import (
    granted_until,
    have_ended,
    in_force,
    latest_end,
    may_be_renamed,
    still_granted,
)
from saas_app.rbac.permissions import (
    ROLE_PERMISSIONS,
    Carrier,
    Permission,
    Role,
    permissions_of,
    roles_granting,
)
from saas_app.rbac.policy import AccessFacts, decide

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
SOON, LATER, LATEST = (NOW + timedelta(hours=hours) for hours in (1, 2, 3))
TICK = timedelta(microseconds=1)

UNKNOWN = "made-in-the-console"
NAMES = tuple(role.value for role in PERSON_ROLES)
MOMENTS = (NOW, SOON, SOON + TICK, LATER, LATER + TICK, LATEST, LATEST + TICK, NOW + timedelta(days=400))

Ends = dict[str, datetime]


def holdings() -> Iterator[tuple[frozenset[str], Ends]]:
    """Yield which roles somebody may hold and when those end, with ends of roles that they do not hold."""
    for count in range(1, len(NAMES) + 1):
        for held in combinations(NAMES, count):
            for ends in product((None, SOON, LATER), repeat=len(NAMES)):
                known = {name: end for name, end in zip(NAMES, ends, strict=True) if end is not None}
                yield frozenset(held), known


def held_at(
    role_names: frozenset[str], ends: Mapping[str, datetime], moment: datetime
) -> frozenset[Permission]:
    """Return what these roles grant at a moment; a role still counts at its end."""
    return permissions_of(frozenset(name for name in role_names if moment <= ends.get(name, moment)))


def facts(role_names: frozenset[str], ends: Ends) -> AccessFacts:
    granted = permissions_of(role_names)
    until = granted_until(role_names, ends)
    return AccessFacts("Ada", "Acme", role_names, granted, frozenset(Carrier), until=until)


@pytest.mark.parametrize(
    ("ends_at", "is_over"), [(NOW - TICK, True), (NOW, True), (NOW + TICK, False), (LATER, False)]
)
def test_a_role_is_over_from_its_end_on(ends_at: datetime, is_over: bool) -> None:
    ends = {"admin": ends_at}

    assert have_ended(ends, NOW) == ({"admin"} if is_over else set())
    assert in_force({"admin", "viewer"}, ends, NOW) == ({"viewer"} if is_over else {"admin", "viewer"})


def test_the_end_of_a_role_that_is_not_held_takes_nothing_away() -> None:
    assert in_force({"viewer"}, {"admin": NOW}, NOW) == {"viewer"}


def test_tokens_grant_everything_while_no_role_has_ended() -> None:
    granted = frozenset(Permission)

    assert still_granted(granted, (), frozenset()) == granted


@pytest.mark.parametrize("ended", NAMES)
@pytest.mark.parametrize("left", [frozenset(rest) for n in range(3) for rest in combinations(NAMES, n)])
def test_after_an_end_tokens_grant_only_what_the_other_roles_grant(ended: str, left: frozenset[str]) -> None:
    granted = permissions_of(left | {ended})

    assert still_granted(granted, {ended}, left - {ended}) == permissions_of(left - {ended})


def test_after_an_end_a_token_gains_nothing_from_the_other_roles() -> None:
    granted = frozenset({Permission.PROJECTS_READ})

    assert still_granted(granted, {"viewer"}, frozenset({"admin"})) == granted


def test_after_an_end_unknown_roles_grant_nothing() -> None:
    assert still_granted(frozenset(Permission), {"viewer"}, frozenset({UNKNOWN})) == frozenset()


def test_nobody_gives_a_role_for_longer_than_they_hold_its_permissions() -> None:
    """Every combination of roles, ends and a moment: what is allowed is held, and what is held is allowed."""
    for (held, ends), role, moment in product(list(holdings()), PERSON_ROLES, MOMENTS):
        own = {name: end for name, end in ends.items() if name in held}
        is_allowed = find_denied_assignment(facts(held, own), [role.value], moment) is None

        assert is_allowed == (ROLE_PERMISSIONS[role] <= held_at(held, own, moment)), (held, own, role, moment)


def test_an_end_of_a_role_that_is_not_held_never_makes_more_assignable() -> None:
    for (held, ends), role, moment in product(list(holdings()), PERSON_ROLES, MOMENTS):
        is_allowed = find_denied_assignment(facts(held, ends), [role.value], moment) is None

        assert not is_allowed or ROLE_PERMISSIONS[role] <= held_at(held, ends, moment), (held, ends, role)


def test_a_role_without_an_end_takes_lasting_permissions() -> None:
    for (held, ends), role in product(list(holdings()), PERSON_ROLES):
        lasting = permissions_of(held - ends.keys())
        is_allowed = find_denied_assignment(facts(held, ends), [role.value]) is None

        assert not is_allowed or ROLE_PERMISSIONS[role] <= lasting, (held, ends, role)


def test_unless_the_roles_are_known_a_permission_ends_with_the_first_role_that_grants_it() -> None:
    shared = ROLE_PERMISSIONS[Role.EDITOR] & ROLE_PERMISSIONS[Role.VIEWER]

    until = granted_until(frozenset(), {"editor": SOON, "viewer": LATER})

    assert shared
    assert {until[permission] for permission in shared} == {SOON}


def test_a_permission_lasts_as_long_as_the_last_role_that_grants_it() -> None:
    until = granted_until(frozenset({"editor", "viewer"}), {"editor": SOON, "viewer": LATER})

    assert latest_end(until, Role.VIEWER) == LATER
    assert latest_end(until, Role.EDITOR) == SOON


def test_nobody_assigns_an_unknown_role_even_with_an_end() -> None:
    everything = facts(frozenset({"admin"}), {})

    assert find_denied_assignment(everything, [UNKNOWN], SOON) is not None


def test_a_denial_says_until_when_the_caller_has_the_permission() -> None:
    denied = find_denied_assignment(facts(frozenset({"admin"}), {"admin": SOON}), ["viewer"], LATER)

    assert denied is not None
    assert not denied.decision.allowed
    assert "which you have only until 2026-11-30 13:00 UTC" in denied.explanation


@pytest.mark.parametrize("permission", Permission)
def test_a_denial_names_the_role_that_has_ended(permission: Permission) -> None:
    role = roles_granting(permission)[0]
    after_it = AccessFacts(
        "Ada", "Acme", frozenset(), frozenset(), frozenset(Carrier), ended=frozenset({role})
    )

    decision = decide(after_it, permission)

    assert decision.decided_by.explanation == (
        f"The {role.value} role, which grants {permission.value}, has ended."
    )


def test_a_denial_does_not_name_an_ended_role_that_never_granted_the_permission() -> None:
    lacked = next(one for one in Permission if one not in ROLE_PERMISSIONS[Role.VIEWER])
    ended = frozenset({"viewer", UNKNOWN})
    after_it = AccessFacts("Ada", "Acme", frozenset(), frozenset(), frozenset(Carrier), ended=ended)

    assert "does not include" in decide(after_it, lacked).decided_by.explanation


@pytest.mark.parametrize(
    ("held", "names", "is_possible"),
    [
        ({"helper"}, {"helper", "viewer"}, True),
        ({"helper"}, {"helper", "editor"}, False),
        ({"viewer"}, {"helper", "viewer"}, False),
        (set(), {"viewer"}, False),
    ],
    ids=["another name", "the name is there", "no unknown role", "no role"],
)
def test_a_role_may_be_renamed_if_logto_has_none_of_its_name_and_the_member_an_unknown_one(
    held: set[str], names: set[str], is_possible: bool
) -> None:
    assert may_be_renamed("editor", frozenset(held), names) is is_possible
