"""A company with its own provider, and sign-ins through it as Logto's page makes them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp

from contract.client import LogtoBrowser, Reply
from contract.management import ManagementApi, Workshop
from contract.people import App
from contract.recordings import assert_chain_like_recording, load
from local_logto.fakes.openid import FakeOpenId, OpenIdPerson


@dataclass(slots=True)
class Company:
    """A company's provider, its connector at the Logto under test, and its domain."""

    provider: FakeOpenId
    endpoint: str
    domain: str
    connector_id: str
    _serial: int = 0

    @property
    def path(self) -> str:
        return f"/sso-connectors/{self.connector_id}"

    @property
    def callback(self) -> str:
        return f"{self.endpoint}/callback/{self.connector_id}"

    def email(self, name: str) -> str:
        return f"{name}@{self.domain}"

    def signs_in(self, name: str = "new", /, **claims: object) -> OpenIdPerson:
        """Let another person sit at the browser, by default with a verified address of the company."""
        self._serial += 1
        known = {"email": self.email(name), "email_verified": True, **claims}
        self.provider.person = OpenIdPerson(f"u{self._serial}-{self.domain}", known)
        return self.provider.person

    async def go(self, authorization_uri: str) -> dict[str, str]:
        """Sign in at the company. Returns the parameters with which the browser comes back."""
        async with (
            aiohttp.ClientSession() as http,
            http.get(authorization_uri, allow_redirects=False) as answer,
        ):
            assert answer.status == 302, await answer.text()
            back = urlsplit(answer.headers["Location"])
        assert back._replace(query="").geturl() == self.callback
        return dict(parse_qsl(back.query))


async def new_company(workshop: Workshop, provider: FakeOpenId, endpoint: str, **values: object) -> Company:
    """Create a connector for the provider and a new domain."""
    domain = f"{workshop.unique('corp').replace('_', '-')}.example.test"
    body = {
        "providerName": "OIDC",
        "connectorName": workshop.unique("Corp"),
        "domains": [domain],
        "config": {**provider.config, "scope": "openid profile email"},
        "branding": {"displayName": "Corp"},
        **values,
    }
    made = (await workshop.post("/sso-connectors", body)).expect(200).body
    return Company(provider, endpoint, domain, made["id"])


@dataclass(slots=True)
class CompanyVisit:
    """A sign-in through a company's provider. Every call can be compared with a recorded one."""

    browser: LogtoBrowser
    company: Company
    verification_id: str = ""
    data: Mapping[str, str] = field(default_factory=dict)

    async def connectors(self, email: str = "") -> Reply:
        query = {"email": email or self.company.email("who")}
        return await self.browser.send("GET", "/api/experience/sso-connectors", params=query)

    async def leave(self) -> Reply:
        """Ask for the provider's URL, and sign in there."""
        body = {"state": "s1", "redirectUri": self.company.callback}
        reply = await self._post("authorization-uri", body)
        self.verification_id = reply.expect(200).body["verificationId"]
        back = await self.company.go(reply.body["authorizationUri"])
        self.data = {"code": back["code"], "state": back["state"], "redirectUri": self.company.callback}
        return reply

    async def verify(self, verification_id: str = "", **changes: str | None) -> Reply:
        """Send what the callback page sends, with these changes. None leaves a member out."""
        data = {name: value for name, value in {**self.data, **changes}.items() if value is not None}
        body = {"verificationId": verification_id or self.verification_id, "connectorData": data}
        return await self._post("verify", body)

    async def prove(self) -> None:
        """Sign in at the provider, and let Logto verify it."""
        await self.leave()
        (await self.verify()).expect(200)

    async def identify(self) -> Reply:
        body = {"verificationId": self.verification_id}
        return await self.browser.experience("POST", "/identification", body)

    async def change_event(self, event: str = "Register") -> Reply:
        body = {"interactionEvent": event}
        return await self.browser.experience("PUT", "/interaction-event", body)

    async def submit(self) -> Reply:
        return await self.browser.experience("POST", "/submit")

    async def sign_up(self) -> Reply:
        """Identify the person as a new one. Returns the reply to the second identification."""
        assert (await self.identify()).refusal == (404, "user.sso_identity_not_exist")
        (await self.change_event()).expect(204)
        return (await self.identify()).expect(201)

    async def _post(self, action: str, body: object) -> Reply:
        path = f"/verification/sso/{self.company.connector_id}/{action}"
        return await self.browser.experience("POST", path, body)


async def account_of(api: ManagementApi, workshop: Workshop, email: str) -> dict[str, Any]:
    """Return the account with this address and its enterprise identities. The workshop deletes it."""
    query = {"search.primaryEmail": email, "mode.primaryEmail": "exact"}
    [found] = (await api.get("/users", **query)).expect(200).body
    workshop.will_delete(f"/users/{found['id']}")
    account: dict[str, Any] = (
        (await api.get(f"/users/{found['id']}", includeSsoIdentities="true")).expect(200).body
    )
    return account


async def follow(visit: CompanyVisit, submitted: Reply, app: App) -> dict[str, str]:
    return await visit.browser.follow(submitted.expect(200).body["redirectTo"], app.redirect_uri)


def assert_like_chain(name: str, visit: CompanyVisit, app: App) -> None:
    """Fail unless all calls of the visit were answered as in the recording."""
    chain = load(name)["chain"]
    in_page = re.search(r"app_id=(\w+)", chain[0]["location"])
    in_calls = re.search(r"/verification/sso/(\w+)/", " ".join(hop["url"] for hop in chain))
    assert in_page is not None
    replacing = {app.id: in_page[1]}
    if in_calls:
        replacing[visit.company.connector_id] = in_calls[1]
    assert_chain_like_recording(name, visit.browser.hops, replacing, cookies=False)


Begin = Callable[..., Awaitable[CompanyVisit]]
