"""From the link to the first project, and everything that can stand in between, through a real provider."""

from __future__ import annotations

import asyncio
import re
import time

import pytest

from saas_app.logto import Invitation
from saas_app.runtime import Runtime
from tests.clients import Browser, Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.invitations.conftest import (
    Acme,
    Mailbox,
    SignUp,
    actions_of,
    address_of,
    changes_of,
    new_acme,
    new_address,
    path_of,
)
from tests.integration.members.conftest import join_as, pending_in, text_of

_NOBODY = Person("", "", "")


async def accept(browser: Browser, invitation: Invitation, expect: int = 303, *, name: str = "") -> str:
    """Press the button; returns the page it leads to, after the round trip through Logto."""
    answer = await browser.post(f"{path_of(invitation)}/accept", {"name": name}, expect)
    return await text_of(await browser.follow(answer.headers["Location"]) if expect == 303 else answer)


@pytest.fixture
async def erin(make: Factory) -> Person:
    return await make.person("Erin")


async def test_from_the_message_over_a_new_account_to_the_first_project(
    acme: Acme, open_browser: OpenBrowser, mailbox: Mailbox, sign_up_by_email: None
) -> None:
    address = new_address()
    await acme.invite(address, "editor")
    (page,) = await mailbox.pages_for(address)
    path = page.removeprefix("http://localhost:3000")
    browser = await open_browser()
    await browser.logto.close()
    browser.logto = SignUp(address, mailbox)
    stranger = await text_of(await browser.get(path))
    (sign_up,) = re.findall(r'href="(/sign-up\?next=[^"]+)"', stranger)
    assert await browser.sign_in(_NOBODY, sign_up) == path
    offer = await text_of(await browser.get(path))
    assert "<strong>Ada</strong> invites you to <strong>Acme" in offer
    assert address in offer
    home = await accept(browser, await acme.found(address), name="Nia Newcomer")
    assert "Welcome to the organization." in home
    created = await browser.post(f"/o/{acme.id}/projects/new", {"name": "First", "description": ""})
    assert "First" in await text_of(await browser.get(created.headers["Location"]))


async def test_a_stranger_learns_nothing_and_finds_the_way_in(acme: Acme, open_browser: OpenBrowser) -> None:
    address = new_address()
    invitation = await acme.invited(address)
    browser = await open_browser()
    page = await text_of(await browser.get(path_of(invitation)))
    unknown = await text_of(await browser.get("/invitations/unknown"))
    assert page == unknown.replace("unknown", invitation.id)
    for secret in (address, "Acme", "Ada", "viewer", acme.id):
        assert secret not in page
    for way in ("/sign-in", "/sign-up"):
        assert f'href="{way}?next=%2Finvitations%2F{invitation.id}"' in page
    posted = await browser.post(f"{path_of(invitation)}/accept")
    assert posted.headers["Location"].startswith("/sign-in?")


async def test_the_wrong_person_cannot_tell_it_from_no_invitation(
    acme: Acme, make: Factory, open_browser: OpenBrowser, erin: Person, runtime: Runtime
) -> None:
    invitation = await acme.invited(address_of(erin), "editor")
    other = await make.person("Otto")
    browser = await open_browser(other)
    pages = []
    for identifier in (invitation.id, "unknown", "no id!"):
        shown = await text_of(await browser.get(f"/invitations/{identifier}", 404))
        posted = await text_of(await browser.post(f"/invitations/{identifier}/accept", expect=404))
        assert shown == posted
        pages.append(shown)
    assert len(set(pages)) == 1
    assert address_of(other) in pages[0]
    assert "for another address, or the link is incomplete" in pages[0]
    for secret in (address_of(erin), "Acme", "Ada", "editor"):
        assert secret not in pages[0]
    assert (await acme.found(address_of(erin))).status == "Pending"
    assert await actions_of(runtime, acme.id) == ["invitation.create"]


