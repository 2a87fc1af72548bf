"""Join codes: readable, and hard to guess."""

from __future__ import annotations

import math

import pytest

from saas_app.lab.classes.codes import ALPHABET, LENGTH, new_code, read_code, shown_code


def test_codes_have_no_vowels_and_nothing_that_looks_like_something_else() -> None:
    assert not set(ALPHABET) & set("AEIOUY01")
    assert len(set(ALPHABET)) == len(ALPHABET)


def test_there_are_too_many_codes_to_guess_one() -> None:
    assert LENGTH * math.log2(len(ALPHABET)) > 34


def test_codes_are_random_and_can_be_read_back() -> None:
    codes = {new_code() for _ in range(200)}

    assert len(codes) == 200
    assert {read_code(shown_code(code)) for code in codes} == codes


@pytest.mark.parametrize("typed", ["wdjb-mjht", "WDJB MJHT", " wdjb–mjht ", "w d j b m j h t", "WDJB.MJHT"])
def test_a_code_is_read_as_people_type_it(typed: str) -> None:
    assert read_code(typed) == "WDJBMJHT"


@pytest.mark.parametrize(
    "typed", ["", "WDJB", "WDJB-MJHTX", "WDJB-MJH0", "AEIO-UYAE", "ẆDJB-MJHT", "'; DROP"]
)
def test_anything_else_is_no_code(typed: str) -> None:
    assert read_code(typed) is None
