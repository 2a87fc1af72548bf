"""Sorting and finding names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas_app.text.order import fold, order_key


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("izmir", "İzmir"),
        ("IZMIR", "ızmir"),
        ("strasse", "Straße"),
        ("arger", "Ärger"),
        ("angstrom", "Ångström"),
        ("σισυφος", "ΣΊΣΥΦΟΣ"),
        ("σίσυφος", "Σίσυφος"),
        ("acme", "Ａｃｍｅ"),
        ("lodz", "Łódź"),
        ("oresund", "Øresund"),
        ("nguyen", "Nguyễn"),
        ("محمد", "مُحَمَّد"),
        ("שלום", "שָׁלוֹם"),
        ("ガ", "ガ"),
        ("елка", "Ёлка"),
        ("office", "oﬃce"),
    ],
)
def test_a_name_is_found_in_any_spelling(typed: str, name: str) -> None:
    assert fold(typed) == fold(name)


@pytest.mark.parametrize(
    ("one", "other"), [("कि", "क"), ("กำ", "กา"), ("は", "ば"), ("각", "가"), ("o", "e")]
)
def test_marks_that_distinguish_letters_are_kept(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@pytest.mark.parametrize(
    ("language", "names"),
    [
        ("", ["apfel", "Ärger", "Äther", "öl", "Zebra"]),
        ("de-AT", ["apfel", "Ärger", "öl", "Zebra"]),
        ("sv-SE", ["Apple", "Zebra", "Åre", "Ärger", "Öl"]),
        ("da", ["Apple", "Zebra", "Ærø", "Øl", "Århus"]),
        ("es", ["nube", "nzz", "ñu", "oso"]),
        ("tr", ["cz", "çay", "hz", "Irmak", "İzmir", "sz", "şa"]),
        ("pl", ["az", "ąb", "Lz", "Łódź", "zz", "źle", "żaba"]),
        ("et", ["saal", "šokk", "zebra", "žanr", "tee", "öö", "üle"]),
        ("xx", ["Ärger", "Zebra"]),
    ],
)
def test_names_are_sorted_in_the_order_of_the_readers_language(language: str, names: list[str]) -> None:
    backwards = list(reversed(names))
    assert sorted(backwards, key=lambda name: order_key(name, language)) == names


@given(st.text())
def test_folding_is_idempotent(text: str) -> None:
    assert fold(fold(text)) == fold(text)
