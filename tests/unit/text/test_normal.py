"""Normal forms are those of Unicode, and a hostile text is normalized quickly."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas_app.text.cleaning import clean_line, clean_name, clean_text
from saas_app.text.normal import MAX_MARKS_IN_A_ROW, NormalForm, normalize
from saas_app.text.order import fold, order_key
from saas_app.text.visible import as_displayed, has_piled_marks

FORMS: tuple[NormalForm, ...] = ("NFC", "NFD", "NFKC", "NFKD")
MARKS = {
    "out of order": "\u0301\u0316",
    "made of two": "\u0344",
    "made of two, and no marks by their class": "\u0f73",
    "with unseen characters between": "\u0316\u0301" * 15 + "\u034f",
}


@pytest.mark.parametrize("form", FORMS)
@given(text=st.text())
def test_a_text_has_the_normal_form_of_unicode(form: NormalForm, text: str) -> None:
    assert normalize(form, text) == unicodedata.normalize(form, text)


def test_marks_beyond_the_thirtieth_in_a_row_are_removed() -> None:
    assert normalize("NFD", "a" + "\u0316" * 1000 + "b") == "a" + "\u0316" * MAX_MARKS_IN_A_ROW + "b"


@pytest.mark.parametrize("marks", MARKS.values(), ids=MARKS)
@pytest.mark.parametrize(
    "read",
    [
        clean_line,
        clean_text,
        clean_name,
        fold,
        lambda text: order_key(text, "sv"),
        as_displayed,
        has_piled_marks,
    ],
)
def test_a_hundred_thousand_marks_on_a_letter_are_read_quickly(
    read: Callable[[str], object], marks: str
) -> None:
    text = "a" + marks * (100_000 // len(marks))
    began = time.process_time()
    read(text)
    assert time.process_time() - began < 3  # seconds; a quadratic algorithm takes twenty and more


def test_only_the_beginning_of_a_huge_text_is_cleaned() -> None:
    text = "a\u200d" * 500_000
    began = time.process_time()
    assert len(clean_text(text)) == 50_000
    assert time.process_time() - began < 2
