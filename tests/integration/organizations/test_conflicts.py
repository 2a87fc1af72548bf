"""Pages about settings that changed meanwhile say who saved the latest version, and when."""

from __future__ import annotations

import re

import pytest
from quart import Quart

from saas_app.config import Settings
from saas_app.rbac.permissions import Role
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.organizations.conftest import Acme
from tests.integration.webhooks.webhook_sender import Sender, event

JUST_NOW = r"<time [^>]+>just now</time>"
OUTSIDE = "The latest version was not saved in Workroom, but in Logto."


@pytest.fixture
async def form(acme: Acme) -> dict[str, str]:
    """The form of the settings, opened by Ada before somebody saves, with another name."""
    return {"name": "Mine Ltd", "description": "", "seen": await acme.seen()}


@pytest.fixture
async def role_form(acme: Acme) -> dict[str, str]:
    """The form of the default role, opened before somebody saves."""
    return {"role": "editor", "seen": await acme.seen(f"{acme.settings}/joining-role")}


async def test_a_conflict_with_another_admin_names_them(
    acme: Acme, form: dict[str, str], make: Factory, open_browser: OpenBrowser
) -> None:
    bob = await open_browser(await make.member(acme.id, "Bob", Role.ADMIN))
    await bob.post(acme.settings, {**form, "name": "Theirs Ltd"})

    conflict = await acme.browser.submit(acme.settings, form, 409)

    assert re.search(f"Bob saved the latest version {JUST_NOW}", conflict)


async def test_a_conflict_with_ones_own_change_on_another_page_says_so(
    acme: Acme, form: dict[str, str]
) -> None:
    await acme.browser.post(acme.settings, {**form, "name": "Of the other tab Ltd"})

    conflict = await acme.browser.submit(acme.settings, form, 409)

    assert re.search(f"You saved the latest version {JUST_NOW}, on another page", conflict)


async def test_a_conflict_with_a_change_in_logto_names_nobody(acme: Acme, form: dict[str, str]) -> None:
    await acme.browser.post(acme.settings, {**form, "name": "Theirs Ltd"})
    await acme.management.update_organization(acme.id, name="Of the Console Ltd")

    conflict = await acme.browser.submit(acme.settings, form, 409)

    assert OUTSIDE in conflict
    assert "You saved" not in conflict


async def test_a_change_of_one_field_in_logto_is_not_attributed_to_who_changed_the_other(
    acme: Acme, form: dict[str, str]
) -> None:
    await acme.browser.post(acme.settings, {**form, "name": acme.name, "description": "Theirs"})
    await acme.management.update_organization(acme.id, name="Of the Console Ltd")

    conflict = await acme.browser.submit(acme.settings, form, 409)

    assert OUTSIDE in conflict


async def test_a_change_in_logto_has_the_time_at_which_logto_reported_it(
    acme: Acme, form: dict[str, str], app: Quart, settings: Settings
) -> None:
    await acme.management.update_organization(acme.id, name="Of the Console Ltd")
    changed = {"id": acme.id, "name": "Of the Console Ltd", "description": None}
    await Sender(app, settings).accepted(event("Organization.Data.Updated", data=changed))

    conflict = await acme.browser.submit(acme.settings, form, 409)

    assert re.search(f"in Logto. Logto reported its last change {JUST_NOW}", conflict)


async def test_a_default_role_saved_by_another_admin_names_them(
    acme: Acme, role_form: dict[str, str], make: Factory, open_browser: OpenBrowser
) -> None:
    bob = await open_browser(await make.member(acme.id, "Bob", Role.ADMIN))
    await bob.post(f"{acme.settings}/joining-role", {**role_form, "role": "viewer"})

    conflict = await acme.browser.submit(f"{acme.settings}/joining-role", role_form, 409)

    assert re.search(f"Bob saved the latest version {JUST_NOW}", conflict)


async def test_a_default_role_changed_in_logto_names_nobody(acme: Acme, role_form: dict[str, str]) -> None:
    roles = await acme.management.list_organization_roles()
    viewer = [role.id for role in roles if role.name == "viewer"]
    await acme.management.replace_joining_roles(acme.id, viewer)

    conflict = await acme.browser.submit(f"{acme.settings}/joining-role", role_form, 409)

    assert OUTSIDE in conflict
