"""People who joined by their email domain see a notice about it, and can leave."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable

import pytest

from saas_app.runtime import Runtime
from tests.clients import Browser
from tests.conftest import OpenBrowser
from tests.integration.email_domains.conftest import Place, Places
from tests.integration.mail import NOBODY, Mailbox, SignUp
from tests.integration.notifications.reading import told

pytestmark = pytest.mark.usefixtures("sign_up_by_email")
NOTICE = "because your email address is at"
SignUpAt = Callable[..., Awaitable[Browser]]


def new_name() -> str:
    return f"new_{secrets.token_hex(4)}"


@pytest.fixture
async def sign_up(open_browser: OpenBrowser, mailbox: Mailbox) -> SignUpAt:
    """``await sign_up(domain, name="")``: the browser of a new person with an address at a domain."""

    async def at(domain: str, name: str = "") -> Browser:
        browser = await open_browser()
        await browser.forget_logto(SignUp(f"{name or new_name()}@{domain}", mailbox))
        await browser.sign_in(NOBODY, "/sign-up")
        return browser

    return at


async def test_a_person_who_joined_by_their_domain_is_told_on_every_page(
    verified: Place, sign_up: SignUpAt
) -> None:
    browser = await sign_up(verified.domain)

    for path in ("access", ""):
        page = await browser.text(f"{verified.root}/{path}")
        assert NOTICE in page
        assert f'href="{verified.root}/leave"' in page
    joined = (await verified.events())[-1]
    assert (joined.action, joined.after) == ("member.join", {"domain": verified.domain})


async def test_a_person_who_joined_by_their_domain_has_one_notification_of_it(
    verified: Place, sign_up: SignUpAt, runtime: Runtime
) -> None:
    browser = await sign_up(verified.domain)
    joined = (await verified.events())[-1]

    await browser.follow("/sign-in/renew?next=/o")

    name = verified.name
    sentence = f"You joined {name}, because your email address is at {verified.domain}."
    assert await told(runtime, joined.actor_id) == [sentence]


async def test_a_person_who_joined_by_their_domain_can_dismiss_the_notice(
    verified: Place, sign_up: SignUpAt
) -> None:
    browser = await sign_up(verified.domain)
    assert NOTICE in await browser.text(f"{verified.root}/")

    await browser.post(f"{verified.root}/joined")

    assert NOTICE not in await browser.text(f"{verified.root}/")
    assert (await verified.actions()).count("member.join") == 1


async def test_a_person_who_accepts_an_invitation_sees_no_notice(verified: Place, sign_up: SignUpAt) -> None:
    name, expires_at = new_name(), int((time.time() + 3600) * 1000)
    invitation = await verified.management.create_invitation(
        verified.id, f"{name}@{verified.domain}", role_ids=[], expires_at=expires_at
    )
    browser = await sign_up(verified.domain, name)
    assert NOTICE in await browser.text(f"{verified.root}/")

    await browser.post(f"/invitations/{invitation.id}/accept", {"name": "Nadia"})

    assert NOTICE not in await browser.text(f"{verified.root}/")


async def test_a_person_who_joined_by_their_domain_can_leave(verified: Place, sign_up: SignUpAt) -> None:
    browser = await sign_up(verified.domain)
    assert "Leave organization" in await browser.text(f"{verified.root}/")
    await browser.get(f"{verified.root}/leave")

    await browser.post(f"{verified.root}/leave", {"confirm": "yes"})

    await browser.get(f"{verified.root}/", 404)
    await browser.follow("/sign-in/renew?next=/o")
    assert (await verified.actions()).count("member.join") == 1


async def test_a_person_with_an_address_at_a_subdomain_does_not_join(
    verified: Place, sign_up: SignUpAt
) -> None:
    browser = await sign_up(f"sub.{verified.domain}")
    await browser.get(f"{verified.root}/", 404)
    assert "member.join" not in await verified.actions()


async def test_nobody_joins_by_a_domain_that_is_not_verified(place: Place, sign_up: SignUpAt) -> None:
    await place.claim()
    browser = await sign_up(place.domain)
    await browser.get(f"{place.root}/", 404)


async def test_an_existing_member_with_an_address_at_the_domain_sees_no_notice(
    places: Places, open_browser: OpenBrowser
) -> None:
    place = await places.new(has_address=True)
    await place.claim()
    await place.verify("address")

    again = await open_browser(place.admin)

    assert NOTICE not in await again.text(f"{place.root}/")
    assert "member.join" not in await place.actions()
