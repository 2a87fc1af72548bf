"""Second factors on the account page: added, renewed, asked for, taken away."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pyotp
import pytest

from local_logto import second_factors
from unit.account_app import Site, account_site
from unit.experience_app import PASSWORD
from unit.page_reading import leads_to, text_of


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with account_site(tmp_path) as opened:
        yield opened


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
    assert "That code is incorrect." in await text_of(wrong)
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


def test_backup_codes_do_not_stay_behind_alone() -> None:
    factors = [
        second_factors.totp_factor("A" * 32, 0),
        second_factors.backup_code_factor(["a" * 10], 0),
    ]
    assert second_factors.without_factor(factors, second_factors.TOTP) == []
    kept = second_factors.without_factor(factors, second_factors.BACKUP_CODE)
    assert [factor["type"] for factor in kept] == ["Totp"]
