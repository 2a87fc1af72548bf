"""Second factors on the account page: how they are added, renewed, required and removed."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pyotp
import pytest

from local_logto import second_factors
from unit.account_app import Site
from unit.experience_app import PASSWORD
from unit.page_reading import leads_to, text_of


async def enroll(site: Site) -> str:
    """Add an authenticator app and return its secret."""
    found = re.search(r"<code>([A-Z2-7]{32})</code>", await site.page("/account/authenticator-app"))
    assert found
    code = pyotp.TOTP(found[1]).now()
    done = await site.post("/account/authenticator-app", code=code)
    assert leads_to(done) == "/account?notice=totp"
    return found[1]


async def renew_codes(site: Site) -> list[str]:
    """Replace the backup codes and return the new ones."""
    codes = re.findall(r"<code>([0-9a-f]{10})</code>", await site.page("/account/backup-codes"))
    await site.post("/account/backup-codes")
    return codes


async def test_authenticator_app_is_stored_and_turns_second_factors_on(site: Site, proven_alice: str) -> None:
    await site.change_user(proven_alice, logto_config={"mfa": {"enabled": False}})
    secret = await enroll(site)
    user = await site.user(proven_alice)
    assert user["mfa_verifications"][0]["key"] == secret
    assert user["logto_config"]["mfa"]["enabled"] is True


@pytest.mark.usefixtures("proven_alice")
async def test_wrong_code_adds_no_authenticator_app(site: Site) -> None:
    await site.page("/account/authenticator-app")
    wrong = await site.post("/account/authenticator-app", code="wrong")
    assert "That code is incorrect." in await text_of(wrong)


@pytest.mark.usefixtures("proven_alice")
async def test_second_authenticator_app_is_refused(site: Site) -> None:
    await enroll(site)
    assert (await site.get("/account/authenticator-app")).status_code == 422


@pytest.mark.usefixtures("proven_alice")
async def test_backup_codes_need_another_factor(site: Site) -> None:
    assert (await site.get("/account/backup-codes")).status_code == 422


async def test_new_backup_codes_replace_the_old_ones(site: Site, proven_alice: str) -> None:
    await enroll(site)
    first, second = await renew_codes(site), await renew_codes(site)
    stored = (await site.user(proven_alice))["mfa_verifications"]
    assert len(first) == 10
    assert set(first).isdisjoint(second)
    assert [entry["code"] for entry in stored[1]["codes"]] == second
    assert "10 codes remaining" in await site.page("/account")


async def test_backup_codes_are_removed_with_the_authenticator_app(site: Site, proven_alice: str) -> None:
    await enroll(site)
    await renew_codes(site)
    await site.post("/account/authenticator-app/remove")
    assert (await site.user(proven_alice))["mfa_verifications"] == []


@pytest.mark.usefixtures("proven_alice")
async def test_factor_added_here_is_required_at_the_next_sign_in(site: Site) -> None:
    secret = await enroll(site)
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


@pytest.mark.parametrize(
    ("removed", "left"), [(second_factors.TOTP, []), (second_factors.BACKUP_CODE, ["Totp"])]
)
def test_backup_codes_are_never_left_alone(removed: str, left: list[str]) -> None:
    factors = [
        second_factors.totp_factor("A" * 32, 0),
        second_factors.backup_code_factor(["a" * 10], 0),
    ]
    assert [factor["type"] for factor in second_factors.without_factor(factors, removed)] == left
