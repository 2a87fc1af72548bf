"""The page of notifications, and the mark in the header."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
import sqlalchemy as sa

from saas_app.db.base import new_uuid, utc_now
from saas_app.models import Notification, NotificationKind
from saas_app.notifications.recorder import delete_expired_notifications
from saas_app.notifications.values import RETENTION
from saas_app.runtime import Runtime
from tests.clients import Browser, Person
from tests.conftest import OpenBrowser
from tests.integration.members.conftest import Acme, roles_form
from tests.integration.notifications.reading import notifications_of, told

LIST = "/notifications"
UNREAD = "Notifications, some unread"


@pytest.fixture
async def demoted(acme: Acme, bob: Person, open_browser: OpenBrowser) -> Browser:
    """The browser of Bob, who has just lost his role."""
    await acme.browser.post(acme.roles_of(bob), roles_form(["editor"], ["viewer"]))
    return await open_browser(bob)


async def test_the_header_of_every_page_has_a_mark_until_everything_is_read(demoted: Browser) -> None:
    before = await demoted.text("/o")

    await demoted.post(f"{LIST}/read", newest_on(await demoted.text(LIST)))
    page = await demoted.text(LIST)

    assert UNREAD in before
    assert UNREAD not in page
    assert "All notifications are marked as read." in page


async def test_a_notification_that_came_after_the_page_was_opened_stays_unread(
    acme: Acme, bob: Person, demoted: Browser
) -> None:
    opened = newest_on(await demoted.text(LIST))
    await acme.browser.post(acme.roles_of(bob), roles_form(["viewer"], ["editor"]))

    await demoted.post(f"{LIST}/read", opened)

    assert UNREAD in await demoted.text("/o")


async def test_opening_a_notification_marks_it_as_read_and_leads_to_what_it_tells(
    acme: Acme, bob: Person, demoted: Browser, runtime: Runtime
) -> None:
    (row,) = await notifications_of(runtime, bob.id)

    answer = await demoted.post(f"{LIST}/{row.id}/open")

    assert answer.headers["Location"] == f"{acme.root}/access"
    assert UNREAD not in await demoted.text("/o")


async def test_a_notification_is_shown_in_the_language_of_its_reader(demoted: Browser) -> None:
    demoted.app.set_cookie("127.0.0.1", "workroom_language", "es")

    page = await demoted.text(LIST)

    assert "han cambiado a viewer." in page


async def test_a_removed_person_reads_so_without_a_link_to_the_organization(
    acme: Acme, bob: Person, demoted: Browser
) -> None:
    await acme.browser.post(acme.removal_of(bob))

    page = await demoted.text(LIST)

    assert f"You were removed from {acme.name}." in page
    assert "Your roles in" in page
    assert "View my access" not in page


async def test_notifications_of_other_people_are_neither_shown_nor_opened(
    acme: Acme, bob: Person, demoted: Browser, runtime: Runtime
) -> None:
    (row,) = await notifications_of(runtime, bob.id)

    page = await acme.browser.text(LIST)
    await acme.browser.post(f"{LIST}/{row.id}/open", expect=404)
    await acme.browser.post(f"{LIST}/read", {"newest": str(new_uuid())})

    (after,) = await notifications_of(runtime, bob.id)
    assert "No notifications yet" in page
    assert after.read_at is None


async def test_many_notifications_are_read_page_by_page(
    acme: Acme, bob: Person, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    await add_notifications(runtime, acme, bob, 25)
    browser = await open_browser(bob)

    first = await browser.text(LIST)
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following is not None
    second = await browser.text(LIST + following[1].replace("&amp;", "&"))

    assert (first.count("You were removed"), second.count("You were removed")) == (20, 5)


async def test_notifications_are_deleted_after_90_days(acme: Acme, bob: Person, runtime: Runtime) -> None:
    await add_notifications(runtime, acme, bob, 1, created_at=utc_now() - RETENTION)
    await add_notifications(runtime, acme, bob, 1)

    before = await told(runtime, bob.id)
    await delete_expired_notifications(runtime.jobs)

    async with runtime.jobs.reading() as db:
        kept = await db.scalar(sa.select(sa.func.count()).where(Notification.user_id == bob.id))
    assert (len(before), kept) == (1, 1)


def newest_on(page: str) -> dict[str, str]:
    """Return the form that marks everything on a page as read."""
    found = re.search(r'name="newest" value="([^"]+)"', page)
    assert found is not None
    return {"newest": found[1]}


async def add_notifications(
    runtime: Runtime, acme: Acme, person: Person, count: int, created_at: datetime | None = None
) -> None:
    async with runtime.work.writing(acme.id) as db:
        for _row in range(count):
            row_id = new_uuid()
            db.add(
                Notification(
                    user_id=person.id,
                    id=row_id,
                    organization_id=acme.id,
                    organization_name=acme.name,
                    kind=NotificationKind.REMOVED,
                    details={},
                    cause=str(row_id),
                    created_at=created_at or utc_now(),
                    read_at=None,
                )
            )
