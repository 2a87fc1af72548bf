"""The overview tells what happened lately, to each member what they may see."""

from __future__ import annotations

import re

import pytest

from tests.conftest import OpenBrowser, OpenOffice
from tests.factories import Factory
from tests.offices import Office


@pytest.fixture
async def acme(open_office: OpenOffice) -> Office:
    """An organization in which Ada created a project and invited somebody."""
    office = await open_office(admin="Ada", viewer="Vera")
    admin = office.browsers["admin"]
    await admin.post(f"{office.root}/projects/new", {"name": "Rover"})
    invitation = {"addresses": "new@workroom.example", "roles": "editor", "days": "7"}
    await admin.post(f"{office.root}/invitations/new", invitation, expect=None)
    return office


def plain(page: str) -> str:
    return re.sub(r"<[^>]+>", "", page)


async def test_a_member_who_may_read_the_audit_log_sees_every_change(acme: Office) -> None:
    page = plain(await acme.browsers["admin"].text(f"{acme.root}/"))

    assert "Ada created the project Rover" in page
    assert "Ada invited new@workroom.example" in page


async def test_other_members_see_only_changes_of_what_they_may_view(acme: Office) -> None:
    page = plain(await acme.browsers["viewer"].text(f"{acme.root}/"))

    assert "Ada created the project Rover" in page
    assert "new@workroom.example" not in page


async def test_a_member_who_may_view_nothing_sees_no_activity(
    acme: Office, make: Factory, open_browser: OpenBrowser
) -> None:
    guest = await open_browser(await make.member(acme.id, "Guest"))

    page = plain(await guest.text(f"{acme.root}/"))

    assert "Nothing has happened yet" in page
    assert "Rover" not in page


async def test_activity_of_other_organizations_is_not_shown(acme: Office, open_office: OpenOffice) -> None:
    other = await open_office(admin="Olga")

    assert "Rover" not in await other.browsers["admin"].text(f"{other.root}/")
