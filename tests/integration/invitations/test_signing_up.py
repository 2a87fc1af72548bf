"""Invited people sign up with the invited address and enter their name."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from saas_app.identity.vault import Vault
from saas_app.logto import ManagementClient
from saas_app.runtime import Runtime
from tests.clients import Browser
from tests.conftest import OpenBrowser
from tests.factories import new_address
from tests.integration.invitations.conftest import (
    Acme,
    Email,
    asked_of_logto,
    opened,
    path_of,
)
from tests.integration.mail import NOBODY, Mailbox, TokenSignUp
from tests.served import APP_URL


@dataclass(frozen=True, slots=True)
class Invited:
    """A person without an account who opens the message of an invitation."""

    address: str
    email: Email
    browser: Browser

    @property
    def path(self) -> str:
        """The path of the invitation."""
        return self.email.path

    async def sign_up(self, *profile: dict[str, str]) -> None:
        """Sign up at Logto, which also asks for the profile, and come back."""
        await self.browser.forget_logto(TokenSignUp(list(profile)))
        await self.browser.come_back(await self.email.press(self.browser), NOBODY)


@pytest.fixture
async def invited(acme: Acme, open_browser: OpenBrowser, mailbox: Mailbox) -> Invited:
    address = new_address()
    await acme.invite(address, "editor")
    return Invited(address, await opened(mailbox, address), await open_browser())


async def test_the_message_leads_to_a_page_that_offers_the_invited_address(invited: Invited) -> None:
    page = await invited.browser.text(invited.email.link)
    assert f"Continue with {invited.address}" in page
    assert "Acme" not in page


@pytest.mark.usefixtures("sign_up_by_email")
async def test_an_invited_person_signs_up_with_the_invited_address(
    invited: Invited, management: ManagementClient
) -> None:
    await invited.sign_up()

    user = await management.find_user_by_email(invited.address)
    assert user is not None
    assert user.name is None
    assert 'name="name"' in await invited.browser.text(invited.path)


@pytest.mark.usefixtures("sign_up_by_email")
async def test_a_new_person_must_enter_a_name_to_accept(invited: Invited) -> None:
    await invited.sign_up()
    accept = f"{invited.path}/accept"
    for missing in ({}, {"name": "  \t "}):
        assert "Enter your name." in await invited.browser.submit(accept, missing, 422)
    await invited.browser.post(accept, {"name": "x" * 129}, 422)


@pytest.mark.usefixtures("sign_up_by_email")
async def test_a_new_person_joins_under_the_name_that_they_enter(invited: Invited, acme: Acme) -> None:
    await invited.sign_up()

    await invited.browser.post(f"{invited.path}/accept", {"name": "  Nia Newcomer "})

    user = await acme.management.find_user_by_email(invited.address)
    assert user is not None
    assert user.name == "Nia Newcomer"
    assert (await acme.management.find_member_roles(acme.id, user.id)) == {"editor"}
    assert "Nia Newcomer" in await acme.browser.text(f"{acme.root}/members")


async def test_where_logto_also_asks_for_a_username_the_invited_address_stays(
    invited: Invited, management: ManagementClient
) -> None:
    username = re.sub(r"\W", "_", invited.address.partition("@")[0])

    await invited.sign_up(
        {"type": "username", "value": username}, {"type": "password", "value": "Workroom-test-1"}
    )

    user = await management.find_user_by_email(invited.address)
    assert user is not None
    assert user.username == username


@pytest.mark.parametrize("forged", ["", "nonsense", "of another invitation", "of another purpose"])
async def test_without_the_proof_in_the_message_no_address_is_shown_or_filled_in(
    acme: Acme, open_browser: OpenBrowser, mailbox: Mailbox, runtime: Runtime, forged: str
) -> None:
    address, other = new_address(), new_address()
    invitation = await acme.invited(address, "viewer")
    await acme.invite(other, "viewer")
    if forged == "of another invitation":
        forged = (await opened(mailbox, other)).proof
    elif forged == "of another purpose":
        vault: Vault = runtime.invitation_links.vault
        forged = vault.seal(f'["something else", "{invitation.id}", "{address}"]').decode()
    browser = await open_browser()
    page = await browser.text(f"{path_of(invitation)}?mail={forged}")
    assert address not in page
    asked = asked_of_logto(await Email(path_of(invitation), forged).press(browser))
    assert not {"login_hint", "one_time_token"} & set(asked)


async def test_the_link_that_an_admin_sees_contains_no_proof(acme: Acme) -> None:
    address = new_address()
    page = await acme.invite(address, "viewer")
    shown = re.findall(rf"{APP_URL}/invitations/[^\"<\s]+", page)
    assert shown
    assert not any("mail=" in link for link in shown)
