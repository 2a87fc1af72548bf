"""Accepting an invitation, and the reasons why it cannot be accepted, at a real provider."""

from __future__ import annotations

import asyncio
import re
import time

import pytest

from saas_app.logto import Invitation
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from tests.clients import Browser, Person, text_of
from tests.conftest import OpenBrowser
from tests.factories import Factory, address_of, new_address
from tests.integration.ending import PAST, ends_of, set_end
from tests.integration.invitations.conftest import Acme, path_of
from tests.integration.mail import NOBODY, Mailbox, SignUp
from tests.integration.records import actions_of, changes_of, pending_in
from tests.served import APP_URL


async def accept(browser: Browser, invitation: Invitation, expect: int = 303, *, name: str = "") -> str:
    """Accept an invitation and return the response, or the page to which Logto redirects."""
    answer = await browser.post(f"{path_of(invitation)}/accept", {"name": name}, expect)
    return await text_of(await browser.follow(answer.headers["Location"]) if expect == 303 else answer)


async def test_an_invited_person_signs_up_accepts_and_creates_a_project(
    acme: Acme, open_browser: OpenBrowser, mailbox: Mailbox, sign_up_by_email: None
) -> None:
    """The whole way in one test: the message, a new account at Logto, the organization, a first project."""
    address = new_address()
    await acme.invite(address, "editor")
    (page,) = await mailbox.pages_for(address)
    path = page.removeprefix(APP_URL)
    browser = await open_browser()
    await browser.forget_logto(SignUp(address, mailbox))
    (sign_up,) = re.findall(r'href="(/sign-up\?next=[^"]+)"', await browser.text(path))
    assert await browser.sign_in(NOBODY, sign_up) == path
    offer = await browser.text(path)
    assert "<strong>Ada</strong> invites you to <strong>Acme" in offer
    assert address in offer
    home = await accept(browser, await acme.found(address), name="Nia Newcomer")
    assert "Welcome to Acme" in home
    created = await browser.post(f"{acme.root}/projects/new", {"name": "First", "description": ""})
    assert "First" in await browser.text(created.headers["Location"])


async def test_a_visitor_learns_nothing_about_an_invitation_and_can_sign_in(
    acme: Acme, open_browser: OpenBrowser
) -> None:
    address = new_address()
    invitation = await acme.invited(address)
    browser = await open_browser()

    page = await browser.text(path_of(invitation))

    assert page == (await browser.text("/invitations/unknown")).replace("unknown", invitation.id)
    for secret in (address, "Acme", "Ada", "viewer", acme.id):
        assert secret not in page
    for way in ("/sign-in", "/sign-up"):
        assert f'href="{way}?next=%2Finvitations%2F{invitation.id}"' in page


async def test_a_visitor_must_sign_in_to_accept(open_browser: OpenBrowser) -> None:
    answer = await (await open_browser()).post("/invitations/unknown/accept")
    assert answer.headers["Location"].startswith("/sign-in?")


async def test_another_person_cannot_tell_whether_an_invitation_exists(
    acme: Acme, make: Factory, open_browser: OpenBrowser, erin: Person, runtime: Runtime
) -> None:
    invitation = await acme.invited(address_of(erin), "editor")
    other = await make.person("Otto")
    browser = await open_browser(other)
    pages = []
    for identifier in (invitation.id, "unknown", "no id!"):
        shown = await browser.text(f"/invitations/{identifier}", 404)
        posted = await browser.submit(f"/invitations/{identifier}/accept", expect=404)
        assert shown == posted
        pages.append(shown)
    assert len(set(pages)) == 1
    assert address_of(other) in pages[0]
    assert "for another address, or the link is incomplete" in pages[0]
    for secret in (address_of(erin), "Acme", "Ada", "editor"):
        assert secret not in pages[0]
    assert (await acme.found(address_of(erin))).status == "Pending"
    assert await actions_of(runtime, acme.id) == ["invitation.create"]


async def test_a_person_without_an_email_address_is_told_what_is_missing(
    acme: Acme, make: Factory, open_browser: OpenBrowser, erin: Person
) -> None:
    invitation = await acme.invited(address_of(erin))
    await make.management._transport.call("PATCH", f"/users/{erin.id}", body={"primaryEmail": ""})
    page = await (await open_browser(erin)).text(path_of(invitation), 404)
    assert "Your account has no email address" in page


