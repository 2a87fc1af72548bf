"""Pages about roles that changed meanwhile say who saved the latest version, and when."""

from __future__ import annotations

import re

import pytest

from saas_app.rbac.permissions import Role
from tests.clients import Browser, Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.members.conftest import Acme, roles_form, row_of

JUST_NOW = r"<time [^>]+>just now</time>"
OUTSIDE = "The latest version was not saved in Workroom, but in Logto."
THEIRS = roles_form(["viewer"], ["editor"])
MINE = roles_form(["viewer"], ["admin"])


@pytest.fixture
async def bob(acme: Acme, make: Factory) -> Person:
    """A viewer of Acme."""
    return await make.member(acme.id, "Bob", Role.VIEWER)


@pytest.fixture
async def dan(acme: Acme, make: Factory, open_browser: OpenBrowser) -> Browser:
    """The browser of another admin, Dan."""
    return await open_browser(await make.member(acme.id, "Dan", Role.ADMIN))


async def test_a_conflict_with_another_admin_names_them(acme: Acme, bob: Person, dan: Browser) -> None:
    await dan.post(acme.roles_of(bob), THEIRS)

    conflict = await acme.browser.submit(acme.roles_of(bob), MINE, 409)

    assert re.search(f"Dan saved the latest version {JUST_NOW}", conflict)


async def test_a_conflict_with_ones_own_change_on_another_page_says_so(acme: Acme, bob: Person) -> None:
    await acme.browser.post(acme.roles_of(bob), THEIRS)

    conflict = await acme.browser.submit(acme.roles_of(bob), MINE, 409)

    assert re.search(f"You saved the latest version {JUST_NOW}, on another page", conflict)


async def test_a_conflict_with_a_change_in_logto_names_nobody(acme: Acme, bob: Person, make: Factory) -> None:
    await acme.browser.post(acme.roles_of(bob), THEIRS)
    await make.give_roles(acme.id, bob, Role.EDITOR, Role.VIEWER)

    conflict = await acme.browser.submit(acme.roles_of(bob), MINE, 409)

    assert OUTSIDE in conflict
    assert "You saved" not in conflict


async def test_a_skipped_member_of_several_is_shown_with_who_changed_them(
    acme: Acme, bob: Person, dan: Browser, make: Factory
) -> None:
    cleo = await make.member(acme.id, "Cleo", Role.VIEWER)
    form = {"row": [row_of(bob, "viewer"), row_of(cleo, "viewer")], "roles": ["admin"], "step": "confirm"}
    await dan.post(acme.roles_of(bob), THEIRS)
    await make.give_roles(acme.id, cleo, Role.EDITOR)

    page = await acme.browser.submit(f"{acme.members}/bulk/roles", form)

    results = page.split("<tbody>")[1]
    of_bob, of_cleo = results.split("</tr>")[:2]
    assert re.search(f"Dan saved the latest version {JUST_NOW}", of_bob)
    assert OUTSIDE in of_cleo
