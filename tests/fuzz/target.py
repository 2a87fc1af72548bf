"""The target of the fuzzer: the product as operators run it, and four callers with their own tokens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from contract.client import LogtoBrowser
from contract.people import App

from saas_app.logto import connect
from saas_app.operations.env_file import read_env_file
from saas_app.rbac.permissions import Carrier, Permission, Role
from tests.clients import Person
from tests.databases import migrated_database
from tests.factories import Factory
from tests.processes import running_application, running_provider
from tests.settings import management_settings

API_RESOURCE = "https://api.workroom.example"
_LIMITED = ("CLIENT", "USER", "ORGANIZATION")  # in addition to the limits that running_application lifts
_SCOPES = ("openid", "profile", "email", "offline_access", "urn:logto:scope:organizations")


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller of the API: its tokens, and the organization it calls."""

    organization_id: str
    tokens: dict[Carrier, str]


@dataclass(frozen=True, slots=True)
class Target:
    """The running API and its callers by name."""

    url: str
    callers: dict[str, Caller]


@asynccontextmanager
async def running_target(directory: Path) -> AsyncIterator[Target]:
    """Start the provider and the application, and make the callers."""
    unlimited = dict.fromkeys((f"RATE_LIMIT_{what}" for what in _LIMITED), "1000000/minute")
    with (
        running_provider(directory) as provider,
        migrated_database(directory) as database,
        running_application(provider, database, directory, **unlimited) as application,
    ):
        async with connect(management_settings(provider)) as management:
            stored = read_env_file(application.env_file)
            client = App(stored["LOGTO_APP_ID"], stored["LOGTO_APP_SECRET"], f"{application.url}/callback")
            visit = _Visit(provider.endpoint, application.url, client, Factory(management))
            yield Target(application.url, await visit.all_callers())


@dataclass(frozen=True, slots=True)
class _Visit:
    """A visit to the provider, in which callers are made."""

    endpoint: str
    url: str
    client: App
    make: Factory

    async def all_callers(self) -> dict[str, Caller]:
        callers = {}
        for role in (Role.ADMIN, Role.VIEWER):
            person = await self.make.person(role.value)
            members = {role.value: person}
            if role is not Role.ADMIN:
                members["admin"] = await self.make.person("boss")
            organization_id = await self.make.organization(role.value, **members)
            callers[role.value] = Caller(organization_id, await self._tokens_of(person, organization_id))
        callers["machine"] = await self._machine()
        own = callers["admin"]
        elsewhere = await self.make.organization("Elsewhere", admin=await self.make.person("other"))
        callers["stranger"] = Caller(elsewhere, own.tokens)
        return callers

    async def _machine(self) -> Caller:
        organization_id = await self.make.organization("Machines", admin=await self.make.person("boss"))
        machine = await self.make.machine(organization_id)
        client = App(machine.id, machine.secret, "")
        tokens = {}
        for carrier in Carrier:
            form = {"grant_type": "client_credentials", "organization_id": organization_id}
            if carrier is Carrier.API_TOKEN:
                form |= {"resource": API_RESOURCE, "scope": " ".join(ALL_SCOPES)}
            tokens[carrier] = await self._accepted_token(client, form)
        return Caller(organization_id, tokens)

    async def _tokens_of(self, person: Person, organization_id: str) -> dict[Carrier, str]:
        browser = LogtoBrowser(self.endpoint)
        try:
            callback = await browser.sign_in(
                self.client,
                person,  # type: ignore[arg-type]
                scope=" ".join((*_SCOPES, *ALL_SCOPES)),
                resource=[API_RESOURCE, "urn:logto:resource:organizations"],
            )
        finally:
            await browser.close()
        granted = await self._token(
            self.client,
            {
                "grant_type": "authorization_code",
                "code": callback.code,
                "redirect_uri": self.client.redirect_uri,
                "code_verifier": callback.request.code_verifier,
            },
        )
        tokens = {}
        for carrier in Carrier:
            form = {
                "grant_type": "refresh_token",
                "refresh_token": granted["refresh_token"],
                "organization_id": organization_id,
            }
            if carrier is Carrier.API_TOKEN:
                form["resource"] = API_RESOURCE
            tokens[carrier] = await self._accepted_token(self.client, form)
        return tokens

    async def _accepted_token(self, client: App, form: dict[str, str]) -> str:
        """Return a token that the API accepts. One issued within the second of joining is stale."""
        for _ in range(50):
            token = (await self._token(client, form))["access_token"]
            headers = {"Authorization": f"Bearer {token}"}
            async with (
                aiohttp.ClientSession() as http,
                http.get(f"{self.url}/api/v1/me", headers=headers) as me,
            ):
                if me.status == 200:
                    return token
            await asyncio.sleep(0.1)
        raise AssertionError("no token of this caller is accepted")

    async def _token(self, client: App, form: dict[str, str]) -> dict[str, str]:
        headers = {"Authorization": aiohttp.encode_basic_auth(client.id, client.secret or "")}
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{self.endpoint}/oidc/token", data=form, headers=headers) as answer,
        ):
            body: dict[str, str] = await answer.json()
            assert answer.status == 200, body
            return body


ALL_SCOPES = tuple(permission.value for permission in Permission)