async def test_an_invitation_belongs_to_the_current_address_of_an_account_in_any_case(
    acme: Acme, make: Factory, open_browser: OpenBrowser, erin: Person
) -> None:
    browser = await open_browser(erin)
    moved = new_address()
    invitation = await acme.invited(moved)
    await browser.get(path_of(invitation), 404)
    await make.management._transport.call("PATCH", f"/users/{erin.id}", body={"primaryEmail": moved.title()})
    assert "Accept invitation" in await browser.text(path_of(invitation))
    await accept(browser, invitation)
    assert await make.management.find_member_roles(acme.id, erin.id) == {"viewer"}


@pytest.mark.parametrize("is_member", [True, False], ids=["member", "former member"])
async def test_a_role_of_an_invitation_does_not_get_an_end_that_it_had_before(
    acme: Acme, make: Factory, open_browser: OpenBrowser, erin: Person, runtime: Runtime, is_member: bool
) -> None:
    """The job that takes a role away at Logto is late, or Logto reported no end of the membership."""
    invitation = await acme.invited(address_of(erin), "editor")
    if is_member:
        await make.join(acme.id, erin, Role.EDITOR)
    await set_end(runtime, acme.id, erin, Role.EDITOR, PAST)
    browser = await open_browser(erin)

    await accept(browser, invitation)

    assert await ends_of(runtime, acme.id, erin) == {}
    assert (await browser.follow(f"{acme.root}/projects/new")).status_code == 200


async def test_accepting_takes_effect_at_once_and_is_recorded(
    acme: Acme, open_browser: OpenBrowser, erin: Person, runtime: Runtime
) -> None:
    browser = await open_browser(erin)
    await browser.get(f"{acme.root}/", 404)
    invitation = await acme.invited(address_of(erin), "viewer", "editor")
    home = await accept(browser, invitation)
    assert f'data-organization="{acme.id}"' in home
    assert f"{acme.root}/projects/new" in home
    await browser.get(f"{acme.root}/projects")
    created, accepted = await changes_of(runtime, acme.id)
    assert (accepted.action, accepted.actor_id) == ("invitation.accept", erin.id)
    assert accepted.target_id == created.target_id == address_of(erin)
    assert accepted.after == {"state": "accepted", "roles": ["editor", "viewer"], "invitation": invitation.id}
    assert await pending_in(runtime, acme.id) == []
    listed = await acme.browser.text(f"{acme.invitations}?state=accepted")
    assert address_of(erin) in listed


async def test_accepting_twice_at_once_accepts_once(
    acme: Acme, open_browser: OpenBrowser, erin: Person, runtime: Runtime
) -> None:
    invitation = await acme.invited(address_of(erin))
    browsers = [await open_browser(erin) for _ in range(2)]
    answers = await asyncio.gather(*(one.post(f"{path_of(invitation)}/accept") for one in browsers))
    assert {answer.headers["Location"] for answer in answers} == {f"/sign-in/renew?next={acme.root}/"}
    assert await actions_of(runtime, acme.id) == [
        "invitation.create",
        "invitation.accept",
    ]
    page = await browsers[0].text(path_of(invitation))
    assert "You have already accepted this invitation" in page
    assert f'href="{acme.root}/"' in page
    assert "Accept invitation" not in page


async def test_a_revoked_invitation_says_so_and_what_to_do(
    acme: Acme, open_browser: OpenBrowser, erin: Person, runtime: Runtime
) -> None:
    invitation = await acme.invited(address_of(erin))
    browser = await open_browser(erin)
    assert "Accept invitation" in await browser.text(path_of(invitation))

    await acme.browser.post(f"{acme.invitations}/{invitation.id}/revoke")

    for page in (
        await browser.text(path_of(invitation)),
        await accept(browser, invitation, expect=409),
    ):
        assert "This invitation has been revoked" in page
        assert "Ask Ada for a new one." in page
        assert "Accept invitation" not in page
    await browser.get(f"{acme.root}/", 404)
    assert (await actions_of(runtime, acme.id))[-1] == "invitation.revoke"


