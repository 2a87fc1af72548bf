"""An admin who invites, somebody who is invited, and a Logto that fails where a test wants it to."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import aiohttp
import pytest
from aiohttp import web
from local_logto.testing import Message, Provider
from quart.wrappers import Response

from saas_app.app import create_app
from saas_app.audit.recorder import Action
from saas_app.config import ManagementSettings, Settings
from saas_app.logto import Invitation, ManagementClient
from saas_app.models import AuditEvent
from saas_app.runtime import Runtime
from tests.clients import SAME_ORIGIN, Browser, LogtoVisit, Person
from tests.conftest import APP_URL, OpenBrowser
from tests.factories import Factory
from tests.integration.members.conftest import events_of, text_of

DAY = 86_400  # seconds


def new_address() -> str:
    """An address nobody has."""
    return f"new_{secrets.token_hex(5)}@example.test"


def address_of(person: Person) -> str:
    """The address that the factory gives an account."""
    return f"{person.username}@example.test"


@dataclass(frozen=True, slots=True)
class Acme:
    """An organization, its admin, and the admin's browser."""

    id: str
    admin: Person
    browser: Browser
    management: ManagementClient

    @property
    def root(self) -> str:
        """The list's path."""
        return f"/o/{self.id}/invitations"

    async def invite(
        self, addresses: str, *roles: str, expect: int = 303, days: str = "7", by: Browser | None = None
    ) -> str:
        """Send the form; returns the page that answers it, or that it leads to."""
        form: dict[str, str | list[str]] = {"addresses": addresses, "roles": list(roles), "days": days}
        browser = by or self.browser
        answer = await send(browser, f"{self.root}/new", form, expect)
        return await text_of(await browser.follow(self.root) if expect == 303 else answer)

    async def found(self, address: str) -> Invitation:
        """The newest invitation of an address, as Logto tells it."""
        invitations = await self.management.list_invitations(self.id)
        return next(entry for entry in invitations if entry.invitee == address)

    async def invited(self, address: str, *roles: str) -> Invitation:
        """The same, once made by the form."""
        await self.invite(address, *(roles or ("viewer",)))
        return await self.found(address)

    async def lasting(self, address: str, seconds: float) -> Invitation:
        """An invitation as somebody makes it in Logto's console, for as short as it may be."""
        expires_at = int((time.time() + seconds) * 1000)
        return await self.management.create_invitation(self.id, address, role_ids=[], expires_at=expires_at)


async def send(browser: Browser, path: str, form: dict[str, str | list[str]], expect: int = 303) -> Response:
    """POST a form whose fields may stand several times."""
    response = await browser.app.post(
        path,
        data=urlencode(form, doseq=True),
        headers={**SAME_ORIGIN, "Content-Type": "application/x-www-form-urlencoded"},
    )
    body = await text_of(response)
    assert response.status_code == expect, (
        f"POST {path}: {response.status_code} (not {expect})\n{body[:3000]}"
    )
    return response


async def new_acme(make: Factory, open_browser: Callable[[Person], Awaitable[Browser]]) -> Acme:
    admin = await make.person("Ada")
    organization_id = await make.organization("Acme", admin=admin)
    return Acme(organization_id, admin, await open_browser(admin), make.management)


@pytest.fixture
async def acme(make: Factory, open_browser: OpenBrowser) -> Acme:
    return await new_acme(make, open_browser)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """What Logto sent, as the development provider keeps it."""

    provider: Provider

    async def links_for(self, address: str) -> list[str]:
        """The links of the messages to an address, the newest first."""
        return [message.link for message in await self._for(address) if message.link]

    async def pages_for(self, address: str) -> list[str]:
        """Where they lead, without the proof that only the message carries."""
        return [link.partition("?")[0] for link in await self.links_for(address)]

    async def code_for(self, address: str) -> str:
        """The newest verification code sent to an address."""
        return next(message.code for message in await self._for(address) if message.code)

    async def _for(self, address: str) -> list[Message]:
        return await asyncio.to_thread(self.provider.messages, address)


@pytest.fixture
def mailbox(provider: Provider) -> Mailbox:
    return Mailbox(provider)


@pytest.fixture
async def sign_up_by_email(management: ManagementClient) -> AsyncIterator[None]:
    """Logto asks newcomers for an email address, as an organization that invites will have it."""
    transport = management._transport
    settings = (await transport.call("GET", "/sign-in-exp")).body
    methods = [
        {"identifier": "username", "password": True, "verificationCode": False, "isPasswordPrimary": True},
        {"identifier": "email", "password": False, "verificationCode": True, "isPasswordPrimary": False},
    ]
    wanted = {
        "signUp": {"identifiers": ["email"], "password": False, "verify": True},
        "signIn": {"methods": methods},
    }
    await transport.call("PATCH", "/sign-in-exp", body=wanted)
    yield
    await transport.call("PATCH", "/sign-in-exp", body={name: settings[name] for name in wanted})


class SignUp(LogtoVisit):
    """A browser's cookies at the provider whose person has no account yet, and makes one."""

    def __init__(self, address: str, mailbox: Mailbox) -> None:
        super().__init__()
        self._address = address
        self._mailbox = mailbox

    async def _sign_in(self, page: str, person: Person) -> str:
        api, identifier = urljoin(page, "/api/experience"), {"type": "email", "value": self._address}
        await self._call("PUT", api, {"interactionEvent": "Register"}, 204)
        asked = {"identifier": identifier, "interactionEvent": "Register"}
        sent = await self._call("POST", f"{api}/verification/verification-code", asked, 200)
        typed = {
            "identifier": identifier,
            "verificationId": sent["verificationId"],
            "code": await self._mailbox.code_for(self._address),
        }
        await self._call("POST", f"{api}/verification/verification-code/verify", typed, 200)
        proof = {"verificationId": sent["verificationId"]}
        await self._call("POST", f"{api}/identification", proof, 201)
        return str((await self._call("POST", f"{api}/submit", None, 200))["redirectTo"])


