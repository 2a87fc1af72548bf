"""The pages of the second factor: when they open, what they show, and what they refuse."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest
import time_machine
from quart import Response

from local_logto import second_factors
from local_logto.second_factors import Factor, Factors
from local_logto.settings import Settings
from unit.experience_app import PASSWORD, ExperienceApp
from unit.page_reading import leads_to, page, text_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
CODES = [f"{number:010x}" for number in range(10)]
WITH_EMAIL = {
    "password": True,
    "verify": True,
    "secondaryIdentifiers": [{"identifier": "email", "verify": True}],
}
TOTP = second_factors.totp_factor(SECRET, 0)
BACKUP_CODES = second_factors.backup_code_factor(CODES, 0)


async def configure(logto: ExperienceApp, *factors: str, policy: str = "NoPrompt") -> None:
    await logto.configure(mfa={"factors": list(factors), "policy": policy})


async def sign_in(logto: ExperienceApp) -> Response:
    return await logto.post("/sign-in?app_id=client", {"identifier": "alice", "password": PASSWORD})


def secret_on(html: str) -> str:
    found = re.search(r"<code>([A-Z2-7]{32})</code>", html)
    assert found is not None
    return found[1]


async def kinds_of(logto: ExperienceApp, user_id: str) -> list[str]:
    return [factor["type"] for factor in (await logto.user(user_id))["mfa_verifications"]]


@pytest.fixture
async def asked(logto: ExperienceApp) -> str:
    """The id of Alice, who typed her password and needs her authenticator app next."""
    await configure(logto, "Totp")
    user_id = await logto.add_user("alice", mfa_verifications=[TOTP])
    assert leads_to(await sign_in(logto)) == "/mfa-verification/Totp?app_id=client"
    return user_id


@pytest.mark.usefixtures("asked")
async def test_password_alone_does_not_sign_in(logto: ExperienceApp) -> None:
    assert await logto.signed_in_user() is None


@pytest.mark.usefixtures("asked")
async def test_wrong_code_is_explained(logto: ExperienceApp) -> None:
    wrong = await logto.post("/mfa-verification/Totp", {"code": "12"})
    assert wrong.status_code == 400
    assert "That code is incorrect." in await text_of(wrong)


async def test_code_with_a_space_signs_in(logto: ExperienceApp, asked: str) -> None:
    spaced = f"{pyotp.TOTP(SECRET).now()[:3]} {pyotp.TOTP(SECRET).now()[3:]}"
    done = await logto.post("/mfa-verification/Totp", {"code": spaced})
    assert "/oidc/auth/" in leads_to(done)
    assert await logto.signed_in_user() == asked


async def test_other_factors_are_offered(logto: ExperienceApp) -> None:
    await configure(logto, "Totp", "BackupCode")
    user_id = await logto.add_user("alice", mfa_verifications=[TOTP, BACKUP_CODES])
    await sign_in(logto)
    assert "Try another method to verify" in await page(logto, "/mfa-verification/Totp?app_id=client")
    choices = await page(logto, "/mfa-verification?app_id=client")
    assert 'href="/mfa-verification/BackupCode?app_id=client"' in choices
    done = await logto.post("/mfa-verification/BackupCode", {"code": f" {CODES[2].upper()} "})
    assert "/oidc/auth/" in leads_to(done)
    used = (await logto.user(user_id))["mfa_verifications"][1]["codes"]
    assert [("usedAt" in entry) for entry in used].index(True) == 2


async def test_last_backup_code_signs_in(logto: ExperienceApp) -> None:
    await configure(logto, "Totp", "BackupCode")
    await logto.add_user("alice", mfa_verifications=[TOTP, second_factors.backup_code_factor(["a" * 10], 0)])
    await sign_in(logto)
    done = await logto.post("/mfa-verification/BackupCode", {"code": "a" * 10})
    assert "/oidc/auth/" in leads_to(done)


async def test_factor_that_the_account_lacks_cannot_sign_in(logto: ExperienceApp) -> None:
    await configure(logto, "Totp", "BackupCode")
    await logto.add_user("alice", mfa_verifications=[TOTP])
    await sign_in(logto)
    back = await logto.post("/mfa-verification/BackupCode", {"code": CODES[0]})
    assert leads_to(back) == "/mfa-verification/Totp"
    assert await logto.signed_in_user() is None


@pytest.mark.parametrize(
    "path", ["/mfa-verification", "/mfa-verification/Totp", "/mfa-binding/Totp", "/mfa-onboarding"]
)
async def test_pages_redirect_to_the_sign_in_page_before_the_password(
    logto: ExperienceApp, path: str
) -> None:
    await configure(logto, "Totp", policy="Mandatory")
    assert leads_to(await logto.browser.get(path)) == "/sign-in"


async def test_mandatory_factor_is_stored_together_with_its_backup_codes(logto: ExperienceApp) -> None:
    """One flow: nothing is stored before the backup codes are confirmed."""
    await configure(logto, "Totp", "BackupCode", policy="Mandatory")
    user_id = await logto.add_user("alice")
    assert leads_to(await sign_in(logto)) == "/mfa-binding/Totp?app_id=client"
    binding = await page(logto, "/mfa-binding/Totp")
    assert 'name="skip"' not in binding
    secret = secret_on(binding)
    wrong = await logto.post("/mfa-binding/Totp", {"code": "000000x"})
    assert wrong.status_code == 400
    assert secret_on(await text_of(wrong)) == secret
    bound = await logto.post("/mfa-binding/Totp", {"code": pyotp.TOTP(secret).now()})
    assert leads_to(bound) == "/mfa-binding/BackupCode"
    shown = re.findall(r"<code>([0-9a-f]{10})</code>", await page(logto, "/mfa-binding/BackupCode"))
    assert len(set(shown)) == 10
    assert shown == re.findall(r"<code>([0-9a-f]{10})</code>", await page(logto, "/mfa-binding/BackupCode"))
    assert await kinds_of(logto, user_id) == []
    assert "/oidc/auth/" in leads_to(await logto.post("/mfa-binding/BackupCode", {}))
    assert await kinds_of(logto, user_id) == ["Totp", "BackupCode"]
    kept = (await logto.user(user_id))["mfa_verifications"]
    assert (kept[0]["key"], [entry["code"] for entry in kept[1]["codes"]]) == (secret, shown)


async def test_binding_page_has_no_inline_script_and_no_inline_style(logto: ExperienceApp) -> None:
    await configure(logto, "Totp", policy="Mandatory")
    await logto.add_user("alice")
    await sign_in(logto)
    html = await page(logto, "/mfa-binding/Totp")
    assert "<svg" in html
    assert "style=" not in html
    assert "<style" not in html
    assert re.findall(r"<script(?! src=)", html) == []


async def test_accepted_suggestion_can_still_be_skipped(logto: ExperienceApp) -> None:
    """One flow: the suggestion, its page, and skipping it."""
    await configure(logto, "Totp", policy="PromptAtSignInAndSignUp")
    user_id = await logto.add_user("alice")
    assert leads_to(await sign_in(logto)) == "/mfa-onboarding?app_id=client"
    assert "Turn on 2-step verification" in await page(logto, "/mfa-onboarding")
    enabled = await logto.post("/mfa-onboarding", {})
    assert leads_to(enabled) == "/mfa-binding/Totp"
    assert 'name="skip"' in await page(logto, "/mfa-binding/Totp")
    skipped = await logto.post("/mfa-binding/Totp", {"skip": "1"})
    assert "/oidc/auth/" in leads_to(skipped)
    assert (await logto.user(user_id))["logto_config"]["mfa"]["skipped"] is True


async def test_skipping_is_refused_where_a_factor_is_mandatory(logto: ExperienceApp) -> None:
    await configure(logto, "Totp", policy="Mandatory")
    await logto.add_user("alice")
    await sign_in(logto)
    forced = await logto.post("/mfa-onboarding", {"skip": "1"})
    assert forced.status_code == 422
    assert await logto.signed_in_user() is None


async def test_code_by_email_is_a_second_factor(logto: ExperienceApp) -> None:
    await configure(logto, "EmailVerificationCode")
    user_id = await logto.add_user("alice", primary_email="alice@example.test")
    asked = leads_to(await sign_in(logto))
    assert asked == "/mfa-verification/EmailVerificationCode?app_id=client"
    assert await logto.messages() == []
    sent = await logto.post("/mfa-verification/EmailVerificationCode", {})
    assert leads_to(sent) == "/mfa-verification/EmailVerificationCode"
    message = (await logto.messages())[0]
    assert (message.recipient, message.usage) == ("alice@example.test", "MfaVerification")
    assert await logto.signed_in_user() is None
    done = await logto.post("/mfa-verification/EmailVerificationCode", {"code": str(message.code)})
    assert "/oidc/auth/" in leads_to(done)
    assert await logto.signed_in_user() == user_id


async def test_another_code_is_sent_after_a_minute(logto: ExperienceApp) -> None:
    await configure(logto, "EmailVerificationCode")
    await logto.add_user("alice", primary_email="alice@example.test")
    path = "/mfa-verification/EmailVerificationCode"
    with time_machine.travel(NOON, tick=False) as clock:
        await sign_in(logto)
        await logto.post(path, {})
        assert 'data-wait="59"' in await page(logto, path)
        assert (await logto.post(path, {"resend": "1"})).status_code == 429
        assert len(await logto.messages()) == 1
        clock.shift(timedelta(seconds=59))
        again = leads_to(await logto.post(path, {"resend": "1"}))
        assert "A new code was sent." in await page(logto, again)
        message = (await logto.messages())[0]
        assert "/oidc/auth/" in leads_to(await logto.post(path, {"code": str(message.code)}))


async def test_message_to_an_address_that_becomes_a_factor_says_so(logto: ExperienceApp) -> None:
    await configure(logto, "Totp", "EmailVerificationCode", policy="Mandatory")
    user_id = await logto.add_user("alice")
    assert leads_to(await sign_in(logto)) == "/mfa-binding?app_id=client"
    assert "/continue/email" in await page(logto, "/mfa-binding")
    await logto.post("/continue/email", {"identifier": "alice@example.test"})
    message = (await logto.messages())[0]
    assert (message.recipient, message.usage) == ("alice@example.test", "BindMfa")
    done = await logto.post("/continue/verification-code", {"code": str(message.code)})
    assert "/oidc/auth/" in leads_to(done)
    assert (await logto.user(user_id))["primary_email"] == "alice@example.test"


async def test_message_to_an_address_that_the_sign_up_requires_does_not_mention_a_factor(
    logto: ExperienceApp,
) -> None:
    await logto.configure(
        signUp={**WITH_EMAIL, "identifiers": ["username"]},
        mfa={"factors": ["Totp", "EmailVerificationCode"], "policy": "NoPrompt"},
    )
    await logto.add_user("alice")
    assert leads_to(await sign_in(logto)) == "/continue/email?app_id=client"
    await logto.post("/continue/email", {"identifier": "alice@example.test"})
    assert (await logto.messages())[0].usage == "SignIn"


async def test_code_that_a_concurrent_request_used_is_refused(
    logto: ExperienceApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await configure(logto, "Totp")
    await logto.add_user("alice", mfa_verifications=[TOTP])
    await sign_in(logto)
    use_totp = second_factors.use_totp

    def use_after_another(factors: Factors, code: str, moment_ms: int) -> list[Factor] | None:
        used = use_totp(factors, code, moment_ms)
        with closing(sqlite3.connect(Settings(data_dir=tmp_path).database)) as connection, connection:
            connection.execute("update users set mfa_verifications = ?", [json.dumps(used)])
        return used

    monkeypatch.setattr(second_factors, "use_totp", use_after_another)
    refused = await logto.post("/mfa-verification/Totp", {"code": pyotp.TOTP(SECRET).now()})
    assert refused.status_code == 400
    assert await logto.signed_in_user() is None


async def test_form_of_another_site_proves_nothing(logto: ExperienceApp) -> None:
    await configure(logto, "Totp")
    await logto.add_user("alice", mfa_verifications=[TOTP])
    await sign_in(logto)
    code = {"code": pyotp.TOTP(SECRET).now()}
    foreign = await logto.browser.post(
        "/mfa-verification/Totp", form=code, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert foreign.status_code == 403
    assert await logto.signed_in_user() is None


@pytest.mark.parametrize(
    ("seconds_later", "is_right"), [(-30, True), (0, True), (59, True), (-31, False), (60, False)]
)
def test_code_is_valid_one_step_early_or_late(seconds_later: int, is_right: bool) -> None:
    code = pyotp.TOTP(SECRET).at(NOON)
    with time_machine.travel(NOON + timedelta(seconds=seconds_later), tick=False):
        used = second_factors.use_totp([TOTP], code, int(datetime.now(UTC).timestamp() * 1000))
    assert (used is not None) is is_right


def test_used_time_step_and_those_before_it_are_refused() -> None:
    moment = int(NOON.timestamp() * 1000)
    codes = {step: pyotp.TOTP(SECRET).at(NOON + timedelta(seconds=30 * step)) for step in (-1, 0, 1)}
    used = second_factors.use_totp([TOTP], codes[0], moment)
    assert used is not None
    assert second_factors.use_totp(used, codes[0], moment) is None
    assert second_factors.use_totp(used, codes[-1], moment) is None
    assert second_factors.use_totp(used, codes[1], moment) is not None
