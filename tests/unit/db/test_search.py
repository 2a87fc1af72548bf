"""Patterns for a part of a text, and which parts an index can find."""

from __future__ import annotations

import pytest

from saas_app.db.search import containing, has_trigram


@pytest.mark.parametrize(
    ("text", "pattern"),
    [("a", "%a%"), ("100%", r"%100\%%"), ("snake_case", r"%snake\_case%"), ("a\\b", r"%a\\b%")],
)
def test_wildcards_in_a_text_stand_for_themselves(text: str, pattern: str) -> None:
    assert containing(text) == pattern


@pytest.mark.parametrize("text", ["abc", "a1b", "x abc", "東京都", "при"])
def test_three_letters_in_a_row_can_be_found_by_an_index(text: str) -> None:
    assert has_trigram(text)


@pytest.mark.parametrize("text", ["", "ab", "a b c", "a-b", "東京", "___", "%%%"])
def test_fewer_letters_in_a_row_cannot_be_found_by_an_index(text: str) -> None:
    assert not has_trigram(text)
