"""Every way to an organization besides its own pages and API, for a member whom its single sign-on keeps out.

* The list of organizations, the switcher and the search show the names and roles of the person's own
  memberships, as their ID token names them, and nothing from inside.
* Notifications tell that there is news, and with which provider to sign in to read it.
* Public pages have no header of the organization (see ``test_required.py``).
* An invitation is for somebody who is no member yet. Accepting it leads to the page that asks to sign in.
* The token workbench shows the person's tokens, but no event of the organization, and no raw token.
* A renewal of access or a fresh sign-in with a password changes nothing, and leads in no circle.
* A demo person who is played has no account at the provider, and is told so.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from saas_app.models import NotificationKind
from saas_app.notifications.queries import add
from saas_app.runtime import Runtime
from tests.clients import FRESH, Browser, Person
from tests.conftest import OpenBrowser, OpenOffice
from tests.factories import Factory, address_of
from tests.integration.lab.personas.conftest import people, scene, write_people
from tests.integration.lab.personas.scene import Scene
from tests.integration.records import changes_of
from tests.integration.single_sign_on.required import (
    PROVIDER,
    Strict,
    come_through,
    new_strict_office,
    require_single_sign_on,
)

__all__ = ["people", "scene", "write_people"]

TITLE = "This organization requires single sign-on"
ASKED = {"requester": "Bob", "role": "admin", "request": "1"}


@pytest.fixture
async def strict(open_office: OpenOffice, runtime: Runtime) -> Strict:
    return await new_strict_office(open_office, runtime)


async def tell(
    runtime: Runtime, strict: Strict, kind: NotificationKind, person: Person, **details: Any
) -> None:
    async with runtime.work.writing(strict.id) as db:
        await add(db, strict.id, person.id, kind, "a test", details)


@pytest.mark.parametrize("path", ["/o", "/o/switch", "/search?q=Initech"])
async def test_lists_show_the_membership_itself(strict: Strict, path: str) -> None:
    page = await strict.ella.text(path)
    assert strict.name in page
    assert PROVIDER not in page


async def test_a_notification_tells_only_that_there_is_news(strict: Strict, runtime: Runtime) -> None:
    ella = strict.people["editor"]
    await tell(runtime, strict, NotificationKind.ACCESS_REQUESTED, ella, **ASKED)

    page = await strict.ella.text("/notifications")

    assert "There is news in" in page
    assert PROVIDER in page
    assert "Bob" not in page


async def test_a_notification_is_told_to_somebody_who_came_through_the_provider(
    strict: Strict, runtime: Runtime
) -> None:
    ella = strict.people["editor"]
    await tell(runtime, strict, NotificationKind.ACCESS_REQUESTED, ella, **ASKED)
    await come_through(runtime, strict.ella, strict.connector_id)

    assert "Bob" in await strict.ella.text("/notifications")


async def test_the_recovery_admin_reads_notifications(strict: Strict, runtime: Runtime) -> None:
    await tell(runtime, strict, NotificationKind.ACCESS_REQUESTED, strict.admin, **ASKED)
    assert "Bob" in await strict.browsers["admin"].text("/notifications")


async def test_the_time_in_a_notification_is_not_told_either(strict: Strict, runtime: Runtime) -> None:
    details = {"roles": ["editor"], "ending": ["editor"], "ends_at": "2037-01-02T03:04:00+00:00"}
    await tell(runtime, strict, NotificationKind.ROLES_CHANGED, strict.people["editor"], **details)

    page = await strict.ella.text("/notifications")

    assert "There is news in" in page
    assert "2037" not in page


async def test_the_page_that_a_notification_leads_to_asks_for_the_sign_in(
    strict: Strict, runtime: Runtime
) -> None:
    await tell(runtime, strict, NotificationKind.ROLES_CHANGED, strict.people["editor"], roles=["editor"])
    page = await strict.ella.text("/notifications")
    opening = re.search(r'action="(/notifications/[0-9a-f-]{36}/open)"', page)
    assert opening is not None

    answer = await strict.ella.post(opening[1])

    assert TITLE in await strict.ella.text(answer.headers["Location"], 403)


async def test_invitations_and_removals_are_told_to_everybody(
    strict: Strict, runtime: Runtime, make: Factory, open_browser: OpenBrowser
) -> None:
    erin = await make.person("Erin")
    await tell(runtime, strict, NotificationKind.INVITED, erin, roles=["viewer"], invitation="i1")

    page = await (await open_browser(erin)).text("/notifications")

    assert "You are invited to" in page
    assert PROVIDER not in page


async def test_a_newcomer_accepts_an_invitation_and_is_led_to_the_sign_in(
    strict: Strict, runtime: Runtime, make: Factory, open_browser: OpenBrowser
) -> None:
    erin = await make.person("Erin")
    form = {"addresses": address_of(erin), "roles": ["viewer"], "days": "7"}
    await strict.browsers["admin"].post(f"{strict.root}/invitations/new", form)
    (invitation,) = await strict.management.list_invitations(strict.id)
    browser = await open_browser(erin)

    accepted = await browser.post(f"/invitations/{invitation.id}/accept")
    landed = await browser.follow(accepted.headers["Location"])

    assert landed.status_code == 403
    assert TITLE in await landed.get_data(as_text=True)
    assert await strict.roles_at_logto(erin) == {"viewer"}
    assert [event.action for event in await changes_of(runtime, strict.id)][-1] == "invitation.accept"


def timeline_of(page: str) -> str:
    return page[page.index('id="timeline-heading"') :]


async def test_the_token_workbench_shows_no_event_and_no_raw_token(strict: Strict, runtime: Runtime) -> None:
    """Ada was not told: only the organization's log knows who changed her roles."""
    ada, bench = strict.browsers["admin"], f"/lab/tokens?left={strict.id}"
    await ada.post(
        f"{strict.root}/members/{strict.people['editor'].id}/roles",
        {
            "seen": ["", "editor"],
            "roles": ["editor", "viewer", "admin"],
            "step": "confirm",
        },
    )
    await strict.ella.follow("/sign-in/renew")
    await require_single_sign_on(runtime, strict.id, required_at=None)
    assert "Ada" in timeline_of(await strict.ella.text(bench))
    await require_single_sign_on(runtime, strict.id, strict.admin.id)

    closed = timeline_of(await strict.ella.text(bench))
    raw = await strict.ella.submit("/lab/tokens/raw", {"left": strict.id, "token": "left-organization"}, 403)

    assert "Ada" not in closed
    assert "There is news in" in closed
    assert TITLE in raw
    assert f"/sign-in/single-sign-on?organization={strict.id}" in raw


