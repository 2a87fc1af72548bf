"""An organization's settings: each is kept in Logto, told in the audit trail, and works at once."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa

from saas_app.app import create_app
from saas_app.config import Settings
from saas_app.logto import ManagementClient
from saas_app.models import PendingChange
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from tests.clients import SAME_ORIGIN
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.organizations.logto_that_fails import failing_management_api
from tests.integration.organizations.settings_pages import answer_of, hidden_field, text_of, update_events


async def test_a_new_name_stands_in_the_header_at_once_and_in_the_audit_trail(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime, management: ManagementClient
) -> None:
    admin, viewer = await make.person("Ada"), await make.person("Vera")
    acme = await make.organization("Acme", admin=admin, viewer=viewer)
    before = (await management.get_organization(acme)).name
    browser, other = await open_browser(admin), await open_browser(viewer)
    await other.get(f"/o/{acme}/")
    settings = f"/o/{acme}/settings"
    page = await text_of(browser, settings)
    assert f'value="{before}"' in page

    seen = hidden_field(page, "seen", settings)
    form = {"name": "  Acme <Robotics> ", "description": "Arms\r\nand legs", "seen": seen}
    await browser.post(settings, form)

    assert "Organization: Acme <Robotics>. Switch" in await text_of(browser, settings)
    assert "Organization: Acme <Robotics>. Switch" in await text_of(other, f"/o/{acme}/")
    found = await management.get_organization(acme)
    assert (found.name, found.description) == ("Acme <Robotics>", "Arms\nand legs")
    (event,) = await update_events(runtime, acme)
    assert (event.actor_id, event.target_id) == (admin.id, acme)
    assert event.before == {"name": before, "description": ""}
    assert event.after == {"name": "Acme <Robotics>", "description": "Arms\nand legs"}


async def test_saving_what_stands_already_changes_and_tells_nothing(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime, management: ManagementClient
) -> None:
    admin = await make.person("Ada")
    acme = await make.organization("Acme", admin=admin)
    name = (await management.get_organization(acme)).name
    browser = await open_browser(admin)
    await browser.post(f"/o/{acme}/settings", {"name": name, "description": "", "seen": "outdated"})
    assert await update_events(runtime, acme) == []


async def test_a_change_by_somebody_else_in_between_is_shown_and_not_overwritten(
    make: Factory, open_browser: OpenBrowser, management: ManagementClient
) -> None:
    admin = await make.person("Ada")
    acme = await make.organization("Acme", admin=admin)
    browser, settings = await open_browser(admin), f"/o/{acme}/settings"
    seen = hidden_field(await text_of(browser, settings), "seen", settings)
    await management.update_organization(acme, name="Theirs Ltd", description="From the console")

    mine = {"name": "Mine Ltd", "description": "From the console", "seen": seen}
    conflict = await answer_of(browser, settings, mine, 409)

    assert "Theirs Ltd" in conflict
    assert "Mine Ltd" in conflict
    assert 'value="Mine Ltd" checked' in conflict
    assert (await management.get_organization(acme)).name == "Theirs Ltd"
    await browser.post(settings, {**mine, "seen": hidden_field(conflict, "seen", settings)})
    assert (await management.get_organization(acme)).name == "Mine Ltd"


async def test_a_field_that_only_they_changed_stays_theirs_unless_one_chooses(
    make: Factory, open_browser: OpenBrowser, management: ManagementClient
) -> None:
    admin = await make.person("Ada")
    acme = await make.organization("Acme", admin=admin)
    name = (await management.get_organization(acme)).name
    browser, settings = await open_browser(admin), f"/o/{acme}/settings"
    seen = hidden_field(await text_of(browser, settings), "seen", settings)
    await management.update_organization(acme, name="Theirs Ltd")
    form = {"name": name, "description": "Mine", "seen": seen}
    conflict = await answer_of(browser, settings, form, 409)
    assert 'value="Theirs Ltd" checked' in conflict
    assert 'value="Mine" checked' in conflict


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"name": "", "description": "Kept"}, "Enter a name for the organization."),
        ({"name": "x" * 129, "description": "Kept"}, "Use at most 128 characters."),
        ({"name": "Acme", "description": "Kept" * 65}, "Use at most 256 characters."),
    ],
)
async def test_wrong_details_are_explained_and_kept(
    make: Factory, open_browser: OpenBrowser, form: dict[str, str], message: str
) -> None:
    admin = await make.person("Ada")
    acme = await make.organization("Acme", admin=admin)
    page = await answer_of(await open_browser(admin), f"/o/{acme}/settings", form, 422)
    assert message in page
    assert "Kept" in page
    assert "Second factor" in page


async def test_an_organization_deleted_while_the_form_was_open_says_so(
    make: Factory, open_browser: OpenBrowser, management: ManagementClient
) -> None:
    admin = await make.person("Ada")
    acme = await make.organization("Acme", admin=admin)
    browser, settings = await open_browser(admin), f"/o/{acme}/settings"
    seen = hidden_field(await text_of(browser, settings), "seen", settings)
    await management.delete_organization(acme)
    page = await answer_of(browser, settings, {"name": "New", "description": "", "seen": seen}, 404)
    assert "This organization no longer exists" in page
    page = await answer_of(browser, f"{settings}/mfa", {"require": "yes"}, 404)
    assert "This organization no longer exists" in page


@pytest.mark.parametrize("role", [Role.EDITOR, Role.VIEWER])
async def test_only_who_may_update_the_organization_gets_there(
    make: Factory, open_browser: OpenBrowser, management: ManagementClient, role: Role
) -> None:
    person = await make.person()
    acme = await make.organization("Acme", **{role.value: person})
    name = (await management.get_organization(acme)).name
    browser, settings = await open_browser(person), f"/o/{acme}/settings"
    assert settings not in await text_of(browser, f"/o/{acme}/")
    await browser.get(settings, 403)
    await browser.post(settings, {"name": "Taken over", "description": ""}, 403)
    await browser.post(f"{settings}/mfa", {"require": "yes"}, 403)
    await browser.post(f"{settings}/domains", {"domain": "example.test"}, 403)
    await browser.post(f"{settings}/delete", {"name": name}, 403)
    found = await management.get_organization(acme)
    assert (found.name, found.is_mfa_required) == (name, False)
    assert await management.list_joining_domains(acme) == []


async def test_a_default_role_is_chosen_and_forged_ones_are_refused(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime, management: ManagementClient
) -> None:
    admin = await make.person("Ada")
    acme = await make.organization("Acme", admin=admin)
    browser, settings = await open_browser(admin), f"/o/{acme}/settings"
    role_form = f"{settings}/joining-role"
    seen = hidden_field(await text_of(browser, settings), "seen", role_form)

    await browser.post(role_form, {"role": "viewer", "seen": seen})
    assert await management.list_joining_roles(acme) == {"viewer"}
    for forged in ("integration", "owner", "viewer, admin"):
        page = await answer_of(browser, role_form, {"role": forged, "seen": seen}, 422)
        assert "Choose one of the roles listed here." in page
    outdated = await answer_of(browser, role_form, {"role": "editor", "seen": seen}, 409)
    assert "The default role was changed to viewer" in outdated
    assert await management.list_joining_roles(acme) == {"viewer"}

    seen = hidden_field(outdated, "seen", role_form)
    await browser.post(role_form, {"role": "", "seen": seen})
    assert await management.list_joining_roles(acme) == frozenset()
    chosen, taken = await update_events(runtime, acme)
    assert (chosen.before, chosen.after) == ({"joining_roles": []}, {"joining_roles": ["viewer"]})
    assert (taken.before, taken.after) == ({"joining_roles": ["viewer"]}, {"joining_roles": []})


@pytest.fixture
async def steward(management: ManagementClient) -> Any:
    """A role of somebody's own making that may change settings and nothing else."""
    scopes = [
        scope for scope in await management.list_organization_scopes() if scope.name == "organization:update"
    ]
    role = await management.create_organization_role("steward", "Settings only", "User")
    await management.replace_role_scopes(role.id, [scope.id for scope in scopes])
    yield role
    await management._transport.call("DELETE", f"/organization-roles/{role.id}")


