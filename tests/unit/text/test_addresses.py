"""Email addresses as people type and paste them."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas_app.text.addresses import (
    NotAnAddress,
    address_key,
    read_address,
    same_address,
    shown_address,
    spellings,
    split_addresses,
)
from tests.unit.addresses import is_address


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Jo@Example.TEST", "jo@example.test"),
        (" jo.van+tag@mail.example.co.uk ", "jo.van+tag@mail.example.co.uk"),
        ("o'neil@x.io", "o'neil@x.io"),
        ("Jo@MÜLLER.example", "jo@müller.example"),
        (unicodedata.normalize("NFD", "jö@müller.example"), "jö@müller.example"),
        ("jo@XN--MLLER-KVA.example", "jo@müller.example"),
        ("用户@例え.テスト", "用户@例え.テスト"),
        ("उपयोगकर्ता@उदाहरण.परीक्षा", "उपयोगकर्ता@उदाहरण.परीक्षा"),
    ],
)
def test_an_address_is_composed_and_in_lower_case(typed: str, kept: str) -> None:
    assert read_address(typed) == kept
    assert read_address(kept) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "a@x..test",
        "jo@x.test.",
        "<jo@x.test>",
        ".jo@x.test",
        "j..o@x.test",
        "jo@localhost",
        "jo@127.0.0.1",
        "jo doe@x.test",
        '"jo doe"@x.test',
        "j\x00o@x.test",
        "j\u200bo@x.test",
        "jo@ex\u00adample.test",
        "\u202ejo@x.test",
        "jo\u3164@x.test",
        "jo\u2800@x.test",
        "jо@x.test",  # a Cyrillic о
        "jo@exаmple.com",  # a Cyrillic а
        "ｊｏ@x.test",
        "ﬁ@x.test",
        "z\u0300\u0301\u0302\u0303\u0304\u0305@x.test",
        "a" * 65 + "@x.test",
        "jo@" + "ü" * 60 + ".example",
        "j\ud800o@x.test",
    ],
)
def test_a_text_that_only_looks_like_an_address_is_rejected(typed: str) -> None:
    assert not is_address(typed)
    with pytest.raises(NotAnAddress):
        read_address(typed)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("jo@müller.example", "JO@xn--mller-kva.example"),
        (unicodedata.normalize("NFD", "jö@x.test"), "JÖ@X.test"),
        ("jo@straße.example", "jo@STRASSE.example".replace("STRASSE", "xn--strae-oqa")),
    ],
)
def test_spellings_of_one_address_are_equal(one: str, other: str) -> None:
    assert same_address(one, other)
    assert address_key(one) == address_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("jo@x.test", "jo@y.test"), (None, None), ("", ""), ("jo@x.test", None), ("jo@ss.test", "jo@ß.test")],
)
def test_different_addresses_are_not_equal(one: str | None, other: str | None) -> None:
    assert not same_address(one, other)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Ada <ada@x.test>, Bob <bob@x.test>", ("ada@x.test", "bob@x.test")),
        ('"Lovelace, Ada" <ada@x.test>; <bob@x.test>', ("ada@x.test", "bob@x.test")),
        ("Lovelace, Ada <ada@x.test>\nbob@x.test", ("ada@x.test", "bob@x.test")),
        ("ada@x.test, <bob@x.test>", ("ada@x.test", "bob@x.test")),
        ("kim@x.test, Lovelace, Ada <ada@x.test>", ("kim@x.test", "ada@x.test")),
        ("mailto:ada@x.test\r\nMAILTO:bob@x.test", ("ada@x.test", "bob@x.test")),
        ("山田 太郎 <taro@x.test>、bob@x.test；kim@x.test", ("taro@x.test", "bob@x.test", "kim@x.test")),
        ("ada@x.test\u2028bob@x.test\x85kim@x.test", ("ada@x.test", "bob@x.test", "kim@x.test")),
        ("ada@x.test bob@x.test,", ("ada@x.test", "bob@x.test")),
        ("'Ada' <ada@x.test>", ("ada@x.test",)),
        ("nonsense, ada@x.test", ("nonsense", "ada@x.test")),
        ("Ada <>", ()),
        ("", ()),
    ],
)
def test_addresses_are_found_in_a_pasted_list(text: str, found: tuple[str, ...]) -> None:
    assert split_addresses(text) == found


def test_the_domain_is_shown_in_both_spellings() -> None:
    assert spellings("jo@müller.example") == ("jo@müller.example", "jo@xn--mller-kva.example")
    assert spellings("jo@x.test") == ("jo@x.test",)
    assert shown_address("jo@müller.example") == "jo@müller.example (xn--mller-kva.example)"
    assert shown_address("jo@x.test") == "jo@x.test"


@given(st.text() | st.text(alphabet='a@x.test<>",;\n \u200b'))
def test_any_text_can_be_split_and_read(text: str) -> None:
    for part in split_addresses(text):
        if is_address(part):
            kept = read_address(part)
            assert read_address(kept) == kept
            assert same_address(kept, part)


@pytest.mark.timeout(20)
def test_a_hostile_text_is_split_quickly() -> None:
    for repeated in ('"', "<", '"<', "a, ", "a@", "<a>", " "):
        split_addresses(repeated * 6000)


def test_a_long_text_before_an_address_is_split_quickly() -> None:
    typed = "a," * 100_000 + "b <jo@example.test>"
    began = time.process_time()
    assert split_addresses(typed) == ("jo@example.test",)
    assert time.process_time() - began < 5
