"""The emailed link signs in the person whose address received it: once, and for a short time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from saas_app.db.base import utc_now
from saas_app.invitations import service
from saas_app.invitations.changes import signing_in
from saas_app.logto import ManagementClient
from saas_app.models import InvitationLink
from saas_app.runtime import Runtime
from tests.clients import Browser, Person
from tests.conftest import OpenBrowser
from tests.factories import Factory, address_of, new_address
from tests.integration.invitations.conftest import Acme, Email, asked_of_logto, opened
from tests.integration.mail import NOBODY, Mailbox, TokenSignIn, TokenSignUp

SPENT = "This link no longer signs you in"
BUTTON = "Continue with"


@dataclass(frozen=True, slots=True)
class Guest:
    """A person with an account who is invited as an editor, their email, and a browser without a session."""

    person: Person
    email: Email
    browser: Browser

    @property
    def address(self) -> str:
        """The invited address."""
        return address_of(self.person)

    async def page(self, browser: Browser | None = None) -> str:
        """Open the link and return the page."""
        return await (browser or self.browser).text(self.email.link)


@pytest.fixture
async def guest(acme: Acme, erin: Person, open_browser: OpenBrowser, mailbox: Mailbox) -> Guest:
    await acme.invite(address_of(erin), "editor")
    return Guest(erin, await opened(mailbox, address_of(erin)), await open_browser())


async def tokens_for(management: ManagementClient, address: str) -> list[Any]:
    """Return the one-time tokens that Logto has for an address."""
    answer = await management._transport.call("GET", "/one-time-tokens", query={"email": address})
    assert isinstance(answer.body, list)
    return answer.body


async def stored_for(runtime: Runtime, acme: Acme) -> list[tuple[bytes, datetime, datetime | None]]:
    """Return what is stored about the links of an organization."""
    columns = InvitationLink.secret_hash, InvitationLink.expires_at, InvitationLink.used_at
    async with runtime.work.reading(acme.id) as db:
        return [tuple(row) for row in await db.execute(sa.select(*columns))]


# --- signing in


async def test_a_person_with_an_account_is_signed_in_without_a_password(guest: Guest) -> None:
    home = await guest.email.sign_in(guest.browser)

    offer = await guest.browser.follow(home)
    assert "Accept invitation" in await offer.get_data(as_text=True)
    assert guest.address in await guest.browser.text("/account")


async def test_logto_is_asked_to_verify_exactly_the_invited_address_for_a_few_minutes(
    guest: Guest, acme: Acme
) -> None:
    asked = asked_of_logto(await guest.email.press(guest.browser))

    (token,) = await tokens_for(acme.management, guest.address)
    assert asked["one_time_token"] == token["token"]
    assert asked["login_hint"] == token["email"] == guest.address
    assert token["expiresAt"] - token["createdAt"] == signing_in.TOKEN_LIFETIME * 1000 <= 600_000
    assert token["context"] == {}


async def test_logto_asks_who_it_is_even_if_somebody_else_is_signed_in_there(guest: Guest) -> None:
    asked = asked_of_logto(await guest.email.press(guest.browser))

    assert "login" in asked["prompt"].split()


@pytest.fixture
async def _second_factor_is_mandatory(guest: Guest, management: ManagementClient) -> AsyncIterator[None]:
    """Require a second factor of everybody, once the guest is invited."""
    before = (await management.get_sign_in_experience())["mfa"]
    await management.change_sign_in_experience({"mfa": {"factors": ["Totp"], "policy": "Mandatory"}})
    yield
    await management.change_sign_in_experience({"mfa": before})


@pytest.mark.usefixtures("_second_factor_is_mandatory")
async def test_the_link_does_not_replace_the_second_factor(guest: Guest) -> None:
    with pytest.raises(AssertionError, match=r"user\.missing_mfa"):
        await guest.email.sign_in(guest.browser)

    await guest.browser.get("/account", 303)


@pytest.mark.usefixtures("sign_up_by_email")
async def test_a_new_person_is_welcomed_by_name_on_the_first_page_once(
    acme: Acme, open_browser: OpenBrowser, mailbox: Mailbox
) -> None:
    address, browser = new_address(), await open_browser()
    await acme.invite(address, "editor")
    email = await opened(mailbox, address)
    await browser.forget_logto(TokenSignUp())
    await browser.come_back(await email.press(browser), NOBODY)

    accepted = await browser.post(f"{email.path}/accept", {"name": "Nia Newcomer"})

    first = await browser.follow(accepted.headers["Location"])
    assert "Welcome to" in (page := await first.get_data(as_text=True))
    assert "Nia Newcomer" in page
    assert "You joined as" in page
    assert "Welcome to" not in await browser.text(f"{acme.root}/")


async def test_a_new_member_who_opens_another_page_first_is_greeted_there(guest: Guest) -> None:
    await guest.email.sign_in(guest.browser)
    await guest.browser.post(f"{guest.email.path}/accept")

    assert "Welcome to the organization." in await guest.browser.text("/o")


async def test_the_link_signs_in_whoever_has_the_address_now(guest: Guest, acme: Acme, make: Factory) -> None:
    """The email proves the address, not the account that had it when the invitation was sent."""
    heir = await make.person("Heir")
    for person, address in ((guest.person, new_address()), (heir, guest.address)):
        await acme.management._transport.call("PATCH", f"/users/{person.id}", body={"primaryEmail": address})

    await guest.email.sign_in(guest.browser)

    assert "Heir" in await guest.browser.text("/account")


async def test_an_account_with_another_spelling_of_the_address_is_signed_in(
    acme: Acme, make: Factory, open_browser: OpenBrowser, mailbox: Mailbox
) -> None:
    """Logto 1.42 compares addresses letter by letter, and a one-time token is for one spelling."""
    name = new_address().partition("@")[0]
    await acme.invite(f"{name}@bücher.example", "viewer")
    email = await opened(mailbox, f"{name}@bücher.example")
    person = await make.person("Nia")
    spelling = f"{name}@xn--bcher-kva.example"
    await acme.management._transport.call("PATCH", f"/users/{person.id}", body={"primaryEmail": spelling})

    assert asked_of_logto(await email.press(await open_browser()))["login_hint"] == spelling


# --- once


async def test_opening_the_page_uses_nothing_up(guest: Guest) -> None:
    """Link scanners and previews open a link before its reader does."""
    for _ in range(3):
        assert BUTTON in await guest.page()
        assert (await guest.browser.app.head(guest.email.link)).status_code == 200

    assert (await guest.browser.follow(await guest.email.sign_in(guest.browser))).status_code == 200


async def test_a_link_signs_in_once(guest: Guest, acme: Acme, open_browser: OpenBrowser) -> None:
    await guest.email.sign_in(guest.browser)
    elsewhere = await open_browser()

    answer = await guest.email.press(elsewhere, expect=409)

    assert SPENT in answer
    assert "It was used on" in answer
    assert "Send me a new link" in answer
    assert BUTTON not in await guest.page(elsewhere)
    assert len(await tokens_for(acme.management, guest.address)) == 1


async def test_of_several_clicks_at_once_one_signs_in(
    guest: Guest, acme: Acme, open_browser: OpenBrowser
) -> None:
    browsers = [guest.browser, *[await open_browser() for _ in range(4)]]
    form = {"mail": guest.email.proof}

    answers = await asyncio.gather(
        *(one.post(f"{guest.email.path}/begin", form, expect=None) for one in browsers)
    )

    assert sorted(answer.status_code for answer in answers) == [303, 409, 409, 409, 409]
    assert len(await tokens_for(acme.management, guest.address)) == 1


async def test_a_failed_sign_in_leaves_the_older_way_and_a_new_link(guest: Guest, mailbox: Mailbox) -> None:
    state = asked_of_logto(await guest.email.press(guest.browser))["state"]
    failed = await guest.browser.text(f"/callback?state={state}&error=server_error", 400)
    assert guest.email.path.replace("/", "%2F") in failed

    await guest.email.ask_again(guest.browser)

    home = await (await opened(mailbox, guest.address)).sign_in(guest.browser)
    assert (await guest.browser.follow(home)).status_code == 200


async def test_the_older_way_fills_in_the_address_and_asks_who_it_is(guest: Guest) -> None:
    page = await guest.email.press(guest.browser) and await guest.page()
    (way,) = {part.split('"')[0] for part in page.split('href="')[1:] if part.startswith("/sign-in?next")}

    asked = asked_of_logto((await guest.browser.get(way, 303)).headers["Location"])

    assert asked["login_hint"] == guest.address
    assert "login" in asked["prompt"].split()
    assert "one_time_token" not in asked


# --- how long


def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    """Let links be judged at another time."""
    for module in (service, signing_in):
        monkeypatch.setattr(module, "utc_now", lambda: moment)


async def test_a_link_signs_in_until_its_time_is_over(
    guest: Guest, acme: Acme, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ((_, end, _used),) = await stored_for(runtime, acme)
    lifetime = timedelta(seconds=runtime.settings.invitation_link_lifetime)
    assert utc_now() + lifetime - timedelta(minutes=1) < end <= utc_now() + lifetime

    at(monkeypatch, end)
    assert "It worked until" in await guest.page()
    assert SPENT in await guest.email.press(guest.browser, expect=409)
    at(monkeypatch, end - timedelta(milliseconds=1))
    assert BUTTON in await guest.page()
    await guest.email.press(guest.browser)


async def test_a_link_of_an_invitation_that_ends_sooner_ends_with_it(acme: Acme, runtime: Runtime) -> None:
    invitation = await acme.expiring(new_address(), 120.0)

    await acme.browser.post(f"{acme.invitations}/{invitation.id}/resend")

    ((_, end, _used),) = await stored_for(runtime, acme)
    assert end.timestamp() * 1000 == invitation.expires_at


async def test_links_that_ended_long_ago_are_deleted(guest: Guest, acme: Acme, runtime: Runtime) -> None:
    async with runtime.work.writing(acme.id) as db:
        await db.execute(sa.update(InvitationLink).values(expires_at=utc_now() - timedelta(days=32)))

    await acme.invite(new_address(), "viewer")

    assert len(await stored_for(runtime, acme)) == 1


# --- what ends it


async def test_a_revoked_invitation_signs_nobody_in(guest: Guest, acme: Acme) -> None:
    invitation = await acme.found(guest.address)

    await acme.browser.post(f"{acme.invitations}/{invitation.id}/revoke")

    assert "the invitation is no longer open" in await guest.page()
    assert SPENT in await guest.email.press(guest.browser, expect=409)
    assert await tokens_for(acme.management, guest.address) == []


async def test_an_invitation_that_was_revoked_in_logto_signs_nobody_in(guest: Guest, acme: Acme) -> None:
    await acme.management.revoke_invitation((await acme.found(guest.address)).id)

    assert SPENT in await guest.email.press(guest.browser, expect=409)

    assert "the invitation is no longer open" in await guest.page()
    assert await tokens_for(acme.management, guest.address) == []


async def test_an_accepted_invitation_signs_nobody_in(
    guest: Guest, acme: Acme, open_browser: OpenBrowser
) -> None:
    await (await open_browser(guest.person)).post(f"{guest.email.path}/accept")

    assert SPENT in await guest.page()
    assert SPENT in await guest.email.press(guest.browser, expect=409)
    assert await tokens_for(acme.management, guest.address) == []


async def test_a_resent_email_replaces_the_older_link(guest: Guest, acme: Acme, mailbox: Mailbox) -> None:
    invitation = await acme.found(guest.address)

    await acme.browser.post(f"{acme.invitations}/{invitation.id}/resend")

    assert "A newer email has replaced it" in await guest.page()
    assert SPENT in await guest.email.press(guest.browser, expect=409)
    newer = await opened(mailbox, guest.address)
    assert (await guest.browser.follow(await newer.sign_in(guest.browser))).status_code == 200


async def test_a_used_link_of_a_resent_invitation_can_be_replaced(guest: Guest, acme: Acme) -> None:
    """A newer link has not been used, whatever happened to the older one."""
    await guest.email.press(guest.browser)

    await acme.browser.post(f"{acme.invitations}/{(await acme.found(guest.address)).id}/resend")

    assert "A newer email has replaced it" in await guest.page()


# --- who opens it


async def test_the_invited_person_who_is_signed_in_already_accepts_at_once(
    guest: Guest, acme: Acme, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    browser = await open_browser(guest.person)

    assert "Accept invitation" in await guest.page(browser)

    ((_, _end, used),) = await stored_for(runtime, acme)
    assert used is None


async def test_a_person_who_signed_out_signs_in_with_the_same_browser(guest: Guest) -> None:
    visit = TokenSignIn()
    await guest.browser.forget_logto(visit)
    await guest.browser.come_back(await guest.email.press(guest.browser), NOBODY)

    assert visit.page["login_hint"] == guest.address
