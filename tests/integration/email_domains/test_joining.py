"""People who became members because of their email domain are told so, and can leave."""

from __future__ import annotations

import secrets

import pytest

from tests.clients import Browser, Person
from tests.conftest import OpenBrowser
from tests.integration.email_domains.conftest import Place
from tests.integration.invitations.conftest import Mailbox, SignUp
from tests.integration.organizations.settings_pages import text_of

pytestmark = pytest.mark.usefixtures("sign_up_by_email")
NOTICE = "because your email address is at"


async def newcomer(open_browser: OpenBrowser, place: Place, mailbox: Mailbox, address: str) -> Browser:
    """The browser of somebody who signs up with an address."""
    browser = await open_browser()
    await browser.logto.close()
    browser.logto = SignUp(address, mailbox)
    await browser.sign_in(Person("", address, ""), "/sign-up")
    return browser


async def verified(place: Place) -> Place:
    await place.claim()
    await place.publish()
    await place.verify()
    return place


async def test_somebody_who_joined_by_their_domain_is_told_at_the_first_visit_and_stays(
    place: Place, open_browser: OpenBrowser, mailbox: Mailbox
) -> None:
    await verified(place)
    browser = await newcomer(open_browser, place, mailbox, f"new_{secrets.token_hex(4)}@{place.domain}")

    for path in ("access", ""):
        page = await text_of(browser, f"/o/{place.id}/{path}")
        assert NOTICE in page
        assert f'href="/o/{place.id}/leave"' in page
    joined = (await place.events())[-1]
    assert (joined.action, joined.after) == ("member.join", {"domain": place.domain})
    await browser.post(f"/o/{place.id}/joined")
    assert NOTICE not in await text_of(browser, f"/o/{place.id}/")
    assert (await place.actions()).count("member.join") == 1


async def test_somebody_who_joined_by_their_domain_can_leave_and_is_told_once(
    place: Place, open_browser: OpenBrowser, mailbox: Mailbox
) -> None:
    await verified(place)
    browser = await newcomer(open_browser, place, mailbox, f"new_{secrets.token_hex(4)}@{place.domain}")
    assert "Leave organization" in await text_of(browser, f"/o/{place.id}/")
    await browser.get(f"/o/{place.id}/leave")
    await browser.post(f"/o/{place.id}/leave", {"confirm": "yes"})
    await browser.get(f"/o/{place.id}/", 404)
    await browser.follow("/sign-in/renew?next=/o")
    assert (await place.actions()).count("member.join") == 1


async def test_a_stranger_to_the_domain_joins_nothing(
    place: Place, open_browser: OpenBrowser, mailbox: Mailbox
) -> None:
    await verified(place)
    browser = await newcomer(open_browser, place, mailbox, f"new_{secrets.token_hex(4)}@sub.{place.domain}")
    await browser.get(f"/o/{place.id}/", 404)
    assert "member.join" not in await place.actions()


async def test_nobody_joins_by_a_domain_that_is_only_claimed(
    place: Place, open_browser: OpenBrowser, mailbox: Mailbox
) -> None:
    await place.claim()
    browser = await newcomer(open_browser, place, mailbox, f"new_{secrets.token_hex(4)}@{place.domain}")
    await browser.get(f"/o/{place.id}/", 404)


async def test_a_member_of_old_whose_address_is_at_the_domain_is_told_nothing(
    place: Place, open_browser: OpenBrowser
) -> None:
    await place.management._transport.call(
        "PATCH",
        f"/users/{place.admin.id}",
        body={"primaryEmail": f"{place.admin.username}@{place.domain}"},
    )
    await verified(place)
    again = await open_browser(place.admin)
    assert NOTICE not in await text_of(again, f"/o/{place.id}/")
    assert "member.join" not in await place.actions()