@pytest.fixture
async def expired(acme: Acme, erin: Person) -> Invitation:
    """An invitation of Erin that has expired."""
    invitation = await acme.expiring(address_of(erin), 1.0)
    await asyncio.sleep(max(0.0, invitation.expires_at / 1000 - time.time() + 0.01))
    return invitation


async def test_an_expired_invitation_says_so_and_what_to_do(
    acme: Acme, open_browser: OpenBrowser, erin: Person, expired: Invitation
) -> None:
    browser = await open_browser(erin)
    for page in (await browser.text(path_of(expired)), await accept(browser, expired, expect=409)):
        assert "This invitation has expired" in page
        assert "Ask an admin of Acme" in page
        assert "Accept invitation" not in page
    await browser.get(f"{acme.root}/", 404)


async def test_an_expired_invitation_is_listed_and_cannot_be_sent_again(
    acme: Acme, expired: Invitation
) -> None:
    assert expired.invitee in await acme.browser.text(f"{acme.invitations}?state=expired")
    await acme.browser.post(f"{acme.invitations}/{expired.id}/resend", expect=409)


async def test_an_invitation_that_another_account_used_says_so(
    acme: Acme, make: Factory, open_browser: OpenBrowser, erin: Person
) -> None:
    shared = address_of(erin)
    invitation = await acme.invited(shared)
    await accept(await open_browser(erin), invitation)
    for person, address in ((erin, new_address()), (heir := await make.person("Heir"), shared)):
        await make.management._transport.call("PATCH", f"/users/{person.id}", body={"primaryEmail": address})
    browser = await open_browser(heir)
    page = await browser.text(path_of(invitation))
    assert "This invitation has already been used" in page
    await accept(browser, invitation, expect=409)
    assert await make.management.find_member_roles(acme.id, heir.id) is None


async def test_an_invitation_of_a_deleted_organization_is_not_found(
    acme: Acme, open_browser: OpenBrowser, erin: Person
) -> None:
    invitation = await acme.invited(address_of(erin))
    browser = await open_browser(erin)

    await acme.management.delete_organization(acme.id)

    await browser.get(path_of(invitation), 404)
    await accept(browser, invitation, expect=404)


async def test_an_invitation_grants_its_roles_after_its_sender_has_left(
    acme: Acme, make: Factory, open_browser: OpenBrowser, erin: Person
) -> None:
    leaving = await make.member(acme.id, "Lee", "admin")
    invitation_by_lee = await open_browser(leaving)
    await acme.invite(address_of(erin), "editor", by=invitation_by_lee)
    await make.management.remove_member(acme.id, leaving.id)
    assert "by Lee" in await acme.browser.text(acme.invitations)
    await accept(await open_browser(erin), await acme.found(address_of(erin)))
    assert await make.management.find_member_roles(acme.id, erin.id) == {"editor"}


async def test_a_members_second_invitation_adds_its_roles(
    acme: Acme, make: Factory, open_browser: OpenBrowser, erin: Person
) -> None:
    invitation = await acme.invited(address_of(erin), "editor")
    await make.join(acme.id, erin, "viewer")
    await accept(await open_browser(erin), invitation)
    assert await make.management.find_member_roles(acme.id, erin.id) == {"editor", "viewer"}


async def test_an_invited_person_finds_the_invitation_among_their_organizations(
    acme: Acme, open_browser: OpenBrowser, erin: Person
) -> None:
    browser = await open_browser(erin)
    assert "Pending invitations" not in await browser.text("/o")

    invitation = await acme.invited(address_of(erin), "editor")

    page = await browser.text("/o")
    assert "Pending invitations" in page
    assert f'href="{path_of(invitation)}"' in page
    assert "Pending invitations" not in await browser.text("/o?q=a")
    assert "Pending invitations" not in await acme.browser.text("/o")


async def test_a_revoked_invitation_is_no_longer_among_the_organizations(
    acme: Acme, open_browser: OpenBrowser, erin: Person
) -> None:
    invitation = await acme.invited(address_of(erin), "editor")

    await acme.browser.post(f"{acme.invitations}/{invitation.id}/revoke")

    assert "Pending invitations" not in await (await open_browser(erin)).text("/o")
