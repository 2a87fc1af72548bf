"""Visible text: ordinary names are unchanged, invisible characters are removed."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas_app.text.cleaning import clean_line, clean_name, clean_text
from saas_app.text.visible import (
    as_displayed,
    has_piled_marks,
    initial,
    isolated,
    runs_right_to_left,
    shows_something,
    without_invisible,
)

ORDINARY = [
    "محمد بن سلمان",
    "شرکت می\u200cخواهم",  # Persian, with a zero-width non-joiner
    "שָׁלוֹם",
    "בְּרֵאשִׁ֖ית",
    "क्\u200dष",  # Devanagari, with a zero-width joiner
    "क्\u200cष",
    "ন্\u200dযায়",
    "สมชาย กำลังใจ",
    "Nguyễn Văn Ệ",
    "김철수",
    "山田\u3000太郎",
    "葛\U000e0100城",  # a form of an ideograph
    "👨\u200d👩\u200d👧\u200d👦",
    "👩🏽\u200d🚀",
    "🏳️\u200d🌈",
    "❤️",
    "1️⃣",
    "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",  # the flag of England
    "བསྒྲུབས",
    "O’Neil-Ørsted",
    "Σίσυφος",
    "Ærø №1 (2)",
]

UNSEEN = [
    "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u034f", "\u180e", "\u200e", "\u200f",
    "\u061c", "\u202a", "\u202e", "\u2066", "\u2069", "\u3164", "\u115f", "\u1160", "\uffa0", "\u2800",
    "\ufe0f",
    "\U000e0001", "\U000e0041", "\U000e0100", "\U0001d159", "\ufff9",
]  # fmt: skip


@pytest.mark.parametrize("name", ORDINARY)
def test_an_ordinary_name_is_unchanged(name: str) -> None:
    name = unicodedata.normalize("NFC", name)
    assert clean_line(name) == name
    assert clean_text(name) == name
    assert clean_name(name) == name
    assert not has_piled_marks(name)


@pytest.mark.parametrize("char", UNSEEN, ids=lambda char: f"U+{ord(char):04X}")
def test_invisible_characters_are_removed_and_alone_they_are_blank(char: str) -> None:
    assert clean_line(f"Ac{char}me{char}") == "Acme"
    assert clean_line(f" {char} \u00a0{char}") == ""
    assert clean_text(f"{char}\n{char}") == ""
    assert not shows_something(char)
    assert as_displayed(f"Ac{char}me") == "Acme"


@pytest.mark.parametrize("blank", ["\u0301\u0302", "\u00a0\u3000", "\u2800\u0301", "\u200d\ufe0f"])
def test_marks_and_spaces_alone_are_blank(blank: str) -> None:
    assert clean_line(blank) == ""


ZALGO = "Z" + "\u0300\u0301\u0302\u0303\u0304" * 9 + "algo"


def test_marks_piled_on_a_letter_are_removed_when_a_name_is_cleaned() -> None:
    assert not has_piled_marks(clean_name(ZALGO))


def test_marks_piled_on_a_letter_are_found() -> None:
    assert has_piled_marks(ZALGO)
    assert has_piled_marks(unicodedata.normalize("NFC", "a" + "\u0323\u0302\u0301\u0300\u0304"))


def test_texts_that_look_alike_are_equal_as_seen() -> None:
    assert as_displayed("Acme\u00a0 Robotics") == as_displayed(" Acme\u200b Robotics\u202e")
    assert as_displayed("Zu\u0308rich") == as_displayed("Zürich")
    assert as_displayed("Ａｃｍｅ") == as_displayed("Acme")
    assert as_displayed("acme") != as_displayed("Acme")


def test_an_initial_is_one_character_as_people_count_them() -> None:
    assert [initial(name) for name in ("👨\u200d👩\u200d👧 fam", "e\u0301a", " x", "", "क्ष")] == [
        "👨\u200d👩\u200d👧",
        "E\u0301",
        "X",
        "",
        initial("क्ष"),
    ]


def test_right_to_left_names_are_recognized() -> None:
    assert [runs_right_to_left(name) for name in ("Acme", "Zürich", "אקמה", "محمد", "東京")] == [
        False,
        False,
        True,
        True,
        False,
    ]


@given(st.text(alphabet=st.sampled_from([*"aZم क्ע❤👩", *UNSEEN, "\u0301", "\u0651", "\u094d"]), max_size=40))
def test_cleaning_is_idempotent(text: str) -> None:
    once = without_invisible(text)
    assert clean_line(clean_line(text)) == clean_line(text)
    assert len(once) <= len(text)


@pytest.mark.timeout(20)
def test_a_hostile_text_is_cleaned_quickly() -> None:
    for text in (
        "م" + "\u0651" * 200_000 + "\u200c",
        "\U0001f3f4" + "\U000e0061" * 200_000,
        "\u200b" * 500_000,
    ):
        clean_text(text)


@pytest.mark.parametrize(
    ("name", "in_a_sentence"),
    [("Acme", "Acme"), ("Zoë", "Zoë"), ("שלום 3", "\u2068שלום 3\u2069"), ("\u200b", "(blank name)")],
)
def test_a_right_to_left_name_is_isolated_in_a_sentence(name: str, in_a_sentence: str) -> None:
    assert isolated(name) == in_a_sentence
