"""Second factors at sign-in: authenticator apps and backup codes, and guesses at them."""

from __future__ import annotations

import time
from dataclasses import replace

import pyotp
import pytest

from contract.client import LogtoBrowser
from contract.management import ManagementApi
from contract.people import Person
from contract.second_factors import TOTP_AND_CODES, TOTP_ONLY, Settings, VisitOf, enroll
from contract.world import World

STEP = 30


@pytest.fixture
async def secret(settings: Settings, nina: Person, api: ManagementApi) -> str:
    """The secret of Nina's authenticator app, which she needs to sign in."""
    await settings(mfa=TOTP_ONLY)
    secret: str = (await enroll(api, nina))["secret"]
    return secret


@pytest.fixture
async def codes(settings: Settings, nina: Person, api: ManagementApi, secret: str) -> list[str]:
    """Nina's backup codes."""
    await settings(mfa=TOTP_AND_CODES)
    return list((await enroll(api, nina, "BackupCode"))["codes"])


@pytest.mark.usefixtures("secret")
async def test_enrolled_authenticator_app_is_required(visit: VisitOf, nina: Person) -> None:
    asked = await (await visit(nina)).submit()
    assert asked.refusal == (403, "session.mfa.require_mfa_verification")
    assert asked.body["data"]["availableFactors"] == ["Totp"]


async def test_code_of_the_authenticator_app_signs_in(visit: VisitOf, nina: Person, secret: str) -> None:
    session = await visit(nina)
    (await session.post("/verification/totp/verify", code=pyotp.TOTP(secret).now())).expect(200)
    assert "redirectTo" in (await session.submit()).expect(200).body


async def test_disabled_factor_is_not_required(
    settings: Settings, visit: VisitOf, nina: Person, api: ManagementApi
) -> None:
    await settings(mfa={"factors": [], "policy": "NoPrompt"})
    await enroll(api, nina)
    (await (await visit(nina)).submit()).expect(200)


async def test_old_code_and_code_of_another_secret_are_wrong(
    visit: VisitOf, nina: Person, secret: str
) -> None:
    session = await visit(nina)
    old = pyotp.TOTP(secret).at(int(time.time()) - 4 * STEP)
    for code in (old, pyotp.TOTP(pyotp.random_base32()).now(), "", "no code"):
        reply = await session.post("/verification/totp/verify", code=code)
        assert reply.status == 400
    assert (await session.submit()).refusal == (403, "session.mfa.require_mfa_verification")


async def test_code_of_the_next_step_is_right_as_clocks_differ(
    visit: VisitOf, nina: Person, secret: str
) -> None:
    session = await visit(nina)
    next_code = pyotp.TOTP(secret).at(int(time.time()) + STEP)
    (await session.post("/verification/totp/verify", code=next_code)).expect(200)


async def test_code_of_the_authenticator_app_is_valid_for_one_sign_in(
    visit: VisitOf, nina: Person, secret: str
) -> None:
    first, second = await visit(nina), await visit(nina)
    code = pyotp.TOTP(secret).now()
    (await first.post("/verification/totp/verify", code=code)).expect(200)
    again = await second.post("/verification/totp/verify", code=code)
    assert again.refusal == (400, "session.mfa.invalid_totp_code")


@pytest.mark.usefixtures("codes")
async def test_both_factors_are_offered(visit: VisitOf, nina: Person) -> None:
    asked = await (await visit(nina)).submit()
    assert asked.body["data"]["availableFactors"] == ["Totp", "BackupCode"]


async def test_backup_code_signs_in_once(
    visit: VisitOf, nina: Person, api: ManagementApi, codes: list[str]
) -> None:
    session = await visit(nina)
    (await session.post("/verification/backup-code/verify", code=codes[3])).expect(200)
    (await session.submit()).expect(200)
    again = await (await visit(nina)).post("/verification/backup-code/verify", code=codes[3])
    assert again.refusal == (400, "session.mfa.invalid_backup_code")
    listed = (await api.get(f"/users/{nina.id}/mfa-verifications")).expect(200).body
    assert [factor.get("remainCodes") for factor in listed] == [None, 9]


@pytest.mark.usefixtures("codes")
async def test_password_alone_changes_nothing_of_an_account_with_a_factor(
    visit: VisitOf, nina: Person
) -> None:
    session = await visit(nina)
    codes = (await session.call("POST", "/verification/backup-code/generate")).expect(200).body
    wanted = (403, "session.mfa.require_mfa_verification")
    bound = await session.post("/profile/mfa", type="BackupCode", verificationId=codes["verificationId"])
    assert bound.refusal == wanted
    assert (await session.call("POST", "/profile/mfa/mfa-skipped")).refusal == wanted
    assert (await session.post("/profile", type="username", value="somebody_else")).refusal == wanted
    assert (await session.submit()).refusal == wanted


@pytest.mark.usefixtures("secret")
async def test_new_secret_of_the_same_interaction_is_no_second_factor(visit: VisitOf, nina: Person) -> None:
    session = await visit(nina)
    await session.prove_new_totp()
    assert (await session.submit()).refusal == (403, "session.mfa.require_mfa_verification")


async def test_interaction_shows_the_factors_and_no_secret(
    settings: Settings, visit: VisitOf, nina: Person
) -> None:
    await settings(mfa=TOTP_AND_CODES)
    session = await visit(nina)
    secret, codes = await session.new_totp(), await session.new_backup_codes()
    state = (await session.call("GET", "/interaction")).expect(200).body
    assert state["mfa"] == {
        "mfaEnabled": True,
        "totp": {"type": "Totp"},
        "backupCode": {"type": "BackupCode"},
    }
    kinds = [record["type"] for record in state["verificationRecords"]]
    assert kinds == ["Password", "Totp", "BackupCode"]
    assert not any(hidden in str(state) for hidden in (secret, *codes))


async def test_guesses_at_a_factor_lock_only_that_factor(
    settings: Settings, visit: VisitOf, nina: Person, secret: str, codes: list[str]
) -> None:
    await settings(sentinelPolicy={"maxAttempts": 2, "lockoutDuration": 10})
    session = await visit(nina)
    blocked = (400, "session.verification_blocked_too_many_attempts")
    first = await session.post("/verification/totp/verify", code="wrong")
    assert first.refusal == (400, "session.mfa.invalid_totp_code")
    assert (await session.post("/verification/totp/verify", code="wrong")).refusal == blocked
    right = await session.post("/verification/totp/verify", code=pyotp.TOTP(secret).now())
    assert right.refusal == blocked
    (await session.post("/verification/backup-code/verify", code=codes[0])).expect(200)


async def test_guesses_at_a_password_lock_the_right_one_out_too(
    settings: Settings, browser: LogtoBrowser, nina: Person, world: World
) -> None:
    await settings(sentinelPolicy={"maxAttempts": 2, "lockoutDuration": 10})
    await browser.begin(world.web)
    tries = [replace(nina, password=password) for password in ("wrong", "wrong", nina.password)]
    seen = [(await browser.offer_password(person)).refusal for person in tries]
    blocked = (400, "session.verification_blocked_too_many_attempts")
    assert seen == [(422, "session.invalid_credentials"), blocked, blocked]
