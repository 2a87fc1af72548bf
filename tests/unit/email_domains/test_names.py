"""Which email domains an organization may use to let people join automatically."""

from __future__ import annotations

import pytest

from saas_app.email_domains.names import (
    DOMAIN_LENGTH,
    NotADomain,
    domain_of,
    find_claimable_domain,
    is_public,
    read_domain,
)
from saas_app.text.domains import shown_domain


@pytest.mark.parametrize(
    ("typed", "domain"),
    [
        ("example.com", "example.com"),
        ("  Acme-Robotics.CO.UK ", "acme-robotics.co.uk"),
        ("@example.com", "example.com"),
        ("example.com.", "example.com"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("live.example.com", "live.example.com"),
        ("3m.com", "3m.com"),
        ("BÜCHER.Example", "xn--bcher-kva.example"),
        ("bu\u0308cher.example.", "xn--bcher-kva.example"),
        ("bücher。example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.EXAMPLE", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("acme.github.io", "acme.github.io"),
        ("www.ck", "www.ck"),  # !www.ck
        ("city.kawasaki.jp", "city.kawasaki.jp"),
    ],
)
def test_a_domain_is_normalized(typed: str, domain: str) -> None:
    assert read_domain(typed) == domain


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "Enter a domain"),
        ("@", "Enter a domain"),
        ("sam@example.com", "after the @"),
        (".", "Enter a domain"),
        ("..", "Enter a domain"),
        ("localhost", "valid domain"),
        ("10.0.0.1", "valid domain"),
        ("exa mple.com", "valid domain"),
        ("-example.com", "valid domain"),
        ("example..com", "valid domain"),
        ("example .com", "valid domain"),
        ("exam\u200bple.com\u202e/", "valid domain"),
        ("a\x00.example", "valid domain"),
        ("example.com/../../users", "valid domain"),
        ("*.example.com", "valid domain"),
        (f"{'a' * 64}.com", "valid domain"),
        (f"{'a.' * 64}com", f"at most {DOMAIN_LENGTH}"),
        ("gmail.com", "Anyone can get an email address"),
        ("GMail.com.", "Anyone can get an email address"),
        ("ｇｍａｉｌ.com", "Anyone can get an email address"),
        ("team.gmail.com", "Anyone can get an email address"),
        ("mailinator.com", "Anyone can get an email address"),
        ("co.uk", "Anyone can register a domain under co.uk"),
        ("CO.UK.", "Anyone can register a domain under co.uk"),
        ("@github.io", "Anyone can register a domain under github.io"),
        ("公司.cn", "like example.公司.cn"),
        ("anything.ck", "Anyone can register a domain"),  # *.ck
        ("com", "valid domain"),
    ],
)
def test_a_domain_that_cannot_be_used_is_rejected_with_the_reason(typed: str, reason: str) -> None:
    with pytest.raises(NotADomain, match=reason):
        read_domain(typed)


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("BÜCHER.Example", "xn--bcher-kva.example"),
        ("localhost", None),
        (f"{'a.' * 64}com", None),
        ("gmail.com", None),
        ("co.uk", None),
    ],
)
def test_a_stored_name_is_judged_like_a_typed_one(name: str, domain: str | None) -> None:
    assert find_claimable_domain(name) == domain


@pytest.mark.parametrize(
    ("domain", "public"),
    [
        ("yahoo.co.uk", True),
        ("hotmail.fr", True),
        ("outlook.com.br", True),
        ("gmx.de", True),
        ("alice.fastmail.com", True),
        ("mail.yahoo.co.uk", True),
        ("yahoo.com.tw", True),
        ("googlemail.com", True),
        ("proton.me", True),
        ("yopmail.com", True),
        ("com", False),
        ("yahoo.example.com", False),
        ("notgmail.com", False),
        ("gmail.com.example", False),
    ],
)
def test_public_email_providers_are_recognized(domain: str, public: bool) -> None:
    assert is_public(domain) is public


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("sam@example.com", "example.com"),
        ("Sam@EXAMPLE.com.", "example.com"),
        ("sam@BÜCHER.example", "xn--bcher-kva.example"),
        ('"a@b"@example.com', "example.com"),
        ("example.com", None),
        ("sam@", None),
        ("", None),
        (None, None),
    ],
)
def test_the_domain_of_an_email_address_is_normalized(address: str | None, domain: str | None) -> None:
    assert domain_of(address) == domain


def test_a_domain_is_shown_in_unicode() -> None:
    assert shown_domain("xn--bcher-kva.example") == "bücher.example"
    assert shown_domain("xn--nonsense-.example") == "xn--nonsense-.example"
    assert shown_domain("example.com") == "example.com"
