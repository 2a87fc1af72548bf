"""Text from outside: which characters are removed, replaced or kept."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas_app.text.cleaning import (
    clean,
    clean_json,
    clean_line,
    clean_text,
    is_clean,
    storable,
    storable_json,
)

UNCLEAN = [
    "\x00",
    "\x01",
    "\x1b",
    "\x7f",
    "\x85",
    "\x9f",
    "\ud800",
    "\udfff",
    "\ufffe",
    "\ufdd0",
    "\U0010ffff",
]


@pytest.mark.parametrize("char", UNCLEAN, ids=lambda char: f"U+{ord(char):04X}")
def test_control_characters_are_removed_everywhere(char: str) -> None:
    assert not is_clean(f"a{char}b")
    assert clean(f"a{char}b") == "ab" if char != "\x85" else True
    assert clean_json({f"n{char}": [f"{char}v", {"deep": char}], "count": 1}) == {
        "n": ["v", {"deep": ""}],
        "count": 1,
    }
    assert is_clean(clean_line(f"a{char}b"))
    assert is_clean(clean_text(f"a{char}b"))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\v", "\f", "\x85", "\u2028", "\u2029"])
def test_every_kind_of_line_ending_is_recognized(end: str) -> None:
    assert clean_line(f"a{end}b") == "a b"
    assert clean_text(f"a{end}b") == "a\nb"


@given(st.text(st.characters()))
def test_a_cleaned_text_can_be_encoded_and_is_composed(text: str) -> None:
    for cleaned in (clean_line(text), clean_text(text)):
        cleaned.encode()
        assert is_clean(cleaned)
        assert unicodedata.is_normalized("NFC", cleaned)
    assert clean_line(clean_line(text)) == clean_line(text)


def test_characters_that_cannot_be_stored_are_replaced() -> None:
    assert storable("a\x00b\ud800") == "a\ufffdb\ufffd"
    assert storable("ok \x01 ü") == "ok \x01 ü"
    assert storable_json({"a\x00": ("b\ud800", 1, None)}) == {"a\ufffd": ["b\ufffd", 1, None]}
