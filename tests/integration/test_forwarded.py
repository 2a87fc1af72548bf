"""Headers in which a proxy names its client, from trusted and from other peers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from tests.clients import SAME_ORIGIN, sign_in_over_http
from tests.databases import Database
from tests.factories import Factory
from tests.processes import Application, Provider, running_application

pytestmark = pytest.mark.one_database

CLIENT = "198.51.100.7"
PROXIES = "127.0.0.1, 192.0.2.1"
PUBLIC = "workroom.example"
LIMIT = 5
FORGED = {
    "X-Forwarded-For": CLIENT,
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "8443",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Server": "evil.example",
    "X-Forwarded-Scheme": "https",
    "X-Real-IP": "203.0.113.9",
    "X-Client-IP": "203.0.113.9",
    "True-Client-IP": "203.0.113.9",
    "Forwarded": 'for=203.0.113.9;host="evil.example";proto=https',
    "X-Original-URL": "/evil",
    "X-Rewrite-URL": "/evil",
    "X-Original-Host": "evil.example",
    "X-HTTP-Method-Override": "DELETE",
    "X-HTTP-Method": "DELETE",
    "X-Method-Override": "DELETE",
}

Serve = Callable[..., AbstractContextManager[Application]]


@pytest.fixture(scope="module")
def serve(provider: Provider, database: Database, tmp_path_factory: pytest.TempPathFactory) -> Serve:
    """``with serve(FORWARDED_ALLOW_IPS=…)``: an application with a small limit for each address."""

    def start(**environment: str) -> AbstractContextManager[Application]:
        directory = tmp_path_factory.mktemp("forwarded")
        environment = {"RATE_LIMIT_ADDRESS": f"{LIMIT}/day", **environment}
        return running_application(provider, database, directory, **environment)

    return start


@pytest.fixture(scope="module")
def plain(serve: Serve) -> Iterator[Application]:
    """An application that trusts no proxy, which is the default."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("FORWARDED_ALLOW_IPS", raising=False)
        with serve() as running:
            yield running


@pytest.fixture(scope="module")
def behind_proxy(serve: Serve) -> Iterator[Application]:
    """An application that trusts two proxies. The tests are one of them."""
    with serve(FORWARDED_ALLOW_IPS=PROXIES) as running:
        yield running


@pytest.fixture(scope="module")
def behind_tls(serve: Serve) -> Iterator[Application]:
    """An application that is reached over HTTPS, through a trusted proxy."""
    with serve(FORWARDED_ALLOW_IPS=PROXIES, APP_URL=f"https://{PUBLIC}") as running:
        yield running


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person signed in to an application, with forged headers in every request."""

    url: str
    organization_id: str
    http: aiohttp.ClientSession
    address: str  # the address that the application may believe

    async def text(self, path: str) -> str:
        async with self.http.get(f"{self.url}{path}") as response:
            assert response.status == 200
            return await response.text()


@pytest.fixture(
    scope="module", params=[("plain", "127.0.0.1"), ("behind_proxy", CLIENT)], ids=lambda it: it[0]
)
async def visitor(request: pytest.FixtureRequest, make: Factory) -> AsyncIterator[Visitor]:
    """An admin at an application that trusts no proxy, and at one that does."""
    name, address = request.param
    application: Application = request.getfixturevalue(name)
    person = await make.person()
    organization_id = await make.organization("Acme", admin=person, viewer=await make.person("Other"))
    http, _ = await sign_in_over_http(application.url, person, FORGED)
    async with http:
        yield Visitor(application.url, organization_id, http, address)


async def _status(url: str, **headers: str) -> int:
    """Return the status of a request without a credential, which counts for its address."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        aiohttp.ClientSession(headers=sent) as http,
        http.get(url, allow_redirects=False) as response,
    ):
        return response.status


async def test_naming_another_address_does_not_avoid_the_limit(plain: Application) -> None:
    url = f"{plain.url}/api/v1/me"
    asked = [
        await _status(
            url, **dict.fromkeys(("X-Forwarded-For", "X-Real-IP", "Forwarded"), f"203.0.113.{number}")
        )
        for number in range(LIMIT + 2)
    ]
    assert asked == [401] * LIMIT + [429] * 2


async def test_each_client_of_a_trusted_proxy_has_its_own_limit(behind_proxy: Application) -> None:
    url = f"{behind_proxy.url}/api/v1/me"
    first = [await _status(url, X_Forwarded_For="203.0.113.1") for _ in range(LIMIT + 1)]
    assert first == [401] * LIMIT + [429]
    assert await _status(url, X_Forwarded_For="203.0.113.2") == 401


