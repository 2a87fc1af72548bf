"""Redirect URIs that an application may use: exactly those registered, or those a ``*`` pattern allows."""

from __future__ import annotations

import pytest

from local_logto.oidc.authorization.redirect_uris import is_loopback_variant, is_registered


@pytest.mark.parametrize(
    ("registered", "given"),
    [
        ("http://localhost:3000/callback", "http://localhost:3000/callback"),
        ("https://*.example.com/callback", "https://pr-12.example.com/callback"),
        ("https://pr-*.example.com/callback", "https://pr-12.example.com/callback"),
        ("https://app.example.com/*/callback", "https://app.example.com/de/callback"),
        ("https://app.example.com/*", "https://app.example.com/a/b"),
        ("https://*.example.com:8443/", "https://a.example.com:8443/"),
        ("https://*.example.com", "https://a.example.com:443/"),
    ],
)
def test_registered_or_matching_redirect_uri_is_allowed(registered: str, given: str) -> None:
    assert is_registered(given, ["https://other.example.com/", registered])


@pytest.mark.parametrize(
    ("registered", "given"),
    [
        ("http://localhost:3000/callback", "http://localhost:3000/callback/"),
        ("http://localhost:3000/callback", "http://localhost:3000/callback?x=1"),
        ("https://*.example.com/callback", "https://a.b.example.com/callback"),
        ("https://*.example.com/callback", "https://.example.com/callback"),
        ("https://*.example.com/callback", "http://a.example.com/callback"),
        ("https://*.example.com/callback", "https://a.example.com:8443/callback"),
        ("https://*.example.com/callback", "https://evil.com/.example.com/callback"),
        ("https://*.example.com/callback", "https://evil.com#.example.com/callback"),
        ("https://*.example.com/callback", "https://a@evil.example.com/callback"),
        ("https://*.example.com/callback", "https://a.example.com/callback?next=evil"),
        ("https://*.com/callback", "https://evil.com/callback"),
        ("https://*/callback", "https://evil/callback"),
        ("https://*.*.com/callback", "https://a.evil.com/callback"),
        ("*://a.example.com/callback", "https://a.example.com/callback"),
        ("https://a.example.com:*/callback", "https://a.example.com:1/callback"),
        ("https://a.example.com/callback?x=*", "https://a.example.com/callback?x=1"),
        ("https://a.example.com/app/*", "https://a.example.com/app/../evil"),
        ("https://a.example.com/app/*", "https://a.example.com/app/..%2fevil"),
        ("https://*.example.com/callback", "https://a.example.com:port/callback"),
    ],
)
def test_any_other_redirect_uri_is_refused(registered: str, given: str) -> None:
    assert not is_registered(given, [registered])


def test_no_redirect_uri_is_allowed_without_registration() -> None:
    assert not is_registered("http://localhost:3000/callback", [])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("http://127.0.0.1:51234/callback", True),
        ("http://127.0.0.1/callback", True),
        ("http://127.0.0.1:51234/other", False),
        ("http://localhost:51234/callback", False),
        ("https://127.0.0.1:51234/callback", False),
        ("http://evil.test:51234/callback", False),
    ],
)
def test_native_application_may_choose_its_loopback_port(given: str, expected: bool) -> None:
    assert is_loopback_variant(given, ["http://127.0.0.1:8000/callback"]) is expected
