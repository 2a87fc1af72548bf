"""Requests for other host names than ours, and targets that could lead elsewhere, as raw bytes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.databases import Database
from tests.processes import Application, Provider, running_application

pytestmark = pytest.mark.one_database


@pytest.fixture(scope="module")
def application(
    provider: Provider, database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Application]:
    directory = tmp_path_factory.mktemp("hosts")
    names = {"ALLOWED_HOSTS": "workroom.internal, [::1]", "FORWARDED_ALLOW_IPS": "127.0.0.1"}
    with running_application(provider, database, directory, **names) as running:
        yield running


def _ask(url: str, target: str, *headers: str, version: str = "1.1") -> tuple[int, dict[str, str], str]:
    """Send a request line with these headers and nothing else. Return status, headers and body."""
    parts = urlsplit(url)
    lines = (f"GET {target} HTTP/{version}", *headers, "Connection: close", "", "")
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30) as connection:
        connection.sendall("\r\n".join(lines).encode("latin1"))
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    head, _, body = answer.decode("utf-8", "replace").partition("\r\n\r\n")
    status, *fields = head.split("\r\n")
    pairs = (field.partition(": ") for field in fields)
    return int(status.split()[1]), {name.lower(): value for name, _, value in pairs}, body


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:3000",
        "localhost.evil.example",
        "127.0.0.1",
        "evil.example.",
        "xlocalhost",
    ],
)
@pytest.mark.parametrize("path", ["/", "/o/acme", "//", "/api/v1/me", "/static/app.css", "/no/such"])
def test_other_hosts_are_rejected(application: Application, host: str, path: str) -> None:
    status, headers, body = _ask(application.url, path, f"Host: {host}", "Accept: text/html")
    assert status == 421
    assert "evil" not in headers.get("location", "") + body
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "headers",
    [
        ("Host: localhost", "Host: evil.example"),
        ("Host: evil.example", "Host: localhost"),
        ("Host: localhost, evil.example",),
        ("Host: localhost@evil.example",),
        ("Host: localhost/evil",),
        ("Host: localhost:port",),
        ("Host:",),
    ],
)
def test_a_host_header_that_is_not_one_name_is_rejected(
    application: Application, headers: tuple[str, ...]
) -> None:
    assert _ask(application.url, "/o/acme", *headers)[0] == 400


def test_http_1_0_without_a_host_is_rejected(application: Application) -> None:
    assert _ask(application.url, "/o/acme", version="1.0")[0] == 400


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "localhost.", "workroom.internal:8080", "[::1]:3000"]
)
def test_our_own_hosts_are_accepted(application: Application, host: str) -> None:
    assert _ask(application.url, "/", f"Host: {host}")[0] in (200, 303)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_checks_accept_any_host(application: Application, path: str) -> None:
    assert _ask(application.url, path, "Host: 10.1.2.3:3000")[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "//",
        "//o",
        "/o//acme",
        "//evil.example/o",
        "///evil.example/o",
        "//evil.example%2f..",
        "/%2f%2fevil.example/o//",
        "/\\evil.example//o",
        "/%5cevil.example//o",
        "/o/acme",
        "/o/acme?next=https://evil.example",
        "//evil.example/%0d%0aLocation:%20https://evil.example",
    ],
)
def test_redirects_stay_on_our_own_origin(application: Application, path: str) -> None:
    forwarded = ("X-Forwarded-Host: evil.example", "X-Forwarded-Proto: https", "Forwarded: host=evil.example")
    status, headers, _ = _ask(application.url, path, "Host: workroom.internal", *forwarded)
    location = headers.get("location", "/")
    assert status < 500
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))
    assert "workroom.internal" not in location


def test_an_absolute_target_must_name_the_same_host(application: Application) -> None:
    host = urlsplit(application.url).netloc
    assert _ask(application.url, f"http://{host}/healthz", f"Host: {host}")[0] == 200
    assert _ask(application.url, "http://evil.example/healthz", f"Host: {host}")[0] == 400
    assert _ask(application.url, f"http://{host}@evil.example/healthz", f"Host: {host}")[0] == 400


def test_an_asterisk_is_not_a_page(application: Application) -> None:
    assert _ask(application.url, "*", "Host: localhost")[0] in (400, 404)


def test_links_of_the_api_begin_with_our_address(application: Application) -> None:
    headers = ("Host: workroom.internal", "X-Forwarded-Host: evil.example")
    _, _, metadata = _ask(application.url, "/.well-known/oauth-protected-resource", *headers)
    _, challenge, _ = _ask(application.url, "/api/v1/me", *headers)
    for told in (metadata, challenge["www-authenticate"]):
        assert application.url in told
        assert "workroom.internal" not in told
        assert "evil" not in told


def test_the_provider_rejects_hosts_used_for_dns_rebinding(provider: Provider) -> None:
    assert _ask(provider.endpoint, "/messages", "Host: evil.example")[0] == 421
    assert _ask(provider.endpoint, "/messages", f"Host: {urlsplit(provider.endpoint).netloc}")[0] == 200
    assert _ask(provider.endpoint, "/messages", "Host: 127.0.0.1")[0] == 200


def test_a_sign_in_comes_back_to_our_address_whatever_the_host_header(application: Application) -> None:
    _, headers, _ = _ask(application.url, "/sign-in", "Host: workroom.internal")
    assert "workroom.internal" not in headers["location"]
