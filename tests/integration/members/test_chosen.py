"""Actions on several members: each is changed as if alone, and the page says what became of each."""

from __future__ import annotations

import pytest

from saas_app.members.values import PAGE_SIZE
from saas_app.rbac.permissions import Role
from tests.clients import Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.members.conftest import Acme, row_of


@pytest.fixture
async def bob(acme: Acme, make: Factory) -> Person:
    """An editor of Acme."""
    return await make.member(acme.id, "Bob", Role.EDITOR)


@pytest.fixture
async def cleo(acme: Acme, make: Factory) -> Person:
    """A viewer of Acme."""
    return await make.member(acme.id, "Cleo", Role.VIEWER)


async def roles_in_logto(acme: Acme, person: Person) -> set[str] | None:
    found = await acme.management.find_member_roles(acme.id, person.id)
    return None if found is None else set(found)


async def test_the_list_sends_the_roles_that_each_member_had(acme: Acme, bob: Person) -> None:
    page = await acme.browser.text(acme.members)

    assert f'name="row" value="{row_of(bob, "editor")}"' in page


async def test_several_members_get_other_roles_after_a_preview(acme: Acme, bob: Person, cleo: Person) -> None:
    form = {"row": [row_of(bob, "editor"), row_of(cleo, "viewer")], "roles": ["viewer", "editor"]}

    preview = await acme.browser.submit(f"{acme.members}/bulk/roles", {**form, "step": "preview"})
    unchanged = await roles_in_logto(acme, bob)
    await acme.browser.post(f"{acme.members}/bulk/roles", {**form, "step": "confirm"})
    page = await acme.browser.text(acme.members)

    assert "Cleo gains" in preview
    assert unchanged == {"editor"}
    assert "Roles of 2 members changed." in page
    assert await roles_in_logto(acme, bob) == await roles_in_logto(acme, cleo) == {"viewer", "editor"}


async def test_a_member_whose_roles_changed_meanwhile_is_skipped(
    acme: Acme, bob: Person, cleo: Person, make: Factory
) -> None:
    form = {
        "row": [row_of(bob, "editor"), row_of(cleo, "viewer")],
        "roles": ["viewer", "editor"],
        "step": "confirm",
    }
    await make.give_roles(acme.id, bob, Role.ADMIN)

    page = await acme.browser.submit(f"{acme.members}/bulk/roles", form)

    assert "Done: 1 of 2." in page
    assert "It has changed since you opened the list." in page
    assert await roles_in_logto(acme, bob) == {"admin"}
    assert await roles_in_logto(acme, cleo) == {"viewer", "editor"}


async def test_nobody_gives_several_members_a_role_that_they_could_not_give_one(
    acme: Acme, bob: Person, make: Factory, open_browser: OpenBrowser, people_manager: str
) -> None:
    manager = await make.member(acme.id, "Max")
    await make.management.replace_roles(acme.id, manager.id, [people_manager])
    browser = await open_browser(manager)
    form = {"row": [row_of(bob, "editor")], "roles": ["admin"], "step": "confirm"}

    page = await browser.submit(f"{acme.members}/bulk/roles", form)

    assert "Done: 0 of 1." in page
    assert await roles_in_logto(acme, bob) == {"editor"}


async def test_a_caller_cannot_remove_themselves_among_others(acme: Acme, bob: Person) -> None:
    rows = [row_of(acme.admin, "admin"), row_of(bob, "editor")]

    asked = await acme.browser.submit(f"{acme.members}/bulk/remove", {"row": rows})
    page = await acme.browser.submit(
        f"{acme.members}/bulk/remove", {"row": rows, "confirmed": "yes"}, expect=200
    )

    assert "Remove 2 members?" in asked
    assert ">Bob<" in asked
    assert "To end your own membership, leave the organization instead." in page
    assert await roles_in_logto(acme, bob) is None
    assert await roles_in_logto(acme, acme.admin) == {"admin"}


async def test_a_member_who_left_meanwhile_is_skipped(acme: Acme, bob: Person, cleo: Person) -> None:
    rows = [row_of(bob, "editor"), row_of(cleo, "viewer")]
    await acme.management.remove_member(acme.id, bob.id)

    page = await acme.browser.submit(
        f"{acme.members}/bulk/remove", {"row": rows, "confirmed": "yes"}, expect=200
    )

    assert "They may have left or been removed." in page
    assert await roles_in_logto(acme, cleo) is None


async def test_a_caller_who_is_demoted_meanwhile_removes_nobody(
    acme: Acme, bob: Person, make: Factory, open_browser: OpenBrowser
) -> None:
    other = await make.member(acme.id, "Olga", Role.ADMIN)
    browser = await open_browser(other)
    await browser.get(acme.members)
    form = {"row": [row_of(other, "admin")], "roles": ["viewer"], "step": "confirm"}
    await acme.browser.post(f"{acme.members}/bulk/roles", form)

    await browser.post(
        f"{acme.members}/bulk/remove", {"row": [row_of(bob, "editor")], "confirmed": "yes"}, expect=403
    )

    assert await roles_in_logto(acme, bob) == {"editor"}


async def test_more_members_than_a_page_has_are_rejected(acme: Acme) -> None:
    rows = [f"person{number}:x" for number in range(PAGE_SIZE + 1)]

    page = await acme.browser.submit(f"{acme.members}/bulk/remove", {"row": rows}, expect=422)

    assert f"Select at most {PAGE_SIZE} rows at a time." in page
