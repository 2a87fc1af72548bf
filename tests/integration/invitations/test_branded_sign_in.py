"""Invited people sign in on pages with the organization's branding, and keep what they may do elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.clients import Browser, Person
from tests.conftest import OpenBrowser
from tests.factories import Factory, address_of, new_address
from tests.integration.invitations.conftest import Acme, Email, Faulty, opened, path_of
from tests.integration.mail import NOBODY, Mailbox, TokenSignUp


@dataclass(frozen=True, slots=True)
class Guest:
    """An invited person who has opened the message, their browser, and another organization of theirs."""

    person: Person
    email: Email
    browser: Browser
    elsewhere: str

    @property
    def path(self) -> str:
        """The path of the invitation."""
        return self.email.path

    async def begin(self) -> str:
        """Press the button of the page, and return the authorization request."""
        return await self.email.press(self.browser)

    async def sign_in(self) -> str:
        """Sign in, and return the path to which the application leads."""
        return await self.email.sign_in(self.browser)


def organization_in(request: str) -> list[str]:
    """Return the organizations that an authorization request names."""
    return parse_qs(urlsplit(request).query).get("organization_id", [])


@pytest.fixture
async def guest(acme: Acme, make: Factory, open_browser: OpenBrowser, mailbox: Mailbox) -> Guest:
    """An editor of another organization who is invited to Acme."""
    person = await make.person("Gus")
    elsewhere = await make.organization("Elsewhere", editor=person)
    await acme.invite(address_of(person), "viewer")
    return Guest(person, await opened(mailbox, address_of(person)), await open_browser(), elsewhere)


async def test_an_invited_member_of_another_organization_signs_in_with_the_branding(
    acme: Acme, guest: Guest
) -> None:
    assert organization_in(await guest.begin()) == [acme.id]


async def test_a_renewal_without_the_organization_follows_once(guest: Guest) -> None:
    renewal = await guest.sign_in()
    assert renewal == f"/sign-in/renew?next={guest.path.replace('/', '%2F')}"

    request = (await guest.browser.get(renewal, 303)).headers["Location"]

    assert organization_in(request) == []
    assert await guest.browser.come_back(request, None) == guest.path


@pytest.fixture
async def arrived(guest: Guest) -> Guest:
    """The guest, who has signed in and sees the invitation."""
    page = await guest.browser.follow(await guest.sign_in())
    assert page.status_code == 200
    return guest


async def test_before_accepting_the_other_organization_is_as_open_as_ever(arrived: Guest) -> None:
    root = f"/o/{arrived.elsewhere}"

    assert "Renew" not in await arrived.browser.text(f"{root}/")
    await arrived.browser.get(f"{root}/projects")
    await arrived.browser.post(f"{root}/projects/new", {"name": "Written at once"}, 303)


async def test_after_accepting_both_organizations_are_open_without_another_round_trip(
    arrived: Guest, acme: Acme
) -> None:
    accepted = await arrived.browser.post(f"{arrived.path}/accept")
    assert (await arrived.browser.follow(accepted.headers["Location"])).status_code == 200

    for root in (acme.root, f"/o/{arrived.elsewhere}"):
        assert "Renew" not in await arrived.browser.text(f"{root}/")
        await arrived.browser.get(f"{root}/projects")
    await arrived.browser.post(f"/o/{arrived.elsewhere}/projects/new", {"name": "Written"}, 303)
    await arrived.browser.post(f"{acme.root}/projects/new", {"name": "Not as a viewer"}, 403)


@pytest.mark.usefixtures("sign_up_by_email")
async def test_a_new_person_signs_up_accepts_and_enters_without_an_error(
    acme: Acme, open_browser: OpenBrowser, mailbox: Mailbox
) -> None:
    address, browser = new_address(), await open_browser()
    await acme.invite(address, "editor")
    email = await opened(mailbox, address)
    await browser.forget_logto(TokenSignUp([]))
    request = await email.press(browser)
    assert organization_in(request) == [acme.id]

    offer = await browser.follow(await browser.come_back(request, NOBODY))
    accepted = await browser.post(f"{email.path}/accept", {"name": "Nia"})

    assert offer.status_code == 200
    assert (await browser.follow(accepted.headers["Location"])).status_code == 200
    await browser.post(f"{acme.root}/projects/new", {"name": "Mine"}, 303)


async def test_a_failed_sign_in_offers_the_invitation_again(guest: Guest) -> None:
    state = parse_qs(urlsplit(await guest.begin()).query)["state"][0]

    page = await guest.browser.text(f"/callback?state={state}&error=access_denied", 400)

    assert guest.path.replace("/", "%2F") in page


# --- who learns which organization an invitation is for


@pytest.mark.parametrize("proof", ["", "forged"])
async def test_without_the_proof_neither_the_organization_is_named_nor_logto_asked(
    faulty: Faulty, proof: str
) -> None:
    invitation = await faulty.acme.invited(new_address(), "viewer")
    faulty.gate.calls.clear()

    known, unknown = [
        (await faulty.acme.browser.post(f"{path}/begin", {"mail": proof})).headers["Location"]
        for path in (path_of(invitation), "/invitations/nosuchinvitation")
    ]

    assert organization_in(known) == organization_in(unknown) == []
    assert set(parse_qs(urlsplit(known).query)) == set(parse_qs(urlsplit(unknown).query))
    assert faulty.gate.calls == []


async def test_the_proof_of_another_invitation_names_nothing(acme: Acme, guest: Guest) -> None:
    other = await acme.invited(new_address(), "viewer")

    request = await Email(path_of(other), guest.email.proof).press(guest.browser)

    assert organization_in(request) == []


async def test_other_ways_to_sign_in_never_name_an_organization(acme: Acme, guest: Guest) -> None:
    for path in (f"/sign-in?organization_id={acme.id}", f"/sign-up?next={guest.path}"):
        assert organization_in((await guest.browser.get(path, 303)).headers["Location"]) == []
    assert acme.id not in await guest.browser.text(guest.email.link)
    member = await guest.browser.callback(guest.person)
    await guest.browser.get(member, 303)
    renewal = (await guest.browser.get("/sign-in/renew?next=/o", 303)).headers["Location"]
    assert organization_in(renewal) == []
