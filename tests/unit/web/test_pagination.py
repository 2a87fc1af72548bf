"""Cursors survive a URL, and anything else in their place is rejected."""

import base64
import inspect
import json
import sys
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas_app.errors import BadRequest
from saas_app.models.project import FOLDED_LENGTH
from saas_app.web.pagination import MAX_CURSOR_LENGTH, decode_cursor, encode_cursor, page_of

ROW_ID = uuid.UUID("01934f7c-2222-7aaa-bbbb-cccccccccccc")


def _cursor(document: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


@given(
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=120),
    st.datetimes(timezones=st.just(UTC)),
    st.uuids(),
    st.integers(-(2**63) + 1, 2**63 - 1),
)
def test_a_cursor_is_decoded_to_the_values_it_was_made_of(
    name: str, moment: datetime, row_id: uuid.UUID, number: int
) -> None:
    cursor = encode_cursor(name, moment, row_id, number)
    assert cursor.isascii()
    if len(cursor) <= MAX_CURSOR_LENGTH:
        assert decode_cursor(cursor, str, datetime, uuid.UUID, int) == (name, moment, row_id, number)


def test_the_longest_name_of_a_project_fits_into_a_cursor() -> None:
    name = "\N{CJK UNIFIED IDEOGRAPH-20000}" * FOLDED_LENGTH
    moment = datetime(2026, 1, 1, microsecond=123456, tzinfo=UTC)

    cursor = encode_cursor("standing", moment, name, ROW_ID)

    assert decode_cursor(cursor, str, datetime, str, uuid.UUID) == ("standing", moment, name, ROW_ID)


def test_a_cursor_needs_no_escaping_in_a_url() -> None:
    cursor = encode_cursor("ÿ?>~/ + &", ROW_ID)
    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@pytest.mark.parametrize("cursor", [None, ""])
def test_without_a_cursor_the_list_begins_at_the_first_page(cursor: str | None) -> None:
    assert decode_cursor(cursor, str, uuid.UUID) is None


@pytest.mark.parametrize(
    "cursor",
    [
        "garbage!",
        "Zm9v",
        "ü",
        "A" * 2000,
        _cursor({"a": 1}),
        _cursor(["name"]),
        _cursor(["name", str(ROW_ID), "more"]),
        _cursor(["name", "not an id"]),
        _cursor(["name", 7]),
        _cursor(["na\x00me", str(ROW_ID)]),
        _cursor(["\ud800", str(ROW_ID)]),
    ],
)
def test_an_invalid_cursor_is_rejected(cursor: str) -> None:
    with pytest.raises(BadRequest):
        decode_cursor(cursor, str, uuid.UUID)


@pytest.mark.parametrize("moment", ["2026-11-21T12:00:00", "0001-01-01T00:00:00+23:00", "yesterday"])
def test_a_time_in_a_cursor_that_is_naive_or_out_of_range_is_rejected(moment: str) -> None:
    with pytest.raises(BadRequest):
        decode_cursor(_cursor([moment]), datetime)


def test_a_number_too_large_for_a_column_is_rejected() -> None:
    with pytest.raises(BadRequest):
        decode_cursor(_cursor(["9" * 30]), int)


def _call_at_depth(levels: int, act: Callable[[], object]) -> object:
    return _call_at_depth(levels - 1, act) if levels else act()


def test_nested_brackets_are_rejected_even_near_the_recursion_limit() -> None:
    cursor = base64.urlsafe_b64encode(b"[" * 740).decode()
    room = sys.getrecursionlimit() - len(inspect.stack()) - 100
    with pytest.raises(BadRequest):
        _call_at_depth(room, lambda: decode_cursor(cursor, str))


@given(st.text(max_size=300))
def test_any_text_is_decoded_or_rejected(text: str) -> None:
    try:
        values = decode_cursor(text, str, uuid.UUID)
    except BadRequest:
        return
    assert values is None or isinstance(values[1], uuid.UUID)


def test_the_extra_row_only_shows_that_another_page_follows() -> None:
    page = page_of(["a", "b", "c"], 2, encode_cursor)
    assert page.items == ("a", "b")
    assert page.next_cursor is not None
    assert decode_cursor(page.next_cursor, str) == ("b",)
    assert page.is_first


def test_the_last_page_has_no_next_cursor() -> None:
    page = page_of(["c"], 2, encode_cursor, after=("b",))
    assert page.items == ("c",)
    assert page.next_cursor is None
    assert not page.is_first