async def test_the_token_workbench_opens_before_there_is_a_token(strict: Strict) -> None:
    """It fetches the token that proves the member, and is refused then, as the pages are."""
    assert strict.name in await strict.ella.text(f"/lab/tokens?left={strict.id}")


@pytest.mark.parametrize("path", [FRESH, "/sign-in/renew", "/sign-in/fresh"])
async def test_no_other_sign_in_opens_the_organization(strict: Strict, path: str) -> None:
    await strict.ella.sign_in(strict.people["editor"], path)
    await strict.ella.get(strict.projects, 403)


async def test_a_page_that_needs_a_fresh_sign_in_asks_for_the_provider_first(
    make: Factory, open_browser: OpenBrowser, strict: Strict
) -> None:
    """Not for a password, with which the person would not come in either."""
    browser = await open_browser(await make.member(strict.id, "Alice", "admin"))
    assert TITLE in await browser.text(f"{strict.root}/settings/delete", 403)


async def test_a_grant_that_does_not_cover_the_organization_leads_in_no_circle(
    strict: Strict, make: Factory, open_browser: OpenBrowser
) -> None:
    """The API token is missing until the consent is renewed; then the page says what is missing."""
    erin = await make.person("Erin")
    browser = await open_browser(erin)
    await make.join(strict.id, erin, "editor")

    answer = await browser.follow(strict.projects)

    assert answer.status_code == 403
    assert TITLE in await answer.get_data(as_text=True)


async def test_a_demo_person_is_told_to_sign_in_in_another_browser(scene: Scene) -> None:
    await require_single_sign_on(scene.runtime, scene.organization_id)
    await scene.play(scene.vic)

    page = await scene.browser.text(f"{scene.root}/projects", 403)

    assert "a script cannot sign in with" in page
    assert "/sign-in/single-sign-on" not in page


async def my_access(browser: Browser, strict: Strict) -> str:
    return await browser.text(f"{strict.root}/access")


async def test_my_access_says_that_the_person_came_through_the_provider(
    strict: Strict, runtime: Runtime
) -> None:
    await come_through(runtime, strict.ella, strict.connector_id)
    page = await my_access(strict.ella, strict)
    assert "You signed in with" in page
    assert PROVIDER in page
    assert "Single sign-on required" in page


async def test_my_access_says_why_the_recovery_admin_is_in(strict: Strict) -> None:
    assert "because you are the recovery admin" in await my_access(strict.browsers["admin"], strict)


async def test_my_access_says_that_single_sign_on_is_optional(strict: Strict, runtime: Runtime) -> None:
    await require_single_sign_on(runtime, strict.id, required_at=None)
    page = await my_access(strict.ella, strict)
    assert "Single sign-on optional" in page
    assert "You did not sign in with" in page


async def test_my_access_says_nothing_of_a_connection_that_is_not_on(
    strict: Strict, runtime: Runtime
) -> None:
    await require_single_sign_on(runtime, strict.id, on_at=None, required_at=None)
    assert "Your sign-in" not in await my_access(strict.ella, strict)
