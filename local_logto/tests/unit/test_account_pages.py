"""The account page: how one gets there, what can be changed, and what it refuses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import time_machine

from local_logto.crypto.passwords import verify_password
from unit.account_app import Site, account_site
from unit.experience_app import PASSWORD
from unit.page_reading import leads_to, text_of


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with account_site(tmp_path) as opened:
        yield opened


async def test_stranger_signs_in_and_comes_back(site: Site) -> None:
    await site.add_user()
    assert leads_to(await site.get("/account")) == "/sign-in?app_id=account-center"
    assert urlsplit(leads_to(await site.sign_in())).path == "/account"
    assert "alice@example.test" in await site.page("/account")


async def test_sign_in_for_the_account_page_gives_no_application_a_code(site: Site) -> None:
    await site.add_user()
    query = "client_id=account-center&response_type=code&redirect_uri=http://localhost/account&scope=openid"
    refused = await site.get(f"/oidc/auth?{query}")
    assert refused.status_code == 400
    assert urlsplit(leads_to(await site.sign_in())).query == ""


async def test_home_page_leads_to_the_account(site: Site) -> None:
    assert 'href="/account"' in await site.page("/")


async def test_name_and_username_are_changed(site: Site) -> None:
    user_id = await site.add_user()
    await site.add_user(username="bob", primary_email=None)
    await site.sign_in()
    assert leads_to(await site.post("/account/name", name="Alice Archer")) == "/account?notice=name"
    await site.prove()
    taken = await site.post("/account/username", identifier="bob")
    assert taken.status_code == 422
    assert "already in use" in await text_of(taken)
    assert (await site.post("/account/username", identifier="1st")).status_code == 422
    await site.post("/account/username", identifier="archer")
    user = await site.user(user_id)
    assert (user["name"], user["username"]) == ("Alice Archer", "archer")


async def test_password_is_changed_by_the_tenant_s_rules(site: Site) -> None:
    user_id = await site.add_user()
    await site.sign_in()
    await site.prove()
    assert (
        await site.post("/account/password", password="short", confirmPassword="short")
    ).status_code == 422
    same = await site.post("/account/password", password=PASSWORD, confirmPassword=PASSWORD)
    assert "must differ" in await text_of(same)
    assert leads_to(
        await site.post("/account/password", password="Plover-reed-77", confirmPassword="Plover-reed-77")
    ) == ("/account?notice=password")
    assert await verify_password((await site.user(user_id))["password_hash"], "Plover-reed-77")


async def test_new_email_is_taken_after_its_code(site: Site) -> None:
    user_id = await site.add_user()
    await site.sign_in()
    await site.prove()
    sent = await site.post("/account/email", identifier="new@example.test")
    assert leads_to(sent) == "/account/email/verification-code"
    recipient, usage, code = await site.newest_message()
    assert (recipient, usage) == ("new@example.test", "BindNewIdentifier")
    assert (await site.post("/account/email/verification-code", code="x")).status_code == 400
    assert (await site.user(user_id))["primary_email"] == "alice@example.test"
    await site.post("/account/email/verification-code", code=code)
    assert (await site.user(user_id))["primary_email"] == "new@example.test"


async def test_address_of_somebody_else_is_told_only_to_who_reads_its_messages(site: Site) -> None:
    await site.add_user()
    await site.add_user(username="bob", primary_email="bob@example.test")
    await site.sign_in()
    await site.prove()
    sent = await site.post("/account/email", identifier="BOB@example.test")
    assert leads_to(sent) == "/account/email/verification-code"
    _, _, code = await site.newest_message()
    taken = await site.post("/account/email/verification-code", code=code)
    assert taken.status_code == 422
    assert "associated with an existing account" in await text_of(taken)


async def test_address_of_the_blocklist_is_refused_before_a_code_is_sent_and_after(site: Site) -> None:
    user_id = await site.add_user()
    await site.sign_in()
    await site.prove()
    await site.post("/account/email", identifier="eve@evil.example")
    _, _, code = await site.newest_message()
    await site.configure(emailBlocklistPolicy={"customBlocklist": ["@evil.example"]})
    assert (await site.post("/account/email/verification-code", code=code)).status_code == 422
    again = await site.post("/account/email", identifier="eve@evil.example")
    assert "is restricted" in await text_of(again)
    assert (await site.user(user_id))["primary_email"] == "alice@example.test"


async def test_code_to_a_new_address_is_sent_again_after_a_minute(site: Site) -> None:
    user_id = await site.add_user()
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        await site.sign_in()
        await site.prove()
        await site.post("/account/email", identifier="new@example.test")
        early = await site.post("/account/email/verification-code", resend="1")
        assert early.status_code == 429
        assert "Wait 59 more seconds to request a new code." in await text_of(early)
        clock.shift(timedelta(seconds=59))
        again = leads_to(await site.post("/account/email/verification-code", resend="1"))
        assert "A new code was sent." in await site.page(again)
        recipient, _, code = await site.newest_message()
        assert recipient == "new@example.test"
        await site.post("/account/email/verification-code", code=code)
    assert (await site.user(user_id))["primary_email"] == "new@example.test"


async def test_phone_is_shown_as_people_write_it(site: Site) -> None:
    user_id = await site.add_user()
    await site.sign_in()
    await site.prove()
    await site.post("/account/phone", identifier="+44 7700 900123")
    _, _, code = await site.newest_message()
    await site.post("/account/phone/verification-code", code=code)
    assert (await site.user(user_id))["primary_phone"] == "447700900123"
    assert "+447700900123" in await site.page("/account")


async def test_linked_identity_is_removed_but_never_the_only_way_in(site: Site) -> None:
    identities = {"naver": {"userId": "n1", "details": {"email": "a@naver.test"}}}
    user_id = await site.add_user(identities=identities)
    await site.sign_in()
    await site.prove()
    assert "a@naver.test" in await site.page("/account")
    bare = {"username": None, "primary_email": None}
    await site.change_user(user_id, **bare)
    refused = await site.post("/account/identities/naver/remove")
    assert "at least one way to sign in" in await text_of(refused)
    await site.change_user(user_id, username="alice")
    assert leads_to(await site.post("/account/identities/naver/remove")) == "/account?notice=identity"
    assert (await site.user(user_id))["identities"] == {}


async def test_form_of_another_site_changes_nothing(site: Site) -> None:
    user_id = await site.add_user()
    await site.sign_in()
    foreign = await site.browser.open("POST", "/account/name", {"name": "Mallory"}, "cross-site")
    assert foreign.status_code == 403
    assert (await site.user(user_id))["name"] == "Alice"


async def test_suspended_person_is_stopped_in_the_middle(site: Site) -> None:
    user_id = await site.add_user()
    await site.sign_in()
    await site.change_user(user_id, is_suspended=True)
    stopped = await site.post("/account/name", name="Mallory")
    assert stopped.status_code == 403
    assert (await site.user(user_id))["name"] == "Alice"


async def test_pages_allow_no_foreign_script_and_are_not_kept(site: Site) -> None:
    await site.add_user()
    await site.sign_in()
    response = await site.get("/account")
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self';" in policy
    assert response.headers["Cache-Control"] == "no-store"
    html = await text_of(response)
    assert "style=" not in html
    assert "<script" not in html
