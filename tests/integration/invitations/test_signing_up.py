"""An invited person signs up with the invited address, and says what they are called."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from saas_app.identity.vault import Vault
from saas_app.logto import ManagementClient
from saas_app.runtime import Runtime
from tests.clients import Browser, Person
from tests.conftest import APP_URL, OpenBrowser
from tests.factories import Factory
from tests.integration.invitations.conftest import (
    Acme,
    Fault,
    Faulty,
    Mailbox,
    TokenSignUp,
    address_of,
    new_address,
    path_of,
)
from tests.integration.members.conftest import text_of

_NOBODY = Person("", "", "")


async def open_message(mailbox: Mailbox, address: str) -> tuple[str, str]:
    """Where the newest message's link leads, and the proof in it."""
    parts = urlsplit((await mailbox.links_for(address))[0].removeprefix(APP_URL))
    return parts.path, parse_qs(parts.query)["mail"][0]


async def begin(browser: Browser, path: str, proof: str) -> str:
    """Press the button of the page; returns the authorization request."""
    return (await browser.post(f"{path}/begin", {"mail": proof})).headers["Location"]


async def arrive(browser: Browser, location: str) -> None:
    """Through Logto's pages and back."""
    callback = await browser.logto.authorize(location, _NOBODY, f"{APP_URL}/callback")
    await browser.get(callback.removeprefix(APP_URL), 303)


async def newcomer(open_browser: OpenBrowser, profile: list[dict[str, str]] | None = None) -> Browser:
    browser = await open_browser()
    await browser.logto.close()
    browser.logto = TokenSignUp(profile)
    return browser


@pytest.mark.usefixtures("sign_up_by_email")
async def test_the_message_leads_to_a_sign_up_with_the_invited_address_and_a_name(
    acme: Acme, open_browser: OpenBrowser, mailbox: Mailbox, management: ManagementClient
) -> None:
    address = new_address()
    await acme.invite(address, "editor")
    path, proof = await open_message(mailbox, address)
    browser = await newcomer(open_browser)
    page = await text_of(await browser.get(f"{path}?mail={proof}"))
    assert f"Continue with {address}" in page
    assert "Acme" not in page

    await arrive(browser, await begin(browser, path, proof))

    user = await management.find_user_by_email(address)
    assert user is not None
    assert user.name is None
    offer = await text_of(await browser.get(path))
    assert 'name="name"' in offer
    missing = await text_of(await browser.post(f"{path}/accept", {}, 422))
    assert "Enter your name." in missing
    blank = await text_of(await browser.post(f"{path}/accept", {"name": "  \t "}, 422))
    assert "Enter your name." in blank
    await browser.post(f"{path}/accept", {"name": "x" * 129}, 422)
    await browser.post(f"{path}/accept", {"name": "  Nia Newcomer "})
    user = await management.find_user_by_email(address)
    assert user is not None
    assert user.name == "Nia Newcomer"
    assert (await management.find_member_roles(acme.id, user.id)) == {"editor"}
    members = await text_of(await acme.browser.get(f"/o/{acme.id}/members"))
    assert "Nia Newcomer" in members


async def test_where_sign_up_asks_for_a_username_the_address_is_fixed_all_the_same(
    acme: Acme, open_browser: OpenBrowser, mailbox: Mailbox, management: ManagementClient
) -> None:
    address = new_address()
    await acme.invite(address, "viewer")
    path, proof = await open_message(mailbox, address)
    username = re.sub(r"\W", "_", address.partition("@")[0])
    profile = [{"type": "username", "value": username}, {"type": "password", "value": "Workroom-test-1"}]
    browser = await newcomer(open_browser, profile)
    await arrive(browser, await begin(browser, path, proof))
    user = await management.find_user_by_email(address)
    assert user is not None
    assert user.username == username


async def test_somebody_with_an_account_signs_in_as_always_with_their_address_typed_in(
    acme: Acme, make: Factory, open_browser: OpenBrowser, mailbox: Mailbox
) -> None:
    erin = await make.person("Erin")
    await acme.invite(address_of(erin), "viewer")
    path, proof = await open_message(mailbox, address_of(erin))
    query = parse_qs(urlsplit(await begin(await open_browser(), path, proof)).query)
    assert query["login_hint"] == [address_of(erin)]
    assert "one_time_token" not in query
    offer = await text_of(await (await open_browser(erin)).get(path))
    assert 'name="name"' not in offer


@pytest.mark.parametrize("forged", ["", "nonsense", "of another invitation", "of another purpose"])
async def test_without_the_proof_of_the_message_nothing_is_told_or_proved(
    acme: Acme, open_browser: OpenBrowser, mailbox: Mailbox, runtime: Runtime, forged: str
) -> None:
    address, other = new_address(), new_address()
    invitation = await acme.invited(address, "viewer")
    await acme.invite(other, "viewer")
    if forged == "of another invitation":
        forged = (await open_message(mailbox, other))[1]
    elif forged == "of another purpose":
        vault: Vault = runtime.invitation_links.vault
        forged = vault.seal(f'["something else", "{invitation.id}", "{address}"]').decode()
    browser = await open_browser()
    page = await text_of(await browser.get(f"{path_of(invitation)}?mail={forged}"))
    assert address not in page
    query = parse_qs(urlsplit(await begin(browser, path_of(invitation), forged)).query)
    assert not {"login_hint", "one_time_token"} & set(query)


async def test_the_link_that_an_admin_sees_holds_no_proof(acme: Acme) -> None:
    address = new_address()
    page = await acme.invite(address, "viewer")
    shown = re.findall(r"http://localhost:3000/invitations/[^\"<\s]+", page)
    assert shown
    assert not any("mail=" in link for link in shown)


async def test_a_revoked_invitation_proves_nothing(
    acme: Acme, open_browser: OpenBrowser, mailbox: Mailbox, management: ManagementClient
) -> None:
    address = new_address()
    invitation = await acme.invited(address, "viewer")
    path, proof = await open_message(mailbox, address)
    await management.revoke_invitation(invitation.id)
    query = parse_qs(urlsplit(await begin(await open_browser(), path, proof)).query)
    assert "one_time_token" not in query


async def test_without_one_time_tokens_the_address_is_still_typed_in(
    faulty: Faulty, mailbox: Mailbox, settings: object
) -> None:
    address = new_address()
    await faulty.acme.invite(address, "viewer")
    path, proof = await open_message(mailbox, address)
    faulty.gate.fail(Fault("POST", "/one-time-tokens", 404, {"code": "entity.not_found", "message": "None."}))
    browser = faulty.acme.browser
    query = parse_qs(urlsplit(await begin(browser, path, proof)).query)
    assert query["login_hint"] == [address]
    assert query["first_screen"] == ["register"]
