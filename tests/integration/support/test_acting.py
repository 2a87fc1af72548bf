"""Pages while an agent acts for a member: the bar, the menu, what is missing, forms, and what comes after."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from saas_app.identity.kept_forms import OWNER_FIELD
from saas_app.runtime import Runtime
from tests.clients import Browser, Person
from tests.conftest import OpenOffice
from tests.integration.records import actions_of
from tests.integration.support.conftest import Customer
from tests.integration.support.rows import act, allow_support

BAR = 'class="support-bar"'
Begin = Callable[..., Awaitable[UUID]]


@pytest.fixture
async def begin(acme: Customer, desk: Browser, runtime: Runtime) -> Begin:
    """``await begin(writes=True)``: let the agent act for Carol in Acme."""

    async def begin_one(*, writes: bool = False, **changes: object) -> UUID:
        await allow_support(runtime, acme.id, writes=writes)
        member = {"member_id": acme.carol.id, "writes": writes}
        return await act(runtime, desk, acme.id, **{**member, **changes})

    return begin_one


def owner_in(page: str, action: str) -> str:
    """Return the mark of the form that posts to ``action``."""
    found = re.search(rf'action="{action}"[^>]*>.*?name="{OWNER_FIELD}" value="([^"]*)"', page, re.DOTALL)
    assert found is not None, page
    return found[1]


async def test_every_page_says_for_whom_where_and_until_when(
    acme: Customer, desk: Browser, begin: Begin
) -> None:
    await begin()

    for path in ("/", "/projects", "/members", "/audit", "/settings"):
        page = await desk.text(f"{acme.root}{path}", 403 if path == "/settings" else 200)
        bar = page.partition(BAR)[2].partition("</aside>")[0]
        assert "You are acting for <strong>Carol Okafor</strong> in" in bar
        assert "Ticket 4711" in bar
        assert "View only" in bar
        assert "Ends <time" in bar


async def test_so_does_a_page_that_does_not_exist(acme: Customer, desk: Browser, begin: Begin) -> None:
    await begin()

    unknown = await desk.text(f"{acme.root}/projects/none/of/these", 404)
    wrong = await desk.submit(f"{acme.root}/audit", expect=405)
    elsewhere = await desk.text("/none/of/these", 404)

    assert "You are acting for <strong>Carol Okafor</strong>" in unknown
    assert "You are acting for <strong>Carol Okafor</strong>" in wrong
    assert BAR not in elsewhere


async def test_a_page_that_does_not_exist_says_nothing_of_an_access_that_is_over(
    acme: Customer, desk: Browser, begin: Begin
) -> None:
    access = await begin()
    await acme.browser.post(f"{acme.support}/{access}/end")

    page = await desk.text(f"{acme.root}/projects/none/of/these", 404)

    assert BAR not in page
    assert 'aria-label="Account menu of Sam"' in page


async def test_the_account_menu_stays_the_agents(acme: Customer, desk: Browser, begin: Begin) -> None:
    await begin()

    page = await desk.text(f"{acme.root}/")

    assert 'aria-label="Account menu of Sam Whitfield"' in page
    assert 'href="/notifications"' not in page
    assert "My access" not in page
    assert "View my access" not in page


async def test_elsewhere_the_agent_is_themselves(desk: Browser, desk_root: str, begin: Begin) -> None:
    await begin()

    page = await desk.text(desk_root)

    assert BAR not in page
    assert 'aria-label="Account menu of Sam"' in page


async def test_with_viewing_only_nothing_is_offered_that_changes_something(
    acme: Customer, desk: Browser, begin: Begin
) -> None:
    await begin()

    overview = await desk.text(f"{acme.root}/")
    projects = await desk.text(f"{acme.root}/projects")

    assert "Create project" not in overview + projects
    await desk.post(f"{acme.root}/projects/new", {"name": "Rover"}, 403)


async def test_with_changes_allowed_a_project_is_created_by_both(
    acme: Customer, desk: Browser, begin: Begin, runtime: Runtime
) -> None:
    await begin(writes=True)
    page = await desk.text(f"{acme.root}/projects/new")
    mark = owner_in(page, f"{acme.root}/projects/new")

    await desk.post(f"{acme.root}/projects/new", {"name": "Rover", OWNER_FIELD: mark})

    assert await actions_of(runtime, acme.id) == ["project.create"]


async def test_what_support_access_never_includes_is_explained(
    acme: Customer, desk: Browser, desk_root: str, begin: Begin
) -> None:
    await begin()

    page = await desk.text(f"{acme.root}/access", 403)

    assert "Not available during support access" in page
    assert f'href="{desk_root}"' in page
    assert "Who can change your roles" not in page


async def test_a_form_made_for_one_member_is_not_accepted_for_another(
    acme: Customer, desk: Browser, begin: Begin, runtime: Runtime
) -> None:
    await begin(writes=True)
    action = f"{acme.root}/projects/new"
    mark = owner_in(await desk.text(action), action)
    await begin(writes=True, member_id="somebody-else", member_name="Dave")

    page = await desk.submit(action, {"name": "Rover", OWNER_FIELD: mark}, 409)

    assert "This page was opened by another account" in page
    assert await actions_of(runtime, acme.id) == []


async def test_a_form_made_for_a_member_is_not_accepted_for_the_agent(
    acme: Customer, desk: Browser, sam: Person, begin: Begin, runtime: Runtime, open_office: OpenOffice
) -> None:
    """The agent is a member of another organization too, and acts in neither there."""
    await begin(writes=True)
    action = f"{acme.root}/projects/new"
    mark = owner_in(await desk.text(action), action)
    own = await open_office("Own", admin="Olga")
    await own.management.add_members(own.id, [sam.id])

    await desk.post(f"{own.root}/projects/new", {"name": "Rover", OWNER_FIELD: mark}, 409)


async def test_the_end_button_of_every_page_ends_it(
    acme: Customer, desk: Browser, desk_root: str, begin: Begin, runtime: Runtime
) -> None:
    access_id = await begin()
    end = f"{desk_root}/{access_id}/end"
    mark = owner_in(await desk.text(f"{acme.root}/"), end)

    await desk.post(end, {OWNER_FIELD: mark})

    assert "You are no longer acting for Carol Okafor." in await desk.text(desk_root)
    assert await actions_of(runtime, acme.id) == ["support.end"]


async def test_after_the_end_a_page_says_who_ended_it_and_later_pages_are_the_agents(
    acme: Customer, desk: Browser, desk_root: str, begin: Begin
) -> None:
    access_id = await begin()
    await acme.browser.post(f"{acme.support}/{access_id}/end")

    page = await desk.text(f"{acme.root}/projects", 403)

    assert "This support access has ended" in page
    assert "Ada ended it." in page
    assert BAR not in page
    assert f'href="{desk_root}"' in page
    await desk.get(f"{acme.root}/projects", 404)


async def test_in_the_list_of_members_the_agent_is_none_of_them(
    acme: Customer, desk: Browser, begin: Begin
) -> None:
    await begin()

    page = await desk.text(f"{acme.root}/members")

    assert "Carol" in page
    assert ">You<" not in page
    assert f"{acme.root}/leave" not in page


async def test_a_form_whose_session_has_ended_does_not_wait_for_another_sign_in(
    acme: Customer, desk: Browser, begin: Begin
) -> None:
    await begin(writes=True)
    action = f"{acme.root}/projects/new"
    mark = owner_in(await desk.text(action), action)
    await desk.post("/sign-out")

    response = await desk.post(action, {"name": "Rover", OWNER_FIELD: mark})

    assert response.headers["Location"].startswith("/sign-in?")
    assert "finish" not in response.headers["Location"]


async def test_the_agent_can_sign_out_from_a_page_of_the_customer(
    acme: Customer, desk: Browser, begin: Begin
) -> None:
    await begin()
    mark = owner_in(await desk.text(f"{acme.root}/"), "/sign-out")

    await desk.post("/sign-out", {OWNER_FIELD: mark})

    location = (await desk.get(f"{acme.root}/", 303)).headers["Location"]
    assert location.startswith("/sign-in")
