"""The overview of a new organization says what to do first, and ticks what is done."""

from __future__ import annotations

import re

import pytest

from tests.clients import Browser, text_of
from tests.conftest import OpenBrowser, OpenOffice
from tests.factories import Factory


@pytest.fixture
async def creator(make: Factory, open_browser: OpenBrowser) -> Browser:
    return await open_browser(await make.person("Hanna"))


@pytest.fixture
async def root(creator: Browser) -> str:
    """The path of an organization that was created just now."""
    created = await creator.post("/o/new", {"name": "Hooli", "description": ""})
    overview = await text_of(await creator.follow(created.headers["Location"]))
    found = re.search(r'data-organization="([^"]+)"', overview)
    assert found is not None
    return f"/o/{found[1]}"


def done_in(page: str) -> str:
    found = re.search(r"\d of 4 done", page)
    return found[0] if found else ""


async def test_the_creator_sees_four_steps_of_which_none_is_done(creator: Browser, root: str) -> None:
    assert done_in(await creator.text(f"{root}/")) == "0 of 4 done"


async def test_a_project_and_a_look_at_my_access_tick_their_steps(creator: Browser, root: str) -> None:
    await creator.post(f"{root}/projects/new", {"name": "Rover"})
    await creator.get(f"{root}/access")

    assert done_in(await creator.text(f"{root}/")) == "2 of 4 done"


async def test_an_invitation_ticks_its_step(creator: Browser, root: str) -> None:
    await creator.post(
        f"{root}/invitations/new",
        {"addresses": "new@workroom.example", "roles": "editor", "days": "7"},
        expect=None,
    )

    assert done_in(await creator.text(f"{root}/")) == "1 of 4 done"


async def test_hidden_steps_stay_hidden_in_this_organization(creator: Browser, root: str) -> None:
    await creator.post(f"{root}/first-steps/hide")

    assert "First steps" not in await creator.text(f"{root}/")


async def test_members_who_may_not_invite_see_no_steps(
    creator: Browser, root: str, make: Factory, open_browser: OpenBrowser
) -> None:
    viewer = await open_browser(await make.member(root.removeprefix("/o/"), "Vera", "viewer"))

    assert "First steps" not in await viewer.text(f"{root}/")


async def test_an_organization_that_was_not_created_here_shows_no_steps(open_office: OpenOffice) -> None:
    office = await open_office(admin="Ada")

    assert "First steps" not in await office.browsers["admin"].text(f"{office.root}/")