async def test_an_account_without_an_address_is_told_what_it_lacks(
    acme: Acme, make: Factory, open_browser: OpenBrowser, erin: Person
) -> None:
    invitation = await acme.invited(address_of(erin))
    await make.management._transport.call("PATCH", f"/users/{erin.id}", body={"primaryEmail": ""})
    page = await text_of(await (await open_browser(erin)).get(path_of(invitation), 404))
    assert "Your account has no email address" in page


async def test_the_address_is_that_of_the_account_now_in_any_case(
    acme: Acme, make: Factory, open_browser: OpenBrowser, erin: Person
) -> None:
    browser = await open_browser(erin)
    moved = new_address()
    invitation = await acme.invited(moved)
    await browser.get(path_of(invitation), 404)
    await make.management._transport.call("PATCH", f"/users/{erin.id}", body={"primaryEmail": moved.title()})
    assert "Accept invitation" in await text_of(await browser.get(path_of(invitation)))
    await accept(browser, invitation)
    assert await make.management.find_member_roles(acme.id, erin.id) == {"viewer"}


async def test_accepting_works_at_once_and_stands_in_the_organizations_trail(
    acme: Acme, open_browser: OpenBrowser, erin: Person, runtime: Runtime
) -> None:
    browser = await open_browser(erin)
    await browser.get(f"/o/{acme.id}/", 404)
    invitation = await acme.invited(address_of(erin), "viewer", "editor")
    home = await accept(browser, invitation)
    assert f'data-organization="{acme.id}"' in home
    assert f"/o/{acme.id}/projects/new" in home
    await browser.get(f"/o/{acme.id}/projects")
    created, accepted = await changes_of(runtime, acme.id)
    assert (accepted.action, accepted.actor_id) == ("invitation.accept", erin.id)
    assert accepted.target_id == created.target_id == address_of(erin)
    assert accepted.after == {"state": "accepted", "roles": ["editor", "viewer"], "invitation": invitation.id}
    assert await pending_in(runtime, acme.id) == []
    listed = await text_of(await acme.browser.get(f"{acme.root}?state=accepted"))
    assert address_of(erin) in listed


async def test_accepting_twice_or_at_the_same_time_is_accepting_once(
    acme: Acme, open_browser: OpenBrowser, erin: Person, runtime: Runtime
) -> None:
    invitation = await acme.invited(address_of(erin))
    browsers = [await open_browser(erin) for _ in range(2)]
    answers = await asyncio.gather(*(one.post(f"{path_of(invitation)}/accept") for one in browsers))
    assert {answer.headers["Location"] for answer in answers} == {f"/sign-in/renew?next=/o/{acme.id}/"}
    assert await actions_of(runtime, acme.id) == [
        "invitation.create",
        "invitation.accept",
    ]
    page = await text_of(await browsers[0].get(path_of(invitation)))
    assert "You have already accepted" in page
    assert f'href="/o/{acme.id}/"' in page
    assert "Accept invitation" not in page


async def test_a_revoked_invitation_says_so_and_what_to_do(
    acme: Acme, open_browser: OpenBrowser, erin: Person, runtime: Runtime
) -> None:
    invitation = await acme.invited(address_of(erin))
    browser = await open_browser(erin)
    assert "Accept invitation" in await text_of(await browser.get(path_of(invitation)))
    await acme.browser.post(f"{acme.root}/{invitation.id}/revoke")
    for page in (
        await text_of(await browser.get(path_of(invitation))),
        await accept(browser, invitation, expect=409),
    ):
        assert "This invitation has been revoked" in page
        assert "Ask Ada for a new one." in page
        assert "Accept invitation" not in page
    await browser.get(f"/o/{acme.id}/", 404)
    assert (await actions_of(runtime, acme.id))[-1] == "invitation.revoke"


