"""Queries and forms of the member pages: read, cleaned and bounded."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from saas_app.errors import BadRequest
from saas_app.members.forms import read_filter, read_wanted_roles, seen_fields
from saas_app.members.values import Listing, MembersFilter
from saas_app.rbac.permissions import Role


def test_an_empty_query_lists_all_members() -> None:
    assert read_filter({}) == MembersFilter()
    assert read_filter({}).is_empty


def test_search_and_role_are_cleaned_and_bounded() -> None:
    wanted = read_filter({"q": " a\tb\x00" + "x" * 300, "role": " viewer ", "page": "3"})
    assert wanted.search.startswith("a bxx")
    assert len(wanted.search) == 128
    assert (wanted.role, wanted.page, wanted.is_empty) == ("viewer", 3, False)


@pytest.mark.parametrize("page", ["", "0", "-1", "+1", "1 ", "1e3", "٣", "1234567"])
def test_an_invalid_page_number_is_rejected(page: str) -> None:
    with pytest.raises(BadRequest):
        read_filter({"page": page})


@pytest.mark.parametrize("seen", [set(), {"viewer"}, {"a role, with comma", "editor"}])
def test_the_roles_that_the_form_showed_are_read_back(seen: set[str]) -> None:
    form = MultiDict([*seen_fields(seen), ("roles", "admin"), ("own_loss", "yes")])
    wanted = read_wanted_roles("u1", form)
    assert (wanted.user_id, wanted.seen, wanted.chosen) == ("u1", seen, {Role.ADMIN})
    assert wanted.accepts_own_loss


@pytest.mark.parametrize("fields", [[], [("seen", "viewer")], [("roles", "viewer")]])
def test_a_form_without_the_roles_it_showed_is_rejected(fields: list[tuple[str, str]]) -> None:
    with pytest.raises(BadRequest):
        read_wanted_roles("u1", MultiDict(fields))


@pytest.mark.parametrize(
    ("number", "count", "total", "first", "last", "has_next"),
    [(1, 20, 45, 1, 20, True), (3, 5, 45, 41, 45, False), (2, 20, 40, 21, 40, False)],
)
def test_a_page_knows_its_range_and_whether_another_follows(
    number: int, count: int, total: int, first: int, last: int, has_next: bool
) -> None:
    page = Listing(tuple(range(count)), number, total)
    assert (page.first, page.last, page.has_next) == (first, last, has_next)
