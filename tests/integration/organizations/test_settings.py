"""Settings of an organization are stored in Logto, recorded in the audit log, and take effect at once."""

from __future__ import annotations

import re

import pytest
from quart import Quart

from saas_app.logto import ManagementClient
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from tests.clients import text_of
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.faulty_logto import EVERY_CHANGE, Gate
from tests.integration.organizations.conftest import Acme
from tests.integration.organizations.settings_pages import hidden_field, update_events
from tests.integration.records import pending_in


async def test_a_new_name_appears_in_every_members_header_at_once(
    acme: Acme, make: Factory, open_browser: OpenBrowser
) -> None:
    other = await open_browser(await make.member(acme.id, "Vera", Role.VIEWER))
    await other.get(f"{acme.root}/")
    form = {"name": "  Acme <Robotics> ", "description": "", "seen": await acme.seen()}

    await acme.browser.post(acme.settings, form)

    assert "Organization: Acme <Robotics>. Switch" in await acme.browser.text(acme.settings)
    assert "Organization: Acme <Robotics>. Switch" in await other.text(f"{acme.root}/")


async def test_new_details_are_stored_in_logto_and_recorded(acme: Acme, runtime: Runtime) -> None:
    page = await acme.browser.text(acme.settings)
    assert f'value="{acme.name}"' in page
    seen = hidden_field(page, "seen", acme.settings)
    form = {"name": "  Acme <Robotics> ", "description": "Arms\r\nand legs", "seen": seen}

    await acme.browser.post(acme.settings, form)

    found = await acme.management.get_organization(acme.id)
    assert (found.name, found.description) == ("Acme <Robotics>", "Arms\nand legs")
    (event,) = await update_events(runtime, acme.id)
    assert (event.actor_id, event.target_id) == (acme.admin.id, acme.id)
    assert event.before == {"name": acme.name, "description": ""}
    assert event.after == {"name": "Acme <Robotics>", "description": "Arms\nand legs"}


async def test_saving_unchanged_details_records_nothing(acme: Acme, runtime: Runtime) -> None:
    form = {"name": acme.name, "description": "", "seen": "outdated"}
    await acme.browser.post(acme.settings, form)
    assert await update_events(runtime, acme.id) == []


async def test_a_change_made_elsewhere_meanwhile_is_shown_and_not_overwritten(acme: Acme) -> None:
    form = {"name": "Mine Ltd", "description": "From the console", "seen": await acme.seen()}
    await acme.management.update_organization(acme.id, name="Theirs Ltd", description="From the console")

    conflict = await acme.browser.submit(acme.settings, form, 409)

    assert "Theirs Ltd" in conflict
    assert "Mine Ltd" in conflict
    assert 'value="Mine Ltd" checked' in conflict
    assert (await acme.management.get_organization(acme.id)).name == "Theirs Ltd"


async def test_the_page_that_shows_a_conflict_saves_the_choice(acme: Acme) -> None:
    form = {"name": "Mine Ltd", "description": "", "seen": await acme.seen()}
    await acme.management.update_organization(acme.id, name="Theirs Ltd")
    conflict = await acme.browser.submit(acme.settings, form, 409)

    await acme.browser.post(acme.settings, {**form, "seen": hidden_field(conflict, "seen", acme.settings)})

    assert (await acme.management.get_organization(acme.id)).name == "Mine Ltd"


async def test_in_a_conflict_a_field_that_only_the_other_admin_changed_keeps_the_new_value(
    acme: Acme,
) -> None:
    form = {"name": acme.name, "description": "Mine", "seen": await acme.seen()}
    await acme.management.update_organization(acme.id, name="Theirs Ltd")

    conflict = await acme.browser.submit(acme.settings, form, 409)

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
async def test_invalid_details_are_explained_and_stay_in_the_form(
    acme: Acme, form: dict[str, str], message: str
) -> None:
    page = await acme.browser.submit(acme.settings, form, 422)
    assert message in page
    assert "Kept" in page
    assert "Second factor" in page


async def test_a_form_for_an_organization_deleted_meanwhile_says_that_it_no_longer_exists(acme: Acme) -> None:
    form = {"name": "New", "description": "", "seen": await acme.seen()}

    await acme.management.delete_organization(acme.id)

    gone = "This organization no longer exists"
    assert gone in await acme.browser.submit(acme.settings, form, 404)
    assert gone in await acme.browser.submit(f"{acme.settings}/mfa", {"require": "yes"}, 404)


@pytest.mark.parametrize("role", [Role.EDITOR, Role.VIEWER])
async def test_members_without_the_permission_can_neither_see_nor_change_settings(
    make: Factory, open_browser: OpenBrowser, management: ManagementClient, role: Role
) -> None:
    person = await make.person()
    acme = await make.organization("Acme", **{role.value: person})
    name = (await management.get_organization(acme)).name
    browser, settings = await open_browser(person), f"/o/{acme}/settings"
    assert settings not in await browser.text(f"/o/{acme}/")

    await browser.get(settings, 403)
    await browser.post(settings, {"name": "Taken over", "description": ""}, 403)
    await browser.post(f"{settings}/mfa", {"require": "yes"}, 403)
    await browser.post(f"{settings}/domains", {"domain": "example.test"}, 403)
    await browser.post(f"{settings}/delete", {"name": name}, 403)

    found = await management.get_organization(acme)
    assert (found.name, found.is_mfa_required) == (name, False)
    assert await management.list_joining_domains(acme) == []


