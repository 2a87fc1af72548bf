"""Which e-mail domains may let people join by themselves."""

from __future__ import annotations

import pytest

from saas_app.organizations.email_domains import DOMAIN_LENGTH, NotADomain, is_public, read_domain


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
    ],
)
def test_a_domain_is_kept_in_lower_case(typed: str, domain: str) -> None:
    assert read_domain(typed) == domain


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "Enter a domain"),
        ("@", "Enter a domain"),
        ("sam@example.com", "behind the @"),
        ("localhost", "not a domain"),
        ("10.0.0.1", "not a domain"),
        ("exa mple.com", "not a domain"),
        ("-example.com", "not a domain"),
        ("example..com", "not a domain"),
        ("bücher.example", "ASCII"),
        ("example.com/../../users", "not a domain"),
        ("*.example.com", "not a domain"),
        (f"{'a' * 64}.com", "not a domain"),
        (f"{'a.' * 64}com", f"at most {DOMAIN_LENGTH}"),
        ("gmail.com", "Anybody can get an address"),
        ("GMail.com", "Anybody can get an address"),
    ],
)
def test_anything_else_is_refused_with_its_reason(typed: str, reason: str) -> None:
    with pytest.raises(NotADomain, match=reason):
        read_domain(typed)


@pytest.mark.parametrize(
    ("domain", "public"),
    [
        ("yahoo.co.uk", True),
        ("hotmail.fr", True),
        ("outlook.com.br", True),
        ("gmx.de", True),
        ("yahoo.example.com", False),
        ("notgmail.com", False),
        ("gmail.com.example", False),
    ],
)
def test_public_mail_providers_are_known_by_name(domain: str, public: bool) -> None:
    assert is_public(domain) is public
