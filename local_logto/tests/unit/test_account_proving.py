"""The proof that the account page requires before security settings are changed."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from local_logto.account.progress import Progress, SentCode
from local_logto.account.proving import prove_code
from local_logto.account.visitor import Visitor
from local_logto.errors import RequestError
from local_logto.experience.sign_in_experience import read_sign_in_experience
from local_logto.tables import users
from local_logto.verification_codes import store_code
from unit.account_app import Site
from unit.experience_app import PASSWORD
from unit.page_reading import leads_to, text_of

PROTECTED = (
    "username",
    "password",
    "email",
    "email/verification-code",
    "phone",
    "authenticator-app",
    "backup-codes",
    "authenticator-app/remove",
    "identities/naver/remove",
)


@pytest.mark.parametrize("path", PROTECTED)
async def test_protected_page_is_closed_without_a_proof(site: Site, alice: str, path: str) -> None:
    await site.change_user(alice, identities={"naver": {"userId": "n1"}})
    before = await site.user(alice)
    assert leads_to(await site.get(f"/account/{path}")) == "/account/verify"
    form = {"identifier": "other", "password": "Another-horse-9", "code": "000000"}
    assert leads_to(await site.post(f"/account/{path}", **form)) == "/account/verify"
    assert await site.user(alice) == before


@pytest.mark.usefixtures("alice")
async def test_proof_leads_to_the_page_that_required_it(site: Site) -> None:
    await site.get("/account/username")
    proved = await site.post("/account/verify/password", password=PASSWORD)
    assert leads_to(proved) == "/account/username"


async def test_proof_lasts_ten_minutes(clock: time_machine.Traveller, site: Site, proven_alice: str) -> None:
    clock.shift(timedelta(minutes=10, seconds=-1))
    assert (await site.get("/account/username")).status_code == 200
    clock.shift(timedelta(seconds=1))
    assert leads_to(await site.get("/account/username")) == "/account/verify"


@pytest.mark.usefixtures("alice")
async def test_wrong_passwords_prove_nothing_and_lock_the_right_one_out(site: Site) -> None:
    await site.configure(sentinelPolicy={"maxAttempts": 2, "lockoutDuration": 10})
    wrong = await site.post("/account/verify/password", password="wrong")
    assert wrong.status_code == 422
    assert (await site.post("/account/verify/password", password="wrong")).status_code == 400
    locked = await site.post("/account/verify/password", password=PASSWORD)
    assert "Too many attempts" in await text_of(locked)
    assert leads_to(await site.get("/account/password")) == "/account/verify"


async def test_code_to_the_accounts_address_is_a_proof(site: Site, alice: str) -> None:
    await site.get("/account/password")
    assert "Verify your password" in await site.page("/account/verify")
    assert leads_to(await site.post("/account/verify/email")) == "/account/verify/email"
    recipient, usage, code = await site.newest_message()
    assert (recipient, usage) == ("alice@example.test", "UserPermissionValidation")
    assert (await site.post("/account/verify/email", code="x")).status_code == 400
    assert leads_to(await site.post("/account/verify/email", code=code)) == "/account/password"


@pytest.mark.usefixtures("clock", "alice")
async def test_code_is_not_sent_again_within_a_minute(site: Site) -> None:
    await site.post("/account/verify/email")
    assert 'data-wait="59"' in await site.page("/account/verify/email")
    assert (await site.post("/account/verify/email", resend="1")).status_code == 429


async def test_code_is_sent_again_after_a_minute(
    clock: time_machine.Traveller, site: Site, alice: str
) -> None:
    await site.post("/account/verify/email")
    clock.shift(timedelta(seconds=59))
    again = leads_to(await site.post("/account/verify/email", resend="1"))
    assert "A new code was sent." in await site.page(again)
    _, _, code = await site.newest_message()
    assert leads_to(await site.post("/account/verify/email", code=code)) == "/account"


@pytest.mark.usefixtures("proven_alice")
async def test_proof_counts_only_in_its_own_browser(site: Site) -> None:
    other = site.in_another_browser()
    await other.sign_in()
    assert leads_to(await other.get("/account/password")) == "/account/verify"


async def test_code_that_proves_the_owner_confirms_no_new_address(site: Site, proven_alice: str) -> None:
    await site.post("/account/verify/email")
    _, _, code = await site.newest_message()
    refused = await site.post("/account/email/verification-code", code=code)
    assert leads_to(refused) == "/account/email"
    assert (await site.user(proven_alice))["primary_email"] == "alice@example.test"


async def test_code_that_confirms_a_new_address_proves_nobody(site: Site) -> None:
    user_id = await site.add_user()
    store_code(site.store, "v1", "email", "new@example.test", "123456")
    sent = Progress(code=SentCode("v1", "bind", "email", "new@example.test"))
    with site.store.begin() as connection:
        user = connection.execute(sa.select(users).where(users.c.id == user_id)).mappings().one()
    visitor = Visitor(site.store, read_sign_in_experience(site.store), "session", user, sent)
    with pytest.raises(RequestError, match=r"verification_code\.not_found"):
        await prove_code(visitor, "123456")
    assert not visitor.progress.is_proved