async def test_the_default_role_can_be_chosen_and_removed(acme: Acme, runtime: Runtime) -> None:
    form = f"{acme.settings}/joining-role"
    await acme.browser.post(form, {"role": "viewer", "seen": await acme.seen(form)})
    assert await acme.management.list_joining_roles(acme.id) == {"viewer"}

    await acme.browser.post(form, {"role": "", "seen": await acme.seen(form)})

    assert await acme.management.list_joining_roles(acme.id) == frozenset()
    chosen, removed = await update_events(runtime, acme.id)
    assert (chosen.before, chosen.after) == ({"joining_roles": []}, {"joining_roles": ["viewer"]})
    assert (removed.before, removed.after) == ({"joining_roles": ["viewer"]}, {"joining_roles": []})


async def test_a_default_role_that_the_form_does_not_offer_is_rejected(acme: Acme) -> None:
    form = f"{acme.settings}/joining-role"
    seen = await acme.seen(form)
    for forged in ("integration", "owner", "viewer, admin"):
        page = await acme.browser.submit(form, {"role": forged, "seen": seen}, 422)
        assert "Choose one of the roles listed here." in page
    assert await acme.management.list_joining_roles(acme.id) == frozenset()


async def test_a_default_role_changed_meanwhile_is_shown_and_not_overwritten(acme: Acme) -> None:
    form = f"{acme.settings}/joining-role"
    seen = await acme.seen(form)
    await acme.browser.post(form, {"role": "viewer", "seen": seen})

    conflict = await acme.browser.submit(form, {"role": "editor", "seen": seen}, 409)

    assert "The default role was changed to viewer" in conflict
    assert await acme.management.list_joining_roles(acme.id) == {"viewer"}
    await acme.browser.post(form, {"role": "", "seen": hidden_field(conflict, "seen", form)})


async def test_nobody_chooses_a_default_role_whose_permissions_they_lack(
    acme: Acme, make: Factory, open_browser: OpenBrowser, steward: str
) -> None:
    form, roles = f"{acme.settings}/joining-role", await acme.management.list_organization_roles()
    await acme.management.replace_joining_roles(acme.id, [role.id for role in roles if role.name == "admin"])
    browser = await open_browser(await make.member(acme.id, "Stew", steward))
    page = await browser.text(acme.settings)
    assert '<option value="viewer"' not in page
    seen = hidden_field(page, "seen", form)

    refused = await browser.submit(form, {"role": "viewer", "seen": seen}, 403)

    assert "The viewer role includes members:read, which you do not have." in refused
    assert await acme.management.list_joining_roles(acme.id) == {"admin"}


async def test_when_logto_fails_nothing_is_saved_and_what_was_typed_stays(
    acme: Acme, gate: Gate, faulty_app: Quart, runtime: Runtime
) -> None:
    form = {"name": "Renamed", "description": "Typed", "seen": await acme.seen()}
    gate.fail(EVERY_CHANGE)
    browser = acme.browser.at(faulty_app)

    page = await browser.submit(acme.settings, form, 503)
    await browser.post(f"{acme.settings}/mfa", {"require": "yes"}, 503)

    assert "Your changes may not have been saved" in page
    assert 'value="Renamed"' in page
    assert "Renamed" not in await acme.browser.text(acme.settings)
    assert await update_events(runtime, acme.id) == []
    notes = [note.entry["action"] for note in await pending_in(runtime, acme.id)]
    assert notes == ["organization.update"] * 2


async def test_signing_in_again_asks_for_the_password_and_passes_no_other_prompt_on(
    make: Factory, open_browser: OpenBrowser
) -> None:
    browser = await open_browser(await make.person())
    again = (await browser.get("/sign-in?prompt=login", 303)).headers["Location"]
    assert "prompt=login+consent" in again
    for other in ("none", "consent", "select_account", "login none"):
        location = (await browser.get(f"/sign-in?prompt={other}", 303)).headers["Location"]
        assert "prompt=consent" in location


async def test_the_creator_of_an_organization_lands_on_its_overview_with_first_steps(
    make: Factory, open_browser: OpenBrowser
) -> None:
    browser = await open_browser(await make.person("Ada"))
    created = await browser.post("/o/new", {"name": "Hooli & Sons", "description": ""})

    page = await text_of(await browser.follow(created.headers["Location"]))

    assert "Hooli & Sons was created. You are its admin." in page
    assert "First steps" in page
    for next_step in ("projects/new", "invitations/new"):
        assert re.search(rf'href="/o/[^"]+/{next_step}"', page), next_step
