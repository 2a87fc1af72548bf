"""The account page: how one gets there, what it takes to change something, and what it refuses."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyotp
import pytest
import sqlalchemy as sa
import time_machine
from quart import Quart, Response

from local_logto import second_factors
from local_logto.account.progress import Progress, SentCode
from local_logto.account.proving import prove_code
from local_logto.account.visitor import Visitor
from local_logto.app import create_app
from local_logto.crypto.passwords import hash_password, verify_password
from local_logto.errors import RequestError
from local_logto.experience.sign_in_experience import read_sign_in_experience
from local_logto.messages import list_messages
from local_logto.settings import Settings
from local_logto.settings_rows import SIGN_IN_EXP, read_setting, write_setting
from local_logto.store import Store, new_id, now_ms, users
from local_logto.verification_codes import keep_code

PASSWORD = "Correct-horse-9"
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
ALICE = {"username": "alice", "name": "Alice", "primary_email": "alice@example.test"}


@dataclass
class Browser:
    """A browser that gives cookies back as they came: raw JSON, which the test client's own jar drops."""

    app: Quart
    cookies: dict[str, str] = field(default_factory=dict)

    async def open(self, method: str, path: str, form: Mapping[str, str] | None, site: str) -> Response:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        client = self.app.test_client(use_cookies=False)
        headers = {"Cookie": cookies, "Sec-Fetch-Site": site}
        response = await client.open(path, method=method, headers=headers, form=dict(form) if form else None)
        for line in response.headers.getlist("Set-Cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
            if "expires=Thu, 01 Jan 1970" in line:
                del self.cookies[name]
        return response


@dataclass
class Site:
    """The whole provider, and one browser."""

    app: Quart
    browser: Browser

    @property
    def store(self) -> Store:
        store: Store = self.app.extensions["store"]
        return store

    async def add_user(self, **columns: object) -> str:
        """An account with ``PASSWORD`` unless told otherwise; returns its id."""
        row = {"id": new_id(12), "password_hash": await hash_password(PASSWORD), **ALICE, **columns}
        async with self.store.begin() as connection:
            await connection.execute(users.insert().values(**row, created_at=now_ms(), updated_at=now_ms()))
        return str(row["id"])

    async def user(self, user_id: str) -> Mapping[str, Any]:
        async with self.store.begin() as connection:
            row = await connection.execute(sa.select(users).where(users.c.id == user_id))
            return row.one()._mapping

    async def change_user(self, user_id: str, **values: object) -> None:
        async with self.store.begin() as connection:
            await connection.execute(users.update().where(users.c.id == user_id).values(**values))

    async def configure(self, **values: object) -> None:
        settings = await read_setting(self.store, SIGN_IN_EXP)
        await write_setting(self.store, SIGN_IN_EXP, settings | values)

    async def get(self, path: str) -> Response:
        return await self.browser.open("GET", path, None, "none")

    async def page(self, path: str) -> str:
        response = await self.get(path)
        assert response.status_code == 200, response.headers.get("Location")
        return await text_of(response)

    async def post(self, path: str, /, **form: str) -> Response:
        return await self.browser.open("POST", path, form, "same-origin")

    def in_another_browser(self) -> Site:
        return Site(self.app, Browser(self.app))

    async def sign_in(self, identifier: str = "alice") -> Response:
        """From the account page through its sign-in; returns where that ends."""
        first = leads_to(await self.get("/account"))
        resume = leads_to(await self.post(first, identifier=identifier, password=PASSWORD))
        return await self.get(urlsplit(resume).path)

    async def prove(self) -> None:
        """Show by password who is here."""
        await self.get("/account/verify")
        assert (await self.post("/account/verify/password", password=PASSWORD)).status_code == 303

    async def newest_message(self) -> tuple[str, str, str]:
        message = (await list_messages(self.store))[0]
        return message.recipient, message.usage, str(message.code)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    app = create_app(Settings(data_dir=tmp_path))
    async with app.test_app():
        site = Site(app, Browser(app))
        await site.configure(mfa={"factors": ["Totp", "BackupCode"], "policy": "NoPrompt"})
        yield site


async def text_of(response: Response) -> str:
    return (await response.get_data(as_text=True)) or ""


def leads_to(response: Response) -> str:
    assert response.status_code == 303, response.status_code
    return str(response.headers["Location"])


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


async def test_protection_is_changed_only_after_a_fresh_proof(site: Site) -> None:
    user_id = await site.add_user(identities={"naver": {"userId": "n1"}})
    await site.sign_in()
    before = await site.user(user_id)
    for path in PROTECTED:
        for response in (
            await site.get(f"/account/{path}"),
            await site.post(
                f"/account/{path}", identifier="other", password="Another-horse-9", code="000000"
            ),
        ):
            assert leads_to(response) == "/account/verify", path
    assert await site.user(user_id) == before
    shown = await site.post("/account/verify/password", password=PASSWORD)
    assert leads_to(shown) == f"/account/{PROTECTED[-1]}"


async def test_proof_lasts_ten_minutes(site: Site) -> None:
    await site.add_user()
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        await site.sign_in()
        await site.prove()
        clock.shift(timedelta(minutes=10, seconds=-1))
        assert (await site.get("/account/username")).status_code == 200
        clock.shift(timedelta(seconds=1))
        assert leads_to(await site.get("/account/username")) == "/account/verify"


async def test_wrong_password_proves_nothing_and_guesses_lock(site: Site) -> None:
    await site.add_user()
    await site.sign_in()
    await site.configure(sentinelPolicy={"maxAttempts": 2, "lockoutDuration": 10})
    wrong = await site.post("/account/verify/password", password="wrong")
    assert wrong.status_code == 422
    assert (await site.post("/account/verify/password", password="wrong")).status_code == 400
    locked = await site.post("/account/verify/password", password=PASSWORD)
    assert "Too many attempts" in await text_of(locked)
    assert leads_to(await site.get("/account/password")) == "/account/verify"


async def test_proof_by_code_to_the_account_s_address(site: Site) -> None:
    await site.add_user()
    await site.sign_in()
    await site.get("/account/password")
    assert "Verify your password" in await site.page("/account/verify")
    assert leads_to(await site.post("/account/verify/email")) == "/account/verify/email"
    recipient, usage, code = await site.newest_message()
    assert (recipient, usage) == ("alice@example.test", "UserPermissionValidation")
    assert (await site.post("/account/verify/email", code="x")).status_code == 400
    assert leads_to(await site.post("/account/verify/email", code=code)) == "/account/password"


async def test_proof_in_one_browser_counts_in_no_other(site: Site) -> None:
    await site.add_user()
    await site.sign_in()
    await site.prove()
    other = site.in_another_browser()
    await other.sign_in()
    assert leads_to(await other.get("/account/password")) == "/account/verify"


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
    assert (await site.post("/account/password", password="short")).status_code == 422
    same = await site.post("/account/password", password=PASSWORD)
    assert "must differ" in await text_of(same)
    assert leads_to(await site.post("/account/password", password="Plover-reed-77")) == (
        "/account?notice=password"
    )
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


async def test_code_of_a_known_address_takes_no_new_one(site: Site) -> None:
    user_id = await site.add_user()
    await site.sign_in()
    await site.prove()
    await site.post("/account/verify/email")
    _, _, code = await site.newest_message()
    refused = await site.post("/account/email/verification-code", code=code)
    assert leads_to(refused) == "/account/email"
    assert (await site.user(user_id))["primary_email"] == "alice@example.test"


async def test_code_of_a_new_address_proves_nobody(site: Site) -> None:
    user_id = await site.add_user()
    await keep_code(site.store, "v1", "email", "new@example.test", "123456")
    sent = Progress(code=SentCode("v1", "bind", "email", "new@example.test"))
    async with site.store.begin() as connection:
        user = (await connection.execute(sa.select(users).where(users.c.id == user_id))).mappings().one()
    visitor = Visitor(site.store, await read_sign_in_experience(site.store), "session", user, sent)
    with pytest.raises(RequestError, match=r"verification_code\.not_found"):
        await prove_code(visitor, "123456")
    assert not visitor.progress.is_proved


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


async def test_phone_is_shown_as_people_write_it(site: Site) -> None:
    user_id = await site.add_user()
    await site.sign_in()
    await site.prove()
    await site.post("/account/phone", identifier="+44 7700 900123")
    _, _, code = await site.newest_message()
    await site.post("/account/phone/verification-code", code=code)
    assert (await site.user(user_id))["primary_phone"] == "447700900123"
    assert "+447700900123" in await site.page("/account")


async def enrol(site: Site) -> str:
    """An authenticator app; returns its secret."""
    found = re.search(r"<code>([A-Z2-7]{32})</code>", await site.page("/account/authenticator-app"))
    assert found
    code = pyotp.TOTP(found[1]).now()
    done = await site.post("/account/authenticator-app", code=code)
    assert leads_to(done) == "/account?notice=totp"
    return found[1]


async def test_authenticator_app_is_added_renewed_with_codes_and_removed_with_them(site: Site) -> None:
    user_id = await site.add_user(logto_config={"mfa": {"enabled": False}})
    await site.sign_in()
    await site.prove()
    assert (await site.get("/account/backup-codes")).status_code == 422
    wrong = await site.post("/account/authenticator-app", code="wrong")
    assert "Invalid TOTP code." in await text_of(wrong)
    secret = await enrol(site)
    user = await site.user(user_id)
    assert user["mfa_verifications"][0]["key"] == secret
    assert user["logto_config"]["mfa"]["enabled"] is True
    assert (await site.get("/account/authenticator-app")).status_code == 422
    first = re.findall(r"<code>([0-9a-f]{10})</code>", await site.page("/account/backup-codes"))
    await site.post("/account/backup-codes")
    second = re.findall(r"<code>([0-9a-f]{10})</code>", await site.page("/account/backup-codes"))
    await site.post("/account/backup-codes")
    kept = (await site.user(user_id))["mfa_verifications"]
    assert len(first) == 10
    assert [entry["code"] for entry in kept[1]["codes"]] == second
    assert set(first).isdisjoint(second)
    assert "10 codes remaining" in await site.page("/account")
    await site.post("/account/authenticator-app/remove")
    assert (await site.user(user_id))["mfa_verifications"] == []


async def test_factor_enrolled_here_is_asked_for_at_the_next_sign_in(site: Site) -> None:
    await site.add_user()
    await site.sign_in()
    await site.prove()
    secret = await enrol(site)
    other = site.in_another_browser()
    first = leads_to(await other.get("/account"))
    asked = leads_to(await other.post(first, identifier="alice", password=PASSWORD))
    assert asked == "/mfa-verification/Totp?app_id=account-center"
    assert "_session" not in other.browser.cookies
    code = pyotp.TOTP(secret).now()
    resume = leads_to(await other.post("/mfa-verification/Totp", code=code))
    assert urlsplit(leads_to(await other.get(urlsplit(resume).path))).path == "/account"


async def test_factor_that_is_not_enabled_is_not_offered(site: Site) -> None:
    await site.configure(mfa={"factors": [], "policy": "NoPrompt"})
    await site.add_user()
    await site.sign_in()
    await site.prove()
    assert "/account/authenticator-app" not in await site.page("/account")
    refused = await site.get("/account/authenticator-app")
    assert refused.status_code == 400


async def test_linked_identity_is_removed_but_never_the_only_way_in(site: Site) -> None:
    identities = {"naver": {"userId": "n1", "details": {"email": "a@naver.test"}}}
    user_id = await site.add_user(identities=identities)
    await site.sign_in()
    await site.prove()
    assert "a@naver.test" in await site.page("/account")
    bare = {"username": None, "primary_email": None}
    await site.change_user(user_id, **bare)
    refused = await site.post("/account/identities/naver/remove")
    assert "without a way to sign in" in await text_of(refused)
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


def test_backup_codes_do_not_stay_behind_alone() -> None:
    factors = [
        second_factors.totp_factor("A" * 32, 0),
        second_factors.backup_code_factor(["a" * 10], 0),
    ]
    assert second_factors.without_factor(factors, second_factors.TOTP) == []
    kept = second_factors.without_factor(factors, second_factors.BACKUP_CODE)
    assert [factor["type"] for factor in kept] == ["Totp"]
