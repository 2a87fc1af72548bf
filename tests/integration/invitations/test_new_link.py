"""A person whose emailed link no longer signs in gets a new one, at the invited address."""

from __future__ import annotations

import re

import pytest

from saas_app.config import Rate
from saas_app.runtime import Runtime
from tests.clients import Browser
from tests.conftest import OpenApp, OpenBrowser
from tests.factories import new_address
from tests.integration.faulty_logto import DOWN, LOST, Fault
from tests.integration.invitations.conftest import Acme, Email, Faulty, opened, path_of
from tests.integration.invitations.test_link import SPENT, Guest, guest
from tests.integration.mail import Mailbox
from tests.integration.records import actions_of, events_of

__all__ = ["guest"]  # a fixture

MESSAGE = r"/organization-invitations/[^/]+/message$"


async def test_a_new_link_arrives_at_the_invited_address_and_signs_in(guest: Guest, mailbox: Mailbox) -> None:
    await guest.email.press(guest.browser)

    page = await guest.browser.text(await guest.email.ask_again(guest.browser))

    assert "Check your email" in page
    newer = await opened(mailbox, guest.address)
    assert newer != guest.email
    assert (await guest.browser.follow(await newer.sign_in(guest.browser))).status_code == 200


async def test_a_new_link_replaces_the_older_one(guest: Guest) -> None:
    await guest.email.ask_again(guest.browser)

    assert SPENT in await guest.email.press(guest.browser, expect=409)


async def test_a_new_link_is_in_the_audit_log(guest: Guest, acme: Acme, runtime: Runtime) -> None:
    await guest.email.ask_again(guest.browser)

    *_, event = await events_of(runtime, acme.id)
    assert (event.action, event.target_id) == ("invitation.renew-link", guest.address)
    page = re.sub("</?(?:em|b)>|[\u2068\u2069]", "", await acme.browser.text(f"{acme.root}/audit"))
    assert f"Workroom sent a new invitation link to {guest.address} on request" in page


@pytest.mark.parametrize("how", ["revoked", "accepted", "gone"])
async def test_the_answer_does_not_tell_that_the_invitation_is_closed(
    guest: Guest, acme: Acme, open_browser: OpenBrowser, mailbox: Mailbox, how: str
) -> None:
    open_page = await guest.browser.text(await guest.email.ask_again(guest.browser))
    sent = len(await mailbox.links_for(guest.address))
    if how == "revoked":
        await acme.management.revoke_invitation((await acme.found(guest.address)).id)
    elif how == "accepted":
        await (await open_browser(guest.person)).post(f"{guest.email.path}/accept")
    else:
        await acme.management.delete_organization(acme.id)

    closed_page = await guest.browser.text(await guest.email.ask_again(guest.browser))

    assert closed_page == open_page
    assert len(await mailbox.links_for(guest.address)) == sent


@pytest.mark.parametrize("proof", ["", "nonsense"])
async def test_without_a_proof_nothing_is_sent_and_logto_is_not_asked(
    faulty: Faulty, mailbox: Mailbox, proof: str
) -> None:
    address = new_address()
    invitation = await faulty.acme.invited(address)
    faulty.gate.calls.clear()

    answers = [
        await Email(path, proof).ask_again(faulty.acme.browser)
        for path in (path_of(invitation), "/invitations/nosuchinvitation")
    ]

    assert answers == [path_of(invitation), "/invitations/nosuchinvitation"]
    assert faulty.gate.calls == []
    assert len(await mailbox.links_for(address)) == 1


async def test_an_address_gets_a_limited_number_of_new_links(
    guest: Guest, acme: Acme, runtime: Runtime, mailbox: Mailbox, open_browser: OpenBrowser
) -> None:
    """Links that people ask for do not use up the emails that admins may send to the address."""
    policy = runtime.change_limits.new_links
    for _ in range(policy.rate.amount):
        await runtime.change_limits.count(policy, guest.address)

    page = await guest.email.ask_again(await open_browser(), expect=429)

    assert "One address can receive" in page
    assert len(await mailbox.links_for(guest.address)) == 1
    await acme.browser.post(f"{acme.invitations}/{(await acme.found(guest.address)).id}/resend")
    assert len(await mailbox.links_for(guest.address)) == 2


@pytest.mark.parametrize("action", ["begin", "link"])
async def test_the_buttons_are_limited_by_network_address(
    guest: Guest, open_app: OpenApp, action: str
) -> None:
    browser = guest.browser.at(await open_app(rate_limit_address=Rate(3, 60)))
    form = {"mail": "nonsense"}
    for _ in range(3):
        await browser.post(f"{guest.email.path}/{action}", form)

    answer = await browser.post(f"{guest.email.path}/{action}", form, expect=429)

    assert answer.headers["Retry-After"]


# --- while Logto fails


@pytest.fixture
async def sent(faulty: Faulty, mailbox: Mailbox) -> Email:
    """An emailed invitation at the worker whose Logto fails."""
    address = new_address()
    await faulty.acme.invite(address, "viewer")
    return await opened(mailbox, address)


@pytest.fixture
async def visitor(faulty: Faulty) -> Browser:
    """A browser without a session at that worker."""
    return await faulty.open_browser()


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fault("GET", "/organization-invitations/", **DOWN), 503),
        (Fault("POST", MESSAGE), 409),
        (Fault("POST", MESSAGE, 429, {"code": "request.message_rate_limited", "message": "?"}), 409),
        (Fault("POST", MESSAGE, **DOWN), 503),
    ],
)
async def test_a_link_that_could_not_be_replaced_still_signs_in(
    faulty: Faulty, visitor: Browser, sent: Email, runtime: Runtime, fault: Fault, status: int
) -> None:
    faulty.gate.fail(fault)

    page = await sent.ask_again(visitor, expect=status)

    assert "Check your email" not in page
    assert "copy" not in page.lower()
    assert "invitation.renew-link" not in await actions_of(runtime, faulty.acme.id)
    faulty.gate.fail()
    await sent.press(visitor)


async def test_failures_do_not_count_as_new_links(faulty: Faulty, visitor: Browser, sent: Email) -> None:
    faulty.gate.fail(Fault("POST", MESSAGE))
    for _ in range(12):
        await sent.ask_again(visitor, expect=409)

    faulty.gate.fail()
    await sent.ask_again(visitor)


async def test_an_email_whose_answer_was_lost_has_a_link_that_asks_for_another(
    faulty: Faulty, visitor: Browser, sent: Email, mailbox: Mailbox
) -> None:
    """Nobody knows whether it was sent, so the older link stays, and the newer one leads to a new one."""
    faulty.gate.fail(Fault("POST", MESSAGE, times=1, **LOST))
    await sent.ask_again(visitor, expect=503)
    faulty.gate.fail()
    (address,) = {entry.invitee for entry in await faulty.acme.management.list_invitations(faulty.acme.id)}

    unknown = await opened(mailbox, address)

    assert unknown != sent
    assert "Send me a new link" in await unknown.press(visitor, expect=409)
    await sent.press(visitor)


async def test_an_admins_email_that_could_not_be_sent_leaves_the_older_link(
    faulty: Faulty, visitor: Browser, sent: Email
) -> None:
    (invitation,) = await faulty.acme.management.list_invitations(faulty.acme.id)
    faulty.gate.fail(Fault("POST", MESSAGE))
    await faulty.acme.browser.post(f"{faulty.acme.invitations}/{invitation.id}/resend", expect=409)
    faulty.gate.fail()

    await sent.press(visitor)