async def test_nobody_lets_people_join_with_roles_beyond_their_own(
    make: Factory, open_browser: OpenBrowser, management: ManagementClient, steward: Any
) -> None:
    person = await make.person("Stew")
    acme = await make.organization("Acme")
    await management.add_members(acme, [person.id])
    await management.assign_roles(acme, person.id, ["steward"])
    admin_role = next(r for r in await management.list_organization_roles() if r.name == "admin")
    await management.replace_joining_roles(acme, [admin_role.id])
    browser, settings = await open_browser(person), f"/o/{acme}/settings"
    page = await text_of(browser, settings)
    assert '<option value="viewer"' not in page

    seen = hidden_field(page, "seen", f"{settings}/joining-role")
    refused = await answer_of(browser, f"{settings}/joining-role", {"role": "viewer", "seen": seen}, 403)

    assert "The role viewer includes members:read, which you do not have." in refused
    assert await management.list_joining_roles(acme) == {"admin"}


async def test_when_logto_fails_nothing_is_half_done_and_what_was_typed_stays(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime, settings: Settings
) -> None:
    admin = await make.person("Ada")
    acme = await make.organization("Acme", admin=admin)
    browser, address = await open_browser(admin), f"/o/{acme}/settings"
    seen = hidden_field(await text_of(browser, address), "seen", address)
    assert settings.management is not None
    async with failing_management_api(settings.logto_endpoint) as endpoint:
        failing = settings.management.model_copy(update={"endpoint": endpoint})
        app = create_app(settings.model_copy(update={"management": failing}))
        async with app.test_app():
            client = app.test_client()
            client.cookie_jar = browser.app.cookie_jar
            form = {"name": "Renamed", "description": "Typed", "seen": seen}
            response = await client.post(address, form=form, headers=SAME_ORIGIN)
            page = unescape(str(await response.get_data(as_text=True)))
            mfa = await client.post(f"{address}/mfa", form={"require": "yes"}, headers=SAME_ORIGIN)

    assert (response.status_code, mfa.status_code) == (503, 503)
    assert "Your changes may not have been saved" in page
    assert 'value="Renamed"' in page
    assert "Renamed" not in await text_of(browser, address)
    assert await update_events(runtime, acme) == []
    async with runtime.work.reading(acme) as db:
        notes = list(await db.scalars(sa.select(PendingChange.entry)))
    assert [note["action"] for note in notes] == ["organization.update"] * 2


async def test_signing_in_again_asks_for_the_password_and_nothing_else_is_passed_on(
    make: Factory, open_browser: OpenBrowser
) -> None:
    person = await make.person()
    browser = await open_browser(person)
    again = (await browser.get("/sign-in?prompt=login", 303)).headers["Location"]
    assert "prompt=login+consent" in again
    for other in ("none", "consent", "select_account", "login none"):
        location = (await browser.get(f"/sign-in?prompt={other}", 303)).headers["Location"]
        assert "prompt=consent" in location


async def test_the_first_projects_page_greets_who_created_the_organization(
    make: Factory, open_browser: OpenBrowser
) -> None:
    browser = await open_browser(await make.person("Ada"))
    created = await browser.post("/o/new", {"name": "Hooli & Sons", "description": ""})
    page = unescape(str(await (await browser.follow(created.headers["Location"])).get_data(as_text=True)))
    assert "Hooli & Sons was created. You are its admin." in page
    assert "Welcome to Hooli & Sons." in page
    for next_step in ("projects/new", "invitations/new"):
        assert re.search(rf'href="/o/[^"]+/{next_step}"', page), next_step
