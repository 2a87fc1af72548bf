"""The desk of the support team: which organizations it can act in, and an agent's own accesses."""

from __future__ import annotations

from datetime import timedelta

from saas_app.runtime import Runtime
from tests.clients import Browser, Person
from tests.conftest import OpenBrowser, OpenOffice
from tests.factories import Factory
from tests.integration.records import changes_of
from tests.integration.support.conftest import SUPPORT, Customer
from tests.integration.support.rows import add_access, allow_support


async def test_it_lists_the_organizations_that_allow_support_access(
    acme: Customer, desk: Browser, desk_root: str, runtime: Runtime, open_office: OpenOffice
) -> None:
    closed = await open_office("Closed", admin="Cleo")
    await allow_support(runtime, acme.id)

    page = await desk.text(desk_root)

    assert acme.name in page
    assert closed.name not in page


async def test_it_lists_only_the_agents_own_accesses(
    acme: Customer, desk: Browser, desk_root: str, sam: Person, runtime: Runtime
) -> None:
    await allow_support(runtime, acme.id)
    await add_access(runtime, acme.id, agent_id=sam.id, ticket="MINE-1", ago=timedelta(hours=1))
    await add_access(runtime, acme.id, ticket="THEIRS-1")

    page = await desk.text(desk_root)

    assert "MINE-1" in page
    assert "THEIRS-1" not in page


async def test_an_agent_ends_an_own_access(
    acme: Customer, desk: Browser, desk_root: str, sam: Person, runtime: Runtime
) -> None:
    await allow_support(runtime, acme.id)
    access_id = await add_access(runtime, acme.id, agent_id=sam.id)

    await desk.post(f"{desk_root}/{access_id}/end")

    page = await desk.text(desk_root)
    assert "You are no longer acting for Carol Okafor." in page
    assert "Ended by the agent" in page
    (event,) = await changes_of(runtime, acme.id)
    assert (event.action, event.actor_id) == ("support.end", sam.id)


async def test_an_agent_cannot_end_the_access_of_another_agent(
    acme: Customer, desk: Browser, desk_root: str, runtime: Runtime
) -> None:
    await allow_support(runtime, acme.id)
    access_id = await add_access(runtime, acme.id)

    await desk.post(f"{desk_root}/{access_id}/end", expect=404)

    assert await changes_of(runtime, acme.id) == []


async def test_the_overview_of_the_support_team_leads_to_the_desk(desk: Browser, desk_root: str) -> None:
    page = await desk.text(desk_root.removesuffix("support"))

    assert "You belong to the support team" in page
    assert page.count(f'href="{desk_root}"') >= 2


async def test_the_menu_of_the_support_team_leads_to_the_desk(desk: Browser, desk_root: str) -> None:
    assert f'href="{desk_root}"' in await desk.text(desk_root.removesuffix("support"))


async def test_a_customers_member_with_the_role_of_the_team_finds_no_desk(
    acme: Customer, make: Factory, open_browser: OpenBrowser
) -> None:
    browser = await open_browser(await make.member(acme.id, "Mallory", SUPPORT))

    await browser.get(f"{acme.root}/support", 404)


async def test_a_member_of_the_team_without_the_role_is_denied(
    make: Factory, open_browser: OpenBrowser, desk_root: str
) -> None:
    team = desk_root.split("/")[2]
    browser = await open_browser(await make.member(team, "Boss", "admin"))

    await browser.get(desk_root, 403)
