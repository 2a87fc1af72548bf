"""The forms in an organization's settings."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from saas_app.errors import BadRequest
from saas_app.organizations.forms import DomainForm, JoiningRoleForm, read_mfa_choice
from saas_app.organizations.values import Details, Joining, changed_since, version_of
from saas_app.rbac.permissions import Role


def test_a_domain_is_cleaned_before_it_is_used() -> None:
    form = DomainForm(MultiDict({"domain": " Example.COM "}))
    assert form.validate()
    assert form.domain.data == "example.com"


def test_a_refused_domain_keeps_what_was_typed() -> None:
    form = DomainForm(MultiDict({"domain": "gmail.com"}))
    assert not form.validate()
    assert form.domain.data == "gmail.com"


@pytest.mark.parametrize(("value", "role"), [("", None), ("viewer", Role.VIEWER)])
def test_an_offered_role_can_be_chosen(value: str, role: Role | None) -> None:
    form = JoiningRoleForm(MultiDict({"role": value}), offered=[Role.VIEWER])
    assert form.validate()
    assert form.as_role() is role


def test_the_form_accepts_a_role_that_the_caller_may_not_assign_and_leaves_the_decision_to_the_policy() -> (
    None
):
    form = JoiningRoleForm(MultiDict({"role": "admin"}), offered=[Role.VIEWER])
    assert form.validate()
    assert form.as_role() is Role.ADMIN


@pytest.mark.parametrize("value", ["integration", "owner", "viewer "])
def test_a_role_that_is_not_for_people_is_rejected(value: str) -> None:
    form = JoiningRoleForm(MultiDict({"role": value}), offered=[Role.VIEWER])
    assert not form.validate()


@pytest.mark.parametrize(("value", "chosen"), [("yes", True), ("no", False)])
def test_the_choice_about_the_second_factor_is_read(value: str, chosen: bool) -> None:
    assert read_mfa_choice({"require": value}) is chosen


@pytest.mark.parametrize("fields", [{}, {"require": "maybe"}])
def test_a_form_without_a_choice_is_rejected(fields: dict[str, str]) -> None:
    with pytest.raises(BadRequest):
        read_mfa_choice(fields)


def test_a_version_differs_whenever_a_value_does() -> None:
    versions = {
        version_of(Details("Acme", "")),
        version_of(Details("", "Acme")),
        version_of(Details("Acme", "Acme")),
        Joining((), frozenset()).version,
        Joining((), frozenset({"viewer"})).version,
    }
    assert len(versions) == 5


def test_a_version_does_not_depend_on_domains_or_the_order_of_roles() -> None:
    assert (
        Joining(("a.example",), frozenset({"b", "a"})).version == Joining((), frozenset({"a", "b"})).version
    )


@pytest.mark.parametrize(
    ("now", "changed"),
    [
        (Details("Acme", "Arms"), set()),
        (Details("Acme Ltd", "Arms"), {"name"}),
        (Details("Acme", "Legs"), {"description"}),
        (Details("Acme Ltd", ""), {"name", "description"}),
    ],
)
def test_changed_fields_are_known_from_the_version_that_the_form_showed(
    now: Details, changed: set[str]
) -> None:
    assert changed_since(now, version_of(Details("Acme", "Arms"))) == changed


@pytest.mark.parametrize("seen", ["", "forged", "a.b.c", "."])
def test_with_a_forged_version_every_field_counts_as_changed(seen: str) -> None:
    assert changed_since(Details("Acme", "Arms"), seen) == {"name", "description"}
