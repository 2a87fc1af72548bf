"""What people try with an emailed link that is not theirs, or that they have changed."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from saas_app.runtime import Runtime
from tests.clients import Browser, Person
from tests.conftest import OpenBrowser
from tests.factories import Factory, address_of, new_address
from tests.integration.invitations.conftest import Acme, Email, asked_of_logto, opened
from tests.integration.invitations.test_link import BUTTON, SPENT, Guest, guest, stored_for, tokens_for
from tests.integration.mail import Mailbox

__all__ = ["guest"]  # a fixture


@pytest.fixture
async def mallory(make: Factory) -> Person:
    """A person to whom a link was forwarded."""
    return await make.person("Mallory")


@pytest.fixture
async def forwarded_to(mallory: Person, open_browser: OpenBrowser) -> Browser:
    """The browser of that person, who is signed in here and at Logto."""
    return await open_browser(mallory)


# --- a link forwarded to another person


async def test_the_holder_of_a_forwarded_link_sees_whose_it_is_and_nothing_else(
    guest: Guest, forwarded_to: Browser, mallory: Person
) -> None:
    page = await forwarded_to.text(guest.email.link, 404)

    assert "This invitation is for another address" in page
    assert address_of(mallory) in page
    assert f"{BUTTON} {guest.address}" in re.sub("[\u2068\u2069]", "", page)
    for secret in ("Acme", "Ada", "editor"):
        assert secret not in page


async def test_the_holder_of_a_forwarded_link_cannot_join_with_their_own_account(
    guest: Guest, acme: Acme, forwarded_to: Browser, mallory: Person
) -> None:
    for form in ({}, {"mail": guest.email.proof}, {"name": "Mallory"}):
        await forwarded_to.post(f"{guest.email.path}/accept", form, 404)

    assert (await acme.found(guest.address)).status == "Pending"
    assert await acme.management.find_member_roles(acme.id, mallory.id) is None


async def test_the_holder_of_a_forwarded_link_can_only_become_the_invited_person(
    guest: Guest, acme: Acme, forwarded_to: Browser, mallory: Person
) -> None:
    await guest.email.sign_in(forwarded_to)

    account = await forwarded_to.text("/account")
    assert guest.address in account
    assert address_of(mallory) not in account
    await forwarded_to.post(f"{guest.email.path}/accept")
    assert await acme.management.find_member_roles(acme.id, mallory.id) is None
    assert await acme.management.find_member_roles(acme.id, guest.person.id) == {"editor"}


async def test_a_forwarded_link_that_is_spent_offers_no_way_into_the_account(
    guest: Guest, forwarded_to: Browser
) -> None:
    await guest.email.press(guest.browser)

    page = await forwarded_to.text(guest.email.link, 404)

    assert BUTTON not in page
    assert "sign out, open the link again and sign in with it" in page


# --- proofs that are not genuine


@pytest.mark.parametrize("change", ["first letter", "last letter", "cut", "reversed", "not ASCII"])
async def test_an_altered_proof_is_no_proof(guest: Guest, acme: Acme, runtime: Runtime, change: str) -> None:
    proof = guest.email.proof
    altered = {
        "first letter": f"{'A' if proof[0] != 'A' else 'B'}{proof[1:]}",
        "last letter": f"{proof[:-4]}{'A' if proof[-4] != 'A' else 'B'}{proof[-3:]}",
        "cut": proof[:-8],
        "reversed": proof[::-1],
        "not ASCII": f"{proof[:-8]}…",
    }[change]

    email = replace(guest.email, proof=altered)
    assert guest.address not in await guest.browser.text(email.link)
    asked = asked_of_logto(await email.press(guest.browser))

    assert not {"login_hint", "one_time_token", "organization_id"} & set(asked)
    assert await tokens_for(acme.management, guest.address) == []
    ((_, _end, used),) = await stored_for(runtime, acme)
    assert used is None


async def test_the_proof_of_another_invitation_opens_only_that_one(
    guest: Guest, acme: Acme, mailbox: Mailbox
) -> None:
    other = new_address()
    await acme.invite(other, "viewer")
    mixed = Email((await opened(mailbox, other)).path, guest.email.proof)

    asked = asked_of_logto(await mixed.press(guest.browser))

    assert not {"login_hint", "one_time_token"} & set(asked)
    for address in (other, guest.address):
        assert await tokens_for(acme.management, address) == []


@pytest.mark.parametrize("stored", [[], ["organization", "another secret"], ["organization"], [1, 2, 3]])
async def test_a_proof_without_the_stored_secret_does_not_sign_in(
    guest: Guest, acme: Acme, runtime: Runtime, stored: list[object]
) -> None:
    """Links of earlier releases had no secret. They still name the address, so that it gets a new link."""
    invitation = await acme.found(guest.address)
    own = [acme.id if part == "organization" else part for part in stored]
    sealed = json.dumps(["an invitation's message", invitation.id, guest.address, *own])
    email = replace(guest.email, proof=runtime.invitation_links.vault.seal(sealed).decode())
    is_proof = len(stored) in (0, 2)

    answer = await email.press(guest.browser, expect=409 if is_proof else 303)

    assert (SPENT in answer) is is_proof
    assert ("Send me a new link" in answer) is is_proof
    assert await tokens_for(acme.management, guest.address) == []


async def test_a_sealed_value_of_another_kind_is_no_proof(guest: Guest, runtime: Runtime) -> None:
    for text in ("5", "null", "{}", '"text"', "not JSON"):
        email = replace(guest.email, proof=runtime.vault.seal(text).decode())
        assert "one_time_token" not in asked_of_logto(await email.press(guest.browser))


async def test_a_link_of_another_organization_stays_there(guest: Guest, acme: Acme, runtime: Runtime) -> None:
    """The organization is part of the proof, so it cannot be exchanged without the seal."""
    invitation = await acme.found(guest.address)
    sealed = json.dumps(["an invitation's message", invitation.id, guest.address, "elsewhere", "secret"])
    email = replace(guest.email, proof=runtime.invitation_links.vault.seal(sealed).decode())

    assert SPENT in await email.press(guest.browser, expect=409)


# --- other sites


@pytest.mark.parametrize("action", ["begin", "link"])
@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.test"}, {}])
async def test_the_button_works_only_on_our_own_page(
    guest: Guest, mailbox: Mailbox, action: str, headers: dict[str, str]
) -> None:
    answer = await guest.browser.app.post(
        f"{guest.email.path}/{action}", form={"mail": guest.email.proof}, headers=headers
    )

    assert answer.status_code == 403
    assert len(await mailbox.links_for(guest.address)) == 1
    await guest.email.press(guest.browser)


async def test_the_button_takes_the_proof_from_the_form_only(guest: Guest, acme: Acme) -> None:
    in_address = guest.email.link.replace("?", "/begin?")

    answer = await guest.browser.post(in_address)

    assert "one_time_token" not in asked_of_logto(answer.headers["Location"])
    assert await tokens_for(acme.management, guest.address) == []


# --- what is left behind


async def test_neither_the_proof_nor_the_token_is_logged_or_stored(
    guest: Guest, acme: Acme, runtime: Runtime, capfd: pytest.CaptureFixture[str]
) -> None:
    await guest.page()
    token = asked_of_logto(await guest.email.press(guest.browser))["one_time_token"]
    await guest.email.press(guest.browser, expect=409)
    await guest.email.ask_again(guest.browser)

    logged = capfd.readouterr()
    opened_proof = runtime.invitation_links.vault.find(guest.email.proof) or ""
    secret = json.loads(opened_proof)[-1]
    for part in (guest.email.proof, token, secret):
        assert part not in logged.out + logged.err
    stored = str(await stored_for(runtime, acme))
    assert secret not in stored


async def test_the_page_sends_its_address_nowhere_else(guest: Guest) -> None:
    answer = await guest.browser.get(guest.email.link)

    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] == "no-store"
    page = await answer.get_data(as_text=True)
    assert re.findall(r'(?:src|href|action)="(?:https?:)?//[^"]*"', page) == []
