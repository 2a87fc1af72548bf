"""Attacks by somebody who calls Logto's Experience API step by step, in place of its pages."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest

from saas_app.logto import ManagementClient
from tests.clients import Browser, Person
from tests.conftest import OpenBrowser
from tests.factories import Factory, address_of
from tests.integration.single_sign_on.company import Company, new_domain


@dataclass
class Interaction:
    """A sign-in at Logto that has begun in a browser, without its pages."""

    browser: Browser
    page: str

    @classmethod
    async def begin(cls, browser: Browser) -> Self:
        """Start a sign-in at the application."""
        url = (await browser.get("/sign-in?prompt=login", 303)).headers["Location"]
        async with browser.logto._http.get(url, allow_redirects=False) as response:
            found = cls(browser, urljoin(url, response.headers["Location"]))
        await found.call("PUT", "", {"interactionEvent": "SignIn"}, 204)
        return found

    async def call(self, method: str, path: str, body: Any, status: int = 200) -> Any:
        """Call the Experience API."""
        url = urljoin(self.page, f"/api/experience{path}")
        return await self.browser.logto._call(method, url, body, status)

    async def depart(self, connector_id: str) -> dict[str, Any]:
        """Begin the way to a company's provider. Returns what the way back needs."""
        back = {"state": secrets.token_hex(8), "redirectUri": urljoin(self.page, f"/callback/{connector_id}")}
        gone = await self.call("POST", f"/verification/sso/{connector_id}/authorization-uri", back)
        return {**back, **gone}

    async def prove(self, connector_id: str) -> str:
        """Go to a company's provider and back. Returns the ID of the proof."""
        way = await self.depart(connector_id)
        async with self.browser.logto._http.get(way["authorizationUri"], allow_redirects=False) as response:
            code = parse_qs(urlsplit(response.headers["Location"]).query)["code"][0]
        data = {"code": code, "state": way["state"], "redirectUri": way["redirectUri"]}
        body = {"verificationId": way["verificationId"], "connectorData": data}
        proved = await self.call("POST", f"/verification/sso/{connector_id}/verify", body)
        return str(proved["verificationId"])

    async def identify(self, proof: str) -> None:
        """Sign in to the account that a proof leads to."""
        await self.call("POST", "/identification", {"verificationId": proof}, 204)

    async def submit(self) -> str:
        """End the sign-in at Logto. Returns the callback without opening it."""
        way_on = str((await self.call("POST", "/submit", None))["redirectTo"])
        return await self.browser.callback_of(way_on, None)


@pytest.fixture
async def victim(make: Factory) -> Person:
    """A person who has nothing to do with the company."""
    return await make.person("Victor")


async def connector_of_operator(company: Company, management: ManagementClient) -> str:
    """Make a connector that the operator answers for. Returns its ID."""
    body = {
        "providerName": "OIDC",
        "connectorName": f"Operator {company.id}",
        "domains": [new_domain()],
        "config": dict(company.provider.config),
    }
    return str((await management._transport.call("POST", "/sso-connectors", body=body)).body["id"])


async def test_a_proof_that_a_second_departure_replaced_lets_nobody_in(
    connection_on: Company, victim: Person, open_browser: OpenBrowser
) -> None:
    connector_id = (await connection_on.connection()).connector_id
    connection_on.asserts(address_of(victim))
    browser = await open_browser()
    interaction = await Interaction.begin(browser)
    await interaction.identify(await interaction.prove(connector_id))
    await interaction.depart(connector_id)

    await browser.get(await interaction.submit(), 400)

    assert await connection_on.sessions_here(victim.id) == []
    assert await connection_on.management.list_user_sessions(victim.id) == []


async def test_a_proof_of_the_operators_connector_does_not_cover_one_of_a_company(
    connection_on: Company, victim: Person, open_browser: OpenBrowser, management: ManagementClient
) -> None:
    connector_id = (await connection_on.connection()).connector_id
    trusted = await connector_of_operator(connection_on, management)
    connection_on.asserts(address_of(victim))
    browser = await open_browser()
    interaction = await Interaction.begin(browser)
    await interaction.identify(await interaction.prove(connector_id))
    connection_on.asserts("mallory@elsewhere.example")
    await interaction.prove(trusted)

    await browser.get(await interaction.submit(), 400)

    assert await connection_on.sessions_here(victim.id) == []
    assert await connection_on.management.list_user_sessions(victim.id) == []
