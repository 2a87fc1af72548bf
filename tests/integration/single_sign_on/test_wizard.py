"""An admin connects the identity provider of their company, step by step."""

from __future__ import annotations

import asyncio

from saas_app.single_sign_on.changes.provider import connector_name
from saas_app.single_sign_on.values import Stage
from tests.integration.single_sign_on.wizard import Wizard


async def test_before_it_is_begun_the_page_says_what_it_takes(wizard: Wizard) -> None:
    page = await wizard.text()

    assert "Set up single sign-on" in page
    assert "For SAML, ask the operator" in page


async def test_beginning_creates_a_connector_and_shows_its_redirect_uri(wizard: Wizard) -> None:
    await wizard.send("begin")

    connector = await wizard.connector()
    assert connector.name == connector_name(wizard.company.id)
    assert f'value="{wizard.company.runtime.registration.redirect_uri(connector.id)}"' in await wizard.text()
    assert await wizard.actions() == ["sso.create"]


async def test_beginning_twice_at_once_creates_one_connector(wizard: Wizard) -> None:
    await asyncio.gather(wizard.send("begin"), wizard.send("begin"))

    name = connector_name(wizard.company.id)
    connectors = await wizard.company.management.list_sso_connectors()
    assert len([connector for connector in connectors if connector.name == name]) == 1
    assert await wizard.actions() == ["sso.create"]


async def test_a_connector_that_an_earlier_attempt_left_is_replaced(wizard: Wizard) -> None:
    left = await wizard.company.management.create_sso_connector(connector_name(wizard.company.id))

    await wizard.send("begin")

    assert (await wizard.connector()).id != left.id
    assert await wizard.company.management.find_sso_connector(left.id) is None


async def test_the_connector_points_at_workroom_without_a_domain(begun: Wizard) -> None:
    connector, registration = await begun.connector(), begun.company.runtime.registration

    assert registration.is_ours(connector)
    assert connector.issuer == registration.issuer(connector.id)
    assert connector.domains == ()


async def test_the_provider_is_stored_here_and_logto_learns_only_its_name(begun: Wizard) -> None:
    before = await begun.connector()

    await begun.send("provider", begun.provider(scopes="groups"))

    connection, provider = await begun.company.connection(), begun.company.provider
    assert (connection.issuer, connection.client_id) == (provider.issuer, provider.client_id)
    assert (connection.scopes, connection.stage) == ("openid profile email groups", Stage.CONFIGURED)
    assert (await begun.connector(), await begun.shown_name()) == (before, "Acme Login")


async def test_turning_on_sends_the_people_of_the_domains_to_the_provider(tested: Wizard) -> None:
    await tested.send("on")

    assert (await tested.connector()).domains == (tested.company.domain,)
    assert (await tested.company.connection()).stage is Stage.ON
    assert (await tested.actions())[-1] == "sso.turn-on"


async def test_turning_off_sends_nobody_there(on: Wizard) -> None:
    await on.send("off")

    connector = await on.connector()
    assert connector.domains == ()
    assert (await on.company.connection()).stage is Stage.TESTED


async def test_removing_it_deletes_the_connector(on: Wizard) -> None:
    connector_id = (await on.connector()).id

    await on.send("remove")

    assert await on.company.management.find_sso_connector(connector_id) is None
    assert await on.find() is None
    assert "Set up single sign-on" in await on.text()
