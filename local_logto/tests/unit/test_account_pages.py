"""The account page: how people get there, what they can change, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import time_machine

from local_logto.crypto.passwords import verify_password
from unit.account_app import Site
from unit.experience_app import PASSWORD
from unit.page_reading import leads_to, text_of

NAVER = {"naver": {"userId": "n1", "details": {"email": "a@naver.test"}}}


async def test_visitor_signs_in_and_returns_to_the_account_page(site: Site) -> None:
    await site.add_user()
    assert leads_to(await site.get("/account")) == "/sign-in?app_id=account-center"
    assert urlsplit(leads_to(await site.sign_in())).path == "/account"
    assert "alice@example.test" in await site.page("/account")


async def test_account_page_is_not_an_application_that_can_request_a_code(site: Site) -> None:
    query = "client_id=account-center&response_type=code&redirect_uri=http://localhost/account&scope=openid"
    assert (await site.get(f"/oidc/auth?{query}")).status_code == 400


async def test_sign_in_for_the_account_page_returns_no_code(site: Site) -> None:
    await site.add_user()
    assert urlsplit(leads_to(await site.sign_in())).query == ""


async def test_home_page_links_to_the_account(site: Site) -> None:
    assert 'href="/account"' in await site.page("/")


async def test_name_is_changed_without_a_proof(site: Site, alice: str) -> None:
    assert leads_to(await site.post("/account/name", name="Alice Archer")) == "/account?notice=name"
    assert (await site.user(alice))["name"] == "Alice Archer"


async def test_username_is_changed(site: Site, proven_alice: str) -> None:
    await site.post("/account/username", identifier="archer")
    assert (await site.user(proven_alice))["username"] == "archer"


@pytest.mark.usefixtures("proven_alice")
async def test_taken_username_is_refused(site: Site) -> None:
    await site.add_user(username="bob", primary_email=None)
    taken = await site.post("/account/username", identifier="bob")
    assert taken.status_code == 422
    assert "already in use" in await text_of(taken)


@pytest.mark.usefixtures("proven_alice")
async def test_malformed_username_is_refused(site: Site) -> None:
    assert (await site.post("/account/username", identifier="1st")).status_code == 422


@pytest.mark.usefixtures("proven_alice")
async def test_password_that_breaks_the_policy_is_refused(site: Site) -> None:
    short = await site.post("/account/password", password="short", confirmPassword="short")
    assert short.status_code == 422


@pytest.mark.usefixtures("proven_alice")
async def test_new_password_must_differ_from_the_old_one(site: Site) -> None:
    same = await site.post("/account/password", password=PASSWORD, confirmPassword=PASSWORD)
    assert "must differ" in await text_of(same)


async def test_password_is_changed(site: Site, proven_alice: str) -> None:
    form = {"password": "Plover-reed-77", "confirmPassword": "Plover-reed-77"}
    assert leads_to(await site.post("/account/password", **form)) == "/account?notice=password"
    assert await verify_password((await site.user(proven_alice))["password_hash"], "Plover-reed-77")


async def test_new_email_address_is_stored_after_its_code_is_typed(site: Site, proven_alice: str) -> None:
    sent = await site.post("/account/email", identifier="new@example.test")
    assert leads_to(sent) == "/account/email/verification-code"
    recipient, usage, code = await site.newest_message()
    assert (recipient, usage) == ("new@example.test", "BindNewIdentifier")
    assert (await site.post("/account/email/verification-code", code="x")).status_code == 400
    assert (await site.user(proven_alice))["primary_email"] == "alice@example.test"
    await site.post("/account/email/verification-code", code=code)
    assert (await site.user(proven_alice))["primary_email"] == "new@example.test"


@pytest.mark.usefixtures("proven_alice")
async def test_taken_address_is_revealed_only_after_its_code(site: Site) -> None:
    await site.add_user(username="bob", primary_email="bob@example.test")
    sent = await site.post("/account/email", identifier="BOB@example.test")
    assert leads_to(sent) == "/account/email/verification-code"
    _, _, code = await site.newest_message()
    taken = await site.post("/account/email/verification-code", code=code)
    assert taken.status_code == 422
    assert "associated with an existing account" in await text_of(taken)


@pytest.mark.usefixtures("proven_alice")
async def test_blocked_address_gets_no_code(site: Site) -> None:
    await site.configure(emailBlocklistPolicy={"customBlocklist": ["@evil.example"]})
    refused = await site.post("/account/email", identifier="eve@evil.example")
    assert "is restricted" in await text_of(refused)


async def test_address_that_was_blocked_after_its_code_was_sent_is_refused(
    site: Site, proven_alice: str
) -> None:
    await site.post("/account/email", identifier="eve@evil.example")
    _, _, code = await site.newest_message()
    await site.configure(emailBlocklistPolicy={"customBlocklist": ["@evil.example"]})
    assert (await site.post("/account/email/verification-code", code=code)).status_code == 422
    assert (await site.user(proven_alice))["primary_email"] == "alice@example.test"


async def test_code_to_a_new_address_is_not_sent_again_within_a_minute(
    clock: time_machine.Traveller, site: Site, proven_alice: str
) -> None:
    await site.post("/account/email", identifier="new@example.test")
    early = await site.post("/account/email/verification-code", resend="1")
    assert early.status_code == 429
    assert "Wait 59 more seconds to request a new code." in await text_of(early)


async def test_code_to_a_new_address_is_sent_again_after_a_minute(
    clock: time_machine.Traveller, site: Site, proven_alice: str
) -> None:
    await site.post("/account/email", identifier="new@example.test")
    clock.shift(timedelta(seconds=59))
    again = leads_to(await site.post("/account/email/verification-code", resend="1"))
    assert "A new code was sent." in await site.page(again)
    recipient, _, code = await site.newest_message()
    assert recipient == "new@example.test"
    await site.post("/account/email/verification-code", code=code)
    assert (await site.user(proven_alice))["primary_email"] == "new@example.test"


async def test_phone_number_is_shown_with_a_plus(site: Site, proven_alice: str) -> None:
    await site.post("/account/phone", identifier="+44 7700 900123")
    _, _, code = await site.newest_message()
    await site.post("/account/phone/verification-code", code=code)
    assert (await site.user(proven_alice))["primary_phone"] == "447700900123"
    assert "+447700900123" in await site.page("/account")


async def test_linked_identity_can_be_removed(site: Site, proven_alice: str) -> None:
    await site.change_user(proven_alice, identities=NAVER)
    assert "a@naver.test" in await site.page("/account")
    assert leads_to(await site.post("/account/identities/naver/remove")) == "/account?notice=identity"
    assert (await site.user(proven_alice))["identities"] == {}


async def test_identity_that_is_the_only_way_to_sign_in_cannot_be_removed(
    site: Site, proven_alice: str
) -> None:
    await site.change_user(proven_alice, identities=NAVER, username=None, primary_email=None)
    refused = await site.post("/account/identities/naver/remove")
    assert "at least one way to sign in" in await text_of(refused)
    assert (await site.user(proven_alice))["identities"] == NAVER


async def test_form_of_another_site_changes_nothing(site: Site, alice: str) -> None:
    foreign = await site.browser.open("POST", "/account/name", {"name": "Mallory"}, "cross-site")
    assert foreign.status_code == 403
    assert (await site.user(alice))["name"] == "Alice"


async def test_person_who_is_suspended_meanwhile_can_change_nothing(site: Site, alice: str) -> None:
    await site.change_user(alice, is_suspended=True)
    stopped = await site.post("/account/name", name="Mallory")
    assert stopped.status_code == 403
    assert (await site.user(alice))["name"] == "Alice"


@pytest.mark.usefixtures("alice")
async def test_pages_allow_no_foreign_scripts_and_are_not_cached(site: Site) -> None:
    response = await site.get("/account")
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self';" in policy
    assert response.headers["Cache-Control"] == "no-store"
    html = await text_of(response)
    assert "style=" not in html
    assert "<script" not in html