async def test_what_a_client_wrote_before_the_proxy_does_not_avoid_the_limit(
    behind_proxy: Application,
) -> None:
    url, client = f"{behind_proxy.url}/api/v1/me", "203.0.113.3"
    asked = [
        await _status(url, X_Forwarded_For=f"{written}, {client}, 192.0.2.1")
        for written in ("10.0.0.1", "127.0.0.1", "192.0.2.1", "unknown", "::1", "a" * 8000)
    ]
    assert asked == [401] * LIMIT + [429]


async def test_only_one_header_of_a_trusted_proxy_names_its_client(behind_proxy: Application) -> None:
    url = f"{behind_proxy.url}/api/v1/me"
    others = ("X-Real-IP", "X-Client-IP", "True-Client-IP", "Forwarded")
    asked = [
        await _status(
            url, X_Forwarded_For="203.0.113.4", **dict.fromkeys(others, f"203.0.113.{100 + number}")
        )
        for number in range(LIMIT + 1)
    ]
    assert asked == [401] * LIMIT + [429]


@pytest.mark.parametrize(
    "named", ["unknown", "a" * 8000, "<b>", ",", "::1%eth0", "[::1", "999.1.1.1", "1.2.3.4:99999999"]
)
async def test_a_malformed_address_breaks_nothing(behind_proxy: Application, named: str) -> None:
    assert await _status(f"{behind_proxy.url}/api/v1/me", X_Forwarded_For=named) == 401
    assert await _status(f"{behind_proxy.url}/sign-in", X_Forwarded_For=named) == 303


async def test_a_device_has_the_address_of_the_peer_or_of_the_proxys_client(visitor: Visitor) -> None:
    page = await visitor.text("/account")
    assert f"{visitor.address} · signed in" in page
    assert "203.0.113.9" not in page


async def test_an_audit_event_has_the_address_of_the_peer_or_of_the_proxys_client(visitor: Visitor) -> None:
    new = f"{visitor.url}/o/{visitor.organization_id}/projects/new"
    async with visitor.http.post(new, data={"name": "Orchard"}, headers=SAME_ORIGIN) as response:
        assert response.status == 200
    async with visitor.http.get(
        f"{visitor.url}/api/v1/organizations/{visitor.organization_id}/audit-events"
    ) as found:
        events = (await found.json())["items"]
    assert [event["address"] for event in events] == [visitor.address]


@pytest.mark.parametrize("path", ["", "/projects?status=all", "/members", "/settings", "/audit"])
async def test_no_page_repeats_a_forged_host(visitor: Visitor, path: str) -> None:
    assert "evil" not in await visitor.text(f"/o/{visitor.organization_id}{path}")


async def test_links_of_the_api_begin_with_our_address(visitor: Visitor) -> None:
    members = f"{visitor.url}/api/v1/organizations/{visitor.organization_id}/members"
    async with visitor.http.get(f"{members}?limit=1") as response:
        assert response.headers["Link"].startswith(f"<{members}?")


async def test_redirects_lead_back_to_our_address(visitor: Visitor) -> None:
    async with visitor.http.get(f"{visitor.url}/sign-in/renew", allow_redirects=False) as response:
        target = urlsplit(response.headers["Location"])
    assert parse_qs(target.query)["redirect_uri"] == [f"{visitor.url}/callback"]
    assert "evil" not in target.geturl()


async def test_a_path_in_a_header_is_ignored(visitor: Visitor) -> None:
    async with visitor.http.get(
        f"{visitor.url}/no/such", headers={"X-Original-URL": "/", "X-Rewrite-URL": "/"}
    ) as found:
        assert found.status == 404


async def test_a_method_in_a_header_is_ignored(visitor: Visitor) -> None:
    """A POST that claims to be a GET is still checked for its origin."""
    overriding = dict.fromkeys(("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"), "GET")
    async with visitor.http.post(f"{visitor.url}/sign-out", headers=overriding) as response:
        assert response.status == 403


async def test_a_scheme_in_a_header_makes_no_cookie_secure(visitor: Visitor) -> None:
    async with (
        aiohttp.ClientSession(headers=FORGED) as http,
        http.get(f"{visitor.url}/sign-in", allow_redirects=False) as response,
    ):
        cookie = response.headers["Set-Cookie"]
    assert cookie.startswith("workroom_attempt=")
    assert "Secure" not in cookie


@pytest.mark.parametrize("scheme", ["http", "https", "ftp", ""])
async def test_no_scheme_in_a_header_makes_a_cookie_insecure(behind_tls: Application, scheme: str) -> None:
    headers = {"Host": PUBLIC, "X-Forwarded-Proto": scheme, "X-Forwarded-For": "203.0.113.5"}
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{behind_tls.url}/sign-in", headers=headers, allow_redirects=False) as response,
    ):
        cookie, target = response.headers["Set-Cookie"], urlsplit(response.headers["Location"])
    assert cookie.startswith("__Host-workroom_attempt=")
    assert "; Secure" in cookie
    assert parse_qs(target.query)["redirect_uri"] == [f"https://{PUBLIC}/callback"]
