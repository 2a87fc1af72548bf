"""A customer's identity provider on the internet of a test, which publishes what the test wants."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohappyeyeballs
import pytest
from aiohttp import web

from saas_app.single_sign_on.issuers import IssuerInspector, IssuerRefused, ProviderMetadata
from saas_app.single_sign_on.visits import ProviderVisits
from tests.integration.single_sign_on.issuers.certificates import serve_as

HOST = "login.example.com"
METADATA = "/.well-known/openid-configuration"
KEYS = "/keys"
PUBLIC = "93.184.216.34"
SECRET = "what-the-provider-sent"
SIGNING_KEY = {"kty": "EC", "crv": "P-256", "x": "eA", "y": "eQ", "use": "sig"}

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class PublishingProvider:
    """A provider. A test changes ``metadata`` and ``keys``, or replaces the answer at a path."""

    issuer: str = ""
    port: int = 0
    received: list[web.Request] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, Any] = field(default_factory=lambda: {"keys": [SIGNING_KEY]})
    answers: dict[str, Answer] = field(default_factory=dict)

    @property
    def paths(self) -> list[str]:
        """The paths that were requested."""
        return [request.path for request in self.received]

    def publish(self, issuer: str) -> None:
        """Publish an issuer and its endpoints."""
        self.issuer = issuer
        self.metadata = {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "userinfo_endpoint": f"{issuer}/userinfo",
            "jwks_uri": f"{issuer}{KEYS}",
            "response_types_supported": ["code", "code id_token"],
            "id_token_signing_alg_values_supported": ["none", "HS256", "ES256"],
            "scopes_supported": ["openid", "email", "groups"],
            "claims_supported": ["sub", "email", "groups"],
        }

    def answer(self, path: str, body: str | bytes, status: int = 200, **headers: str) -> None:
        """Answer requests for a path with this body."""
        sent = body.encode() if isinstance(body, str) else body

        async def send(_request: web.Request) -> web.StreamResponse:
            return web.Response(body=sent, status=status, headers=headers)

        self.answers[path] = send

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        assert isinstance(request, web.Request)
        self.received.append(request)
        if request.path in self.answers:
            return await self.answers[request.path](request)
        documents = {METADATA: self.metadata, KEYS: self.keys}
        if request.path not in documents:
            return web.Response(status=404)
        return web.json_response(documents[request.path])


@asynccontextmanager
async def publishing(tls: ssl.SSLContext | None = None) -> AsyncIterator[PublishingProvider]:
    """Run a provider on a free port of loopback. Its issuer is its address there."""
    provider = PublishingProvider()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", provider.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        provider.port = runner.addresses[0][1]
        provider.publish(f"{'https' if tls else 'http'}://127.0.0.1:{provider.port}")
        yield provider
    finally:
        await runner.cleanup()


@dataclass
class Internet:
    """Names and routes. ``names`` are the answers of a nameserver, in order; the last one lasts.

    A connection to a public address arrives at the same port of this machine.
    """

    names: dict[str, list[Sequence[str]]] = field(default_factory=dict)
    looked_up: list[str] = field(default_factory=list)
    connected: list[str] = field(default_factory=list)

    async def look_up(self, host: str) -> Sequence[str]:
        self.looked_up.append(host)
        answers = self.names.get(host, [(PUBLIC,)])
        return answers.pop(0) if len(answers) > 1 else answers[0]


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch) -> Internet:
    """The internet. Names that a test does not set lead to a public address."""
    internet = Internet()
    connect = aiohappyeyeballs.start_connection

    async def start(addr_infos: Sequence[Any], **options: Any) -> Any:
        routed = []
        for family, kind, protocol, name, address in addr_infos:
            internet.connected.append(address[0])
            here = "127.0.0.1" if address[0] == PUBLIC else address[0]
            routed.append((family, kind, protocol, name, (here, *address[1:])))
        return await connect(routed, **options)

    monkeypatch.setattr(aiohappyeyeballs, "start_connection", start)
    return internet


Certificates = tuple[ssl.SSLContext, ssl.SSLContext]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """The contexts of a server with a certificate for the provider's host, and of a client that trusts it."""
    return serve_as(HOST, tmp_path_factory.mktemp("certificates"))


@pytest.fixture
async def publisher(certificates: Certificates, internet: Internet) -> AsyncIterator[PublishingProvider]:
    """A provider on the internet, at a name and with TLS."""
    async with publishing(certificates[0]) as provider:
        provider.publish(f"https://{HOST}:{provider.port}")
        yield provider


@pytest.fixture
async def local_publisher() -> AsyncIterator[PublishingProvider]:
    """A provider on this machine, without TLS."""
    async with publishing() as provider:
        yield provider


Inspect = Callable[[str], Awaitable[ProviderMetadata]]


@pytest.fixture
def inspect(internet: Internet, certificates: Certificates) -> Inspect:
    """Inspect an issuer on the internet."""
    return IssuerInspector(
        ProviderVisits(allows_private=False, look_up=internet.look_up, tls=certificates[1])
    ).inspect


Refuse = Callable[[str], Awaitable[IssuerRefused]]


@pytest.fixture
def refuse(inspect: Inspect) -> Refuse:
    """Inspect an issuer on the internet, which must be refused, and return the refusal."""

    async def refused(issuer: str) -> IssuerRefused:
        with pytest.raises(IssuerRefused) as error:
            await inspect(issuer)
        return error.value

    return refused


@pytest.fixture
async def private_service() -> AsyncIterator[tuple[int, list[str]]]:
    """A service on loopback: its port, and who connected to it."""
    connected: list[str] = []

    async def accept(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.append(str(writer.get_extra_info("peername")))
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], connected


async def never(_request: web.Request) -> web.StreamResponse:
    """Send nothing until the client leaves."""
    await asyncio.Event().wait()
    return web.Response()