class TokenSignUp(LogtoVisit):
    """A browser's cookies at the provider whose person has no account, and brings a one-time token.

    ``page`` is what the provider was told; ``missing`` what sign-up asks for besides, given by ``profile``.
    """

    def __init__(self, profile: list[dict[str, str]] | None = None) -> None:
        super().__init__()
        self.profile = profile or []
        self.page: dict[str, str] = {}

    async def _sign_in(self, page: str, person: Person) -> str:
        api, self.page = urljoin(page, "/api/experience"), dict(parse_qsl(urlsplit(page).query))
        identifier = {"type": "email", "value": self.page["login_hint"]}
        await self._call("PUT", api, {"interactionEvent": "SignIn"}, 204)
        proof = {"identifier": identifier, "token": self.page["one_time_token"]}
        verified = await self._call("POST", f"{api}/verification/one-time-token/verify", proof, 200)
        body = {"verificationId": verified["verificationId"]}
        await self._call("POST", f"{api}/identification", body, 404)
        await self._call("PUT", f"{api}/interaction-event", {"interactionEvent": "Register"}, 204)
        for addition in self.profile:
            await self._call("POST", f"{api}/profile", addition, 204)
        await self._call("POST", f"{api}/identification", body, 201)
        return str((await self._call("POST", f"{api}/submit", None, 200))["redirectTo"])


@dataclass(frozen=True, slots=True)
class Fault:
    """How a kind of call goes wrong. ``after``: Logto does what was asked before it does."""

    method: str
    path: str  # a regular expression, searched for
    status: int = 501
    body: dict[str, Any] = field(
        default_factory=lambda: {"code": "connector.not_found", "message": "Cannot find any connector."}
    )
    after: bool = False
    times: int = 1000


class Gate:
    """A real HTTP server in front of the provider's Management API: passes calls on, or fails them."""

    def __init__(self, provider: Provider, http: aiohttp.ClientSession) -> None:
        self._provider = provider
        self._http = http
        self._faults: list[Fault] = []
        self._met: dict[int, int] = {}
        self.calls: list[str] = []
        self.before: Callable[[str], Awaitable[None]] | None = None

    def fail(self, *faults: Fault) -> None:
        """From now on these calls fail."""
        self._faults = list(faults)
        self._met = {}

    async def answer(self, request: web.Request) -> web.Response:
        self.calls.append(f"{request.method} {request.path}")
        if self.before is not None:
            await self.before(request.path)
        fault = self._fault_of(request)
        if fault is not None and not fault.after:
            return web.json_response(fault.body, status=fault.status)
        url = f"{self._provider.endpoint}{request.path_qs}"
        headers = {
            name: request.headers[name]
            for name in ("Authorization", "Content-Type")
            if name in request.headers
        }
        async with self._http.request(
            request.method, url, data=await request.read(), headers=headers
        ) as response:
            if fault is not None:
                return web.json_response(fault.body, status=fault.status)
            kept = {name: response.headers[name] for name in ("Total-Number",) if name in response.headers}
            return web.Response(
                body=await response.read(),
                status=response.status,
                content_type=response.content_type,
                headers=kept,
            )

    def _fault_of(self, request: web.Request) -> Fault | None:
        for position, fault in enumerate(self._faults):
            if request.method == fault.method and re.search(fault.path, request.path):
                met = self._met[position] = self._met.get(position, 0) + 1
                return fault if met <= fault.times else None
        return None


@pytest.fixture
async def gate(provider: Provider) -> AsyncIterator[tuple[Gate, str]]:
    """The gate and its address."""
    async with aiohttp.ClientSession(auto_decompress=True) as http:
        gate = Gate(provider, http)
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", gate.answer)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        yield gate, f"http://127.0.0.1:{port}"
        await runner.cleanup()


@dataclass(frozen=True, slots=True)
class Faulty:
    """An application whose Logto fails where a test wants it to, and an organization in it."""

    gate: Gate
    acme: Acme
    open_browser: Callable[[Person], Awaitable[Browser]]


@pytest.fixture
async def faulty(gate: tuple[Gate, str], settings: Settings, make: Factory) -> AsyncIterator[Faulty]:
    assert settings.management is not None
    management = ManagementSettings(
        endpoint=gate[1],
        app_id=settings.management.app_id,
        app_secret=settings.management.app_secret,
        token_endpoint="",
    )
    app = create_app(settings.model_copy(update={"management": management, "logto_timeout": 3.0}))
    async with app.test_app(), AsyncExitStack() as stack:

        async def open_one(person: Person) -> Browser:
            browser = await stack.enter_async_context(Browser(app, settings.redirect_uri))
            await browser.sign_in(person)
            return browser

        yield Faulty(gate[0], await new_acme(make, open_one), open_one)


def link_of(invitation: Invitation) -> str:
    """The link that is sent and shown."""
    return f"{APP_URL}/invitations/{invitation.id}"


def path_of(invitation: Invitation) -> str:
    """Where it leads in the application."""
    return f"/invitations/{invitation.id}"


async def changes_of(runtime: Runtime, organization_id: str) -> list[AuditEvent]:
    """The organization's audit trail without refusals, oldest first."""
    return [
        event for event in await events_of(runtime, organization_id) if event.action != Action.ACCESS_DENY
    ]


async def actions_of(runtime: Runtime, organization_id: str) -> list[str]:
    """What its changes were."""
    return [event.action for event in await changes_of(runtime, organization_id)]