async def test_an_expired_invitation_says_so_and_what_to_do(
    acme: Acme, open_browser: OpenBrowser, erin: Person
) -> None:
    browser = await open_browser(erin)
    invitation = await acme.lasting(address_of(erin), 1.0)
    await asyncio.sleep(
        max(0.0, invitation.expires_at / 1000 - time.time() + 0.01)
    )  # it expires by the clock
    for page in (
        await text_of(await browser.get(path_of(invitation))),
        await accept(browser, invitation, expect=409),
    ):
        assert "This invitation has expired" in page
        assert "Ask an admin of Acme" in page
        assert "Accept invitation" not in page
    await browser.get(f"/o/{acme.id}/", 404)
    listed = await text_of(await acme.browser.get(f"{acme.root}?state=expired"))
    assert address_of(erin) in listed
    await acme.browser.post(f"{acme.root}/{invitation.id}/resend", expect=409)


async def test_an_invitation_another_account_used_says_so(
    acme: Acme, make: Factory, open_browser: OpenBrowser, erin: Person
) -> None:
    shared = address_of(erin)
    invitation = await acme.invited(shared)
    await accept(await open_browser(erin), invitation)
    for person, address in ((erin, new_address()), (heir := await make.person("Heir"), shared)):
        await make.management._transport.call("PATCH", f"/users/{person.id}", body={"primaryEmail": address})
    browser = await open_browser(heir)
    page = await text_of(await browser.get(path_of(invitation)))
    assert "This invitation has already been used" in page
    await accept(browser, invitation, expect=409)
    assert await make.management.find_member_roles(acme.id, heir.id) is None


async def test_an_invitation_of_a_deleted_organization_is_no_invitation(
    make: Factory, open_browser: OpenBrowser, erin: Person
) -> None:
    gone = await new_acme(make, open_browser)
    invitation = await gone.invited(address_of(erin))
    await make.management.delete_organization(gone.id)
    browser = await open_browser(erin)
    await browser.get(path_of(invitation), 404)
    await accept(browser, invitation, expect=404)


async def test_the_roles_are_the_invitations_even_when_the_inviter_is_gone(
    acme: Acme, make: Factory, open_browser: OpenBrowser, erin: Person
) -> None:
    leaving = await make.person("Lee")
    await join_as(make, acme.id, leaving, "admin")
    invitation_by_lee = await open_browser(leaving)
    await acme.invite(address_of(erin), "editor", by=invitation_by_lee)
    await make.management.remove_member(acme.id, leaving.id)
    assert "by Lee" in await text_of(await acme.browser.get(acme.root))
    await accept(await open_browser(erin), await acme.found(address_of(erin)))
    assert await make.management.find_member_roles(acme.id, erin.id) == {"editor"}


async def test_a_members_second_invitation_adds_its_roles(
    acme: Acme, make: Factory, open_browser: OpenBrowser, erin: Person
) -> None:
    invitation = await acme.invited(address_of(erin), "editor")
    await join_as(make, acme.id, erin, "viewer")
    await accept(await open_browser(erin), invitation)
    assert await make.management.find_member_roles(acme.id, erin.id) == {"editor", "viewer"}


async def test_ones_organizations_mention_what_waits_for_ones_verified_address(
    acme: Acme, open_browser: OpenBrowser, erin: Person
) -> None:
    browser = await open_browser(erin)
    assert "Pending invitations" not in await text_of(await browser.get("/o"))
    invitation = await acme.invited(address_of(erin), "editor")
    page = await text_of(await browser.get("/o"))
    assert "Pending invitations" in page
    assert f'href="{path_of(invitation)}"' in page
    assert "Pending invitations" not in await text_of(await acme.browser.get("/o"))
    assert "Pending invitations" not in await text_of(await browser.get("/o?q=a"))
    await acme.browser.post(f"{acme.root}/{invitation.id}/revoke")
    assert "Pending invitations" not in await text_of(await browser.get("/o"))
