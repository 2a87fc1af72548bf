"""Which issuers and endpoints are accepted, before anything is looked up."""

from __future__ import annotations

import pytest

from saas_app.single_sign_on.checked_hosts import is_public
from saas_app.single_sign_on.issuers import ISSUER_LENGTH, NotAnIssuer, read_issuer
from saas_app.single_sign_on.provider_addresses import NotAnEndpoint, read_endpoint

PRIVATE_HOSTS = [
    "127.0.0.1",
    "10.0.0.7:8443",
    "169.254.169.254",
    "8.8.8.8",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[fd00:ec2::254]",
    "[::1%25eth0]",
    "2130706433",
    "0x7f.1",
    "0x7f000001",
    "127.1",
    "0177.0.0.1",
    "1.0x7F",
    "127.0.0.1.",
    "localhost",
    "login.localhost",
    "LOCALHOST:3001",
    "keycloak",
    "sso.corp.internal",
    "sso.INTERNAL",
    "printer.local",
    "sso.home.arpa",
]
"""Hosts of which at least one program could think that they are in a private network."""


@pytest.mark.parametrize(
    ("typed", "issuer"),
    [
        ("https://login.example.com", "https://login.example.com"),
        ("  HTTPS://Login.Example.COM/  ", "https://login.example.com"),
        ("login.example.com/realms/Acme", "https://login.example.com/realms/Acme"),
        ("https://example.com/sso//", "https://example.com/sso"),
        ("https://example.com/o/a%20b/~c;d=1", "https://example.com/o/a%20b/~c;d=1"),
        ("https://example.com:8443/", "https://example.com:8443"),
        ("https://example.com:443", "https://example.com:443"),
        ("https://example.com:0443", "https://example.com:443"),
        ("https://example.com/.well-known/openid-configuration", "https://example.com"),
        ("https://example.com/sso/.well-known/openid-configuration/", "https://example.com/sso"),
        ("https://BÜCHER.example/sso", "https://xn--bcher-kva.example/sso"),
        ("https://bücher。example", "https://xn--bcher-kva.example"),
        ("https://internal.example.com", "https://internal.example.com"),
    ],
)
def test_an_issuer_is_normalized(typed: str, issuer: str) -> None:
    assert read_issuer(typed, allows_private=False) == issuer


def test_a_normalized_issuer_stays_the_same() -> None:
    issuer = read_issuer("Bücher.example:8443/Sso/", allows_private=False)

    assert read_issuer(issuer, allows_private=False) == issuer


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "Enter the issuer"),
        ("  ", "Enter the issuer"),
        ("http://login.example.com", "start with https://"),
        ("ftp://login.example.com", "start with https://"),
        ("//login.example.com", "valid address"),
        ("https://", "valid address"),
        ("https://ada:secret@login.example.com", "user name and password"),
        ("https://login.example.com@evil.example", "user name and password"),
        ("ada@example.com", "user name and password"),
        ("https://login.example.com?tenant=1", "? or #"),
        ("https://login.example.com?", "? or #"),
        ("https://login.example.com/#top", "? or #"),
        ("https://login.example.com/.well-known/openid-configuration?p=1", "? or #"),
        ("https://login.example.com:0", "valid address"),
        ("https://login.example.com:", "valid address"),
        ("https://login.example.com:65536", "valid address"),
        ("https://login.example.com:https", "valid address"),
        ("https://login.example.com.", "valid address"),
        ("https://login..example.com", "valid address"),
        ("https://-login.example.com", "valid address"),
        ("https://*.example.com", "valid address"),
        ("https://lo%67in.example.com", "valid address"),
        ("https://p\u0430ypal.example", "valid address"),  # a Cyrillic letter
        ("https://[login.example.com]", "valid address"),
        ("https://[::1", "valid address"),
        ("https://login.example.com\uff20evil.example", "valid address"),  # a fullwidth @
        ("https://login.example.com\\@evil.example", "cannot have"),
        ("https://login.exa mple.com", "cannot have"),
        ("https://login.example.com/\nsso", "cannot have"),
        ("https://login.example\t.com", "cannot have"),
        ("https://login.example.com/\u202e", "cannot have"),
        ("https://login.example.com/{tenant}/v2.0", "in braces"),
        ("https://login.example.com/a/../b", "path"),
        ("https://login.example.com/a/%2E%2e", "path"),
        ("https://login.example.com/%zz", "path"),
        ("https://login.example.com/ä", "path"),
        ('https://login.example.com/"', "path"),
        (f"https://login.example.com/{'a' * ISSUER_LENGTH}", "at most"),
    ],
)
def test_what_is_no_issuer_is_explained(typed: str, reason: str) -> None:
    with pytest.raises(NotAnIssuer) as refused:
        read_issuer(typed, allows_private=False)

    assert reason in refused.value.reason


