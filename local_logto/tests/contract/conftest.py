"""The Logto under test, and the fixtures of its tests.

``CONTRACT_LOGTO_ENDPOINT`` names a running Logto; without it each test process starts a ``local_logto`` on a
free port and stops it. ``CONTRACT_MANAGEMENT_TOKEN_ENDPOINT``, ``CONTRACT_MANAGEMENT_APP_ID``,
``CONTRACT_MANAGEMENT_APP_SECRET`` and ``CONTRACT_MANAGEMENT_RESOURCE`` say how to reach its Management API:
on a self-hosted Logto the token comes from the admin tenant, ``http://localhost:3002/oidc/token``.
``CONTRACT_LOGTO_IS_OURS=1`` says that the named Logto exists only for these tests, on this machine. They
replace its connectors, change its sign-in settings, and restore both. Nothing is skipped then, so it
must have no connectors, send to loopback addresses (``OIDC_PROVIDER_SSRF_PROTECTION_DISABLED=1``) and have
Logto's mock connectors, whose record files are read.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from contract.client import LogtoBrowser, Reply
from contract.exchanges import ALLOWED, Customer, Exchanger, new_customer
from contract.fixtures import LikeRecording, NewBrowser, SignIn
from contract.listener import Listener, listening
from contract.mailbox import mock_connectors
from contract.management import (
    DEFAULT_RESOURCE,
    ManagementApi,
    ManagementCredentials,
    Workshop,
    management_token,
)
from contract.oidc import Oidc, Tokens
from contract.people import App, Person
from contract.recordings import Replacements, assert_like_recording
from contract.second_factors import Settings, Visit, VisitOf
from contract.world import World, build_world
from local_logto.testing import running_provider
from local_logto.testing.connections import brief_connector

SECONDS_PER_REQUEST = 30


@dataclass(frozen=True, slots=True)
class Server:
    """The Logto under test.

    ``is_ours``: nobody else uses it, so its settings may be changed.
    ``started_here``: these tests started it, as ``local_logto``.
    """

    endpoint: str
    management: ManagementCredentials
    is_ours: bool
    started_here: bool

    @property
    def patience(self) -> float:
        """Seconds by which replies may be late, or the clock of another machine may differ."""
        return 0.5 if self.started_here else 5.0


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow_clock: waits for seconds that the server counts")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The named server, or a ``local_logto`` that is started once for each test process."""
    endpoint = os.environ.get("CONTRACT_LOGTO_ENDPOINT", "").rstrip("/")
    if endpoint:
        is_ours = os.environ.get("CONTRACT_LOGTO_IS_OURS") == "1"
        yield Server(endpoint, _named_credentials(endpoint), is_ours=is_ours, started_here=False)
        return
    with running_provider(tmp_path_factory.mktemp("contract")) as provider:
        credentials = ManagementCredentials(
            f"{provider.endpoint}/oidc/token", provider.management_app_id, provider.management_app_secret
        )
        yield Server(provider.endpoint, credentials, is_ours=True, started_here=True)


def _named_credentials(endpoint: str) -> ManagementCredentials:
    return ManagementCredentials(
        os.environ.get("CONTRACT_MANAGEMENT_TOKEN_ENDPOINT", f"{endpoint}/oidc/token"),
        os.environ["CONTRACT_MANAGEMENT_APP_ID"],
        os.environ["CONTRACT_MANAGEMENT_APP_SECRET"],
        os.environ.get("CONTRACT_MANAGEMENT_RESOURCE", DEFAULT_RESOURCE),
    )


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP client without cookies."""
    timeout = aiohttp.ClientTimeout(total=SECONDS_PER_REQUEST)
    async with aiohttp.ClientSession(
        connector=brief_connector(), cookie_jar=aiohttp.DummyCookieJar(), timeout=timeout
    ) as session:
        yield session


@pytest.fixture(scope="session")
def oidc(http: aiohttp.ClientSession, server: Server) -> Oidc:
    return Oidc(http, server.endpoint)


@pytest.fixture(scope="session")
async def api(http: aiohttp.ClientSession, server: Server) -> ManagementApi:
    return ManagementApi(http, server.endpoint, await management_token(http, server.management))


@pytest.fixture(scope="session")
async def world(api: ManagementApi) -> AsyncIterator[World]:
    workshop = Workshop(api)
    try:
        yield await build_world(workshop)
    finally:
        await workshop.close()


@pytest.fixture
async def workshop(api: ManagementApi) -> AsyncIterator[Workshop]:
    """A workshop for one test, which deletes what it created when the test ends."""
    workshop = Workshop(api)
    try:
        yield workshop
    finally:
        await workshop.close()


@pytest.fixture(scope="session")
async def sign_in_settings(api: ManagementApi) -> dict[str, Any]:
    """The sign-in settings before any test changes them."""
    settings: dict[str, Any] = (await api.get("/sign-in-exp")).expect(200).body
    return settings


async def put_back(api: ManagementApi, sign_in_settings: dict[str, Any]) -> None:
    """Restore every sign-in setting that a test changed.

    Twice at most: changing one setting may make Logto change another, as factors and adaptive MFA do.
    """
    for _ in range(2):
        now = (await api.get("/sign-in-exp")).expect(200).body
        changed = {name: value for name, value in sign_in_settings.items() if now[name] != value}
        if not changed:
            return
        (await api.patch("/sign-in-exp", changed)).expect(200)
    assert (await api.get("/sign-in-exp")).body == sign_in_settings


@pytest.fixture(scope="session")
def _username_and_password(server: Server, sign_in_settings: dict[str, Any]) -> None:
    """Skip unless the server offers sign-in by username and password, which these tests use."""
    methods = sign_in_settings["signIn"]["methods"]
    offered = any(method["identifier"] == "username" and method["password"] for method in methods)
    if not offered and not server.is_ours:
        pytest.skip("sign-in by username and password is turned off at this Logto")
    assert offered


@pytest.fixture
async def new_browser(server: Server, _username_and_password: None) -> AsyncIterator[NewBrowser]:
    """A function that opens browsers with separate cookies."""
    opened: list[LogtoBrowser] = []

    def open_browser() -> LogtoBrowser:
        opened.append(LogtoBrowser(server.endpoint))
        return opened[-1]

    yield open_browser
    for each in opened:
        await each.close()


@pytest.fixture
async def browser(new_browser: NewBrowser) -> LogtoBrowser:
    return new_browser()


@pytest.fixture(scope="session")
async def alice(server: Server, oidc: Oidc, world: World, _username_and_password: None) -> Tokens:
    """Alice's tokens with every permission. Tests share this grant, so they must not change it."""
    browser = LogtoBrowser(server.endpoint)
    try:
        return await oidc.sign_in(browser, world.web, world.alice, **world.everything)
    finally:
        await browser.close()


