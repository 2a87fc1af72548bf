"""Domain names in every spelling."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas_app.text.domains import NotADomainName, ascii_domain, shown_domain


@pytest.mark.parametrize(
    ("typed", "domain"),
    [
        ("Example.COM", "example.com"),
        ("example.com.", "example.com"),
        ("müller.example", "xn--mller-kva.example"),
        ("MÜLLER.example", "xn--mller-kva.example"),
        (unicodedata.normalize("NFD", "müller.example"), "xn--mller-kva.example"),
        ("XN--mller-kva.example", "xn--mller-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ("ｅｘａｍｐｌｅ．ｃｏｍ", "example.com"),
        ("مثال.إختبار", "xn--mgbh0fb.xn--kgbechtv"),
        ("उदाहरण.परीक्षा", "xn--p1b6ci4b4b3a.xn--11b5bs3a9aj6g"),
        ("soft­hyphen.example", "softhyphen.example"),
    ],
)
def test_the_spellings_of_a_domain_have_one_ascii_form(typed: str, domain: str) -> None:
    assert ascii_domain(typed) == domain


@pytest.mark.parametrize(
    "typed",
    [
        "",
        ".",
        "localhost",
        "a..b",
        "192.168.0.1",
        "under_score.example",
        "-a.example",
        "a b.example",
        "a\x00b.example",
        "exаmple.com",  # a Cyrillic а
        "xn--exmple-4nf.com",  # that domain in Punycode
        "xn--0.example",
        "ex\u202eample.com",
        "💩.example",
        "a" * 64 + ".example",
        ".".join(["a" * 60] * 5),
        "ü" * 5000 + ".example",
        "\ud800.example",
    ],
)
def test_a_text_that_is_not_a_domain_is_rejected(typed: str) -> None:
    with pytest.raises(NotADomainName):
        ascii_domain(typed)


def test_a_domain_is_shown_in_unicode() -> None:
    assert shown_domain("xn--mller-kva.example") == "müller.example"
    assert shown_domain("xn--0.example") == "xn--0.example"


@given(st.text() | st.text(alphabet="xn--aüß.١م。\u200d\u0301"))
def test_any_text_is_a_domain_or_rejected(typed: str) -> None:
    try:
        domain = ascii_domain(typed)
    except NotADomainName:
        return
    assert domain.isascii()
    assert ascii_domain(shown_domain(domain)) == domain