@pytest.mark.parametrize("host", PRIVATE_HOSTS)
def test_an_issuer_names_a_host_on_the_internet(host: str) -> None:
    with pytest.raises(NotAnIssuer) as refused:
        read_issuer(f"https://{host}/sso", allows_private=False)

    assert "on the internet" in refused.value.reason


@pytest.mark.parametrize(
    "host", ["127。0。0。1", "１２７.0.0.1", "ｌｏｃａｌｈｏｓｔ", "sso｡internal", "①②⑦.0.0.①"]
)
def test_other_letters_and_digits_hide_no_private_host(host: str) -> None:
    with pytest.raises(NotAnIssuer):
        read_issuer(f"https://{host}", allows_private=False)


@pytest.mark.parametrize(
    ("typed", "issuer"),
    [
        ("http://localhost:3001/oidc/", "http://localhost:3001/oidc"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("https://[0:0::1]:8443/", "https://[::1]:8443"),
        ("http://keycloak:8080/realms/acme", "http://keycloak:8080/realms/acme"),
        ("https://sso.corp.internal", "https://sso.corp.internal"),
        ("https://login.example.com", "https://login.example.com"),
    ],
)
def test_an_installation_for_development_accepts_private_issuers(typed: str, issuer: str) -> None:
    assert read_issuer(typed, allows_private=True) == issuer


@pytest.mark.parametrize(
    "typed",
    [
        "ftp://localhost",
        "http://ada@localhost",
        "http://localhost?x",
        "http://2130706433",
        "http://0x7f.1",
        "http://0177.0.0.1",
        "http://127.0.0.1.",
        "http://[::1%25eth0]",
        "http://localhost.",
        "http://%6cocalhost",
        "http://127.0.0.1/a/../b",
    ],
)
def test_an_installation_for_development_accepts_no_ambiguous_issuer(typed: str) -> None:
    with pytest.raises(NotAnIssuer):
        read_issuer(typed, allows_private=True)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://login.example.com/token", "login.example.com"),
        ("https://LOGIN.example.com:8443/a/b?p=c/d", "login.example.com"),
        ("https://xn--bcher-kva.example", "xn--bcher-kva.example"),
    ],
)
def test_an_endpoint_keeps_its_address(address: str, host: str) -> None:
    assert read_endpoint(address, allows_private=False) == (address, host)


@pytest.mark.parametrize(
    "address",
    [
        None,
        7,
        ["https://login.example.com"],
        "",
        "/token",
        "http://login.example.com/token",
        "javascript:alert(1)",
        "https://ada@login.example.com/token",
        "https://login.example.com\\@evil.example/token",
        "https://login.example.com/token#top",
        "https://login.example.com/a b",
        "https://login.example.com/a/../b",
        "https://login.example.com/token?a=<b>",
        "https://login.example.com/<b>",
        "https://login.example.com/%zz",
        "https://login.example.com/ä",
        "https://bücher.example/token",
        "https://login.example.com:0/token",
        f"https://login.example.com/{'a' * 2000}",
        *(f"https://{host}/token" for host in PRIVATE_HOSTS),
    ],
)
def test_what_is_no_public_endpoint_is_rejected(address: object) -> None:
    with pytest.raises(NotAnEndpoint):
        read_endpoint(address, allows_private=False)


def test_an_endpoint_may_be_private_in_development() -> None:
    assert read_endpoint("http://[::1]:3001/token", allows_private=True).host == "::1"


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "93.184.216.34", "172.15.0.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00::1"],
)
def test_addresses_on_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104
        "0.1.2.3",
        "10.255.0.1",
        "100.64.0.1",
        "100.100.100.200",  # metadata of Alibaba Cloud
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",  # the agent of Azure's hosts
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",  # metadata of Oracle Cloud
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:1.1.1.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::a00:1",
        "100::1",
        "2001::1",  # Teredo
        "2001:db8::1",
        "2002:7f00:1::1",  # 6to4
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",  # metadata of AWS
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
    ],
)
def test_all_other_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)
