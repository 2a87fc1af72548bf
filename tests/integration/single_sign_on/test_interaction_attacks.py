"""Attacks at Logto's Experience API, on a connector that somebody pointed elsewhere. Nobody comes in here."""

from __future__ import annotations

import pytest

from saas_app.logto import ManagementClient
from tests.clients import Person
from tests.conftest import OpenBrowser
from tests.factories import Factory, address_of
from tests.integration.single_sign_on.company import Company, new_domain
from tests.integration.single_sign_on.interaction import Interaction


@pytest.fixture
async def victim(make: Factory) -> Person:
    """A person who has nothing to do with the company."""
    return await make.person("Victor")


@pytest.fixture
async def astray(connection_on: Company, victim: Person) -> str:
    """The company's connector, which asks the provider itself. It asserts the victim's address."""
    await connection_on.point_elsewhere()
    connection_on.asserts(address_of(victim))
    return (await connection_on.connection()).connector_id


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
    connection_on: Company, victim: Person, astray: str, open_browser: OpenBrowser
) -> None:
    browser = await open_browser()
    interaction = await Interaction.begin(browser)
    await interaction.identify(await interaction.prove(astray))
    await interaction.depart(astray)

    await browser.get(await interaction.submit(), 400)

    assert await connection_on.sessions_here(victim.id) == []
    assert await connection_on.management.list_user_sessions(victim.id) == []


async def test_a_proof_of_the_operators_connector_does_not_cover_one_of_a_company(
    connection_on: Company,
    victim: Person,
    astray: str,
    open_browser: OpenBrowser,
    management: ManagementClient,
) -> None:
    trusted = await connector_of_operator(connection_on, management)
    browser = await open_browser()
    interaction = await Interaction.begin(browser)
    await interaction.identify(await interaction.prove(astray))
    connection_on.asserts("mallory@elsewhere.example")
    await interaction.prove(trusted)

    await browser.get(await interaction.submit(), 400)

    assert await connection_on.sessions_here(victim.id) == []
    assert await connection_on.management.list_user_sessions(victim.id) == []