@pytest.fixture
def sign_in(oidc: Oidc, world: World, new_browser: NewBrowser) -> SignIn:
    """A function that signs a person in from a new browser and requests every permission by default."""

    async def run(person: Person, app: App | None = None, **parameters: object) -> Tokens:
        asked = {**world.everything, **parameters}
        return await oidc.sign_in(new_browser(), app or world.web, person, **asked)  # type: ignore[arg-type]

    return run


@pytest.fixture(scope="session")
def like_recording(world: World) -> LikeRecording:
    """A function that compares a reply with a recording, after replacing this run's names."""

    def compare(name: str, reply: Reply, replacing: Replacements | None = None) -> None:
        assert_like_recording(name, reply, {**(replacing or {}), **world.as_recorded})

    return compare


@pytest.fixture
async def listener(server: Server) -> AsyncIterator[Listener]:
    """An HTTP server on this machine that receives what the server under test sends."""
    async with listening(must_be_heard=server.is_ours) as listener:
        yield listener


@pytest.fixture
async def nina(workshop: Workshop) -> Person:
    """A person with an email address."""
    return await workshop.person("nina", primaryEmail=workshop.email("nina"))


@pytest.fixture
async def otto(workshop: Workshop) -> Person:
    """A person with a username and nothing else."""
    return await workshop.person("otto")


@pytest.fixture
async def app(workshop: Workshop) -> App:
    """A web application that only this test uses."""
    return await workshop.application()


@pytest.fixture
async def exchanger(api: ManagementApi, oidc: Oidc, workshop: Workshop) -> Exchanger:
    """A web application that may exchange tokens."""
    return Exchanger(api, oidc, await workshop.application(**ALLOWED))


@pytest.fixture
async def customer(workshop: Workshop, world: World) -> Customer:
    return await new_customer(workshop, world)


@pytest.fixture
async def settings(
    api: ManagementApi, sign_in_settings: dict[str, Any], _username_and_password: None
) -> AsyncIterator[Settings]:
    """A function that changes the sign-in settings. They are restored when the test ends."""

    async def change(**values: object) -> None:
        (await api.patch("/sign-in-exp", values)).expect(200)

    yield change
    await put_back(api, sign_in_settings)


@pytest.fixture
async def message_connectors(server: Server, api: ManagementApi) -> AsyncIterator[None]:
    """A way to send codes: Logto's mock connectors, unless the server shows its messages on a page."""
    if not server.is_ours:
        pytest.skip("this test replaces connectors, which needs CONTRACT_LOGTO_IS_OURS=1")
    async with contextlib.nullcontext() if server.started_here else mock_connectors(api):
        yield


@pytest.fixture
async def sign_up_by_username(
    server: Server, api: ManagementApi, sign_in_settings: dict[str, Any]
) -> AsyncIterator[None]:
    """Sign-up by username and password. Passwords are not checked against a service on the internet."""
    sign_up = sign_in_settings["signUp"]
    by_username = sign_up["identifiers"] == ["username"] and not sign_up.get("secondaryIdentifiers")
    is_open = by_username and sign_in_settings["signInMode"] == "SignInAndRegister"
    if not is_open and not server.is_ours:
        pytest.skip("this Logto does not offer sign-up by username and password")
    assert is_open
    if not server.is_ours:
        yield
        return
    (await api.patch("/sign-in-exp", {"passwordPolicy": {"rejects": {"pwned": False}}})).expect(200)
    yield
    await put_back(api, sign_in_settings)


@pytest.fixture
def visit(new_browser: NewBrowser, world: World) -> VisitOf:
    """A function that begins a person's sign-in and stops before the second factor."""

    async def run(person: Person) -> Visit:
        return await Visit(new_browser(), person).begin(world)

    return run
