"""Second factors at sign-in: authenticator apps and backup codes, asked for, proved, guessed at."""

from __future__ import annotations

import time

import pyotp

from contract.client import LogtoBrowser
from contract.management import ManagementApi
from contract.people import Person
from contract.second_factors import TOTP_AND_CODES, TOTP_ONLY, Settings, VisitOf, enrol
from contract.world import World

STEP = 30


async def test_enrolled_authenticator_is_asked_for_and_lets_in(
    settings: Settings, visit: VisitOf, nina: Person, api: ManagementApi
) -> None:
    await settings(mfa=TOTP_ONLY)
    secret = (await enrol(api, nina))["secret"]
    session = await visit(nina)
    asked = await session.submit()
    assert asked.refusal == (403, "session.mfa.require_mfa_verification")
    assert asked.body["data"]["availableFactors"] == ["Totp"]
    (await session.post("/verification/totp/verify", code=pyotp.TOTP(secret).now())).expect(200)
    assert "redirectTo" in (await session.submit()).expect(200).body


async def test_factor_that_is_switched_off_is_not_asked_for(
    settings: Settings, visit: VisitOf, nina: Person, api: ManagementApi
) -> None:
    await settings(mfa={"factors": [], "policy": "NoPrompt"})
    await enrol(api, nina)
    (await (await visit(nina)).submit()).expect(200)


async def test_code_of_a_minute_ago_or_of_another_secret_is_wrong(
    settings: Settings, visit: VisitOf, nina: Person, api: ManagementApi
) -> None:
    await settings(mfa=TOTP_ONLY)
    secret = (await enrol(api, nina))["secret"]
    session = await visit(nina)
    old = pyotp.TOTP(secret).at(int(time.time()) - 4 * STEP)
    for code in (old, pyotp.TOTP(pyotp.random_base32()).now(), "", "no code"):
        reply = await session.post("/verification/totp/verify", code=code)
        assert reply.status == 400
    assert (await session.submit()).refusal == (403, "session.mfa.require_mfa_verification")


async def test_code_of_the_next_step_is_right_as_clocks_differ(
    settings: Settings, visit: VisitOf, nina: Person, api: ManagementApi
) -> None:
    await settings(mfa=TOTP_ONLY)
    secret = (await enrol(api, nina))["secret"]
    session = await visit(nina)
    next_code = pyotp.TOTP(secret).at(int(time.time()) + STEP)
    (await session.post("/verification/totp/verify", code=next_code)).expect(200)


async def test_authenticator_code_is_good_for_one_sign_in(
    settings: Settings, visit: VisitOf, nina: Person, api: ManagementApi
) -> None:
    await settings(mfa=TOTP_ONLY)
    secret = (await enrol(api, nina))["secret"]
    first, second = await visit(nina), await visit(nina)
    code = pyotp.TOTP(secret).now()
    (await first.post("/verification/totp/verify", code=code)).expect(200)
    again = await second.post("/verification/totp/verify", code=code)
    assert again.refusal == (400, "session.mfa.invalid_totp_code")


async def test_backup_code_lets_in_once(
    settings: Settings, visit: VisitOf, nina: Person, api: ManagementApi
) -> None:
    await settings(mfa=TOTP_AND_CODES)
    await enrol(api, nina)
    codes = (await enrol(api, nina, "BackupCode"))["codes"]
    session = await visit(nina)
    assert (await session.submit()).body["data"]["availableFactors"] == ["Totp", "BackupCode"]
    (await session.post("/verification/backup-code/verify", code=codes[3])).expect(200)
    (await session.submit()).expect(200)
    again = await (await visit(nina)).post("/verification/backup-code/verify", code=codes[3])
    assert again.refusal == (400, "session.mfa.invalid_backup_code")
    listed = (await api.get(f"/users/{nina.id}/mfa-verifications")).expect(200).body
    assert [factor.get("remainCodes") for factor in listed] == [None, 9]


async def test_password_alone_changes_nothing_of_an_account_with_a_factor(
    settings: Settings, visit: VisitOf, nina: Person, api: ManagementApi
) -> None:
    await settings(mfa=TOTP_AND_CODES)
    await enrol(api, nina)
    await enrol(api, nina, "BackupCode")
    session = await visit(nina)
    codes = (await session.call("POST", "/verification/backup-code/generate")).expect(200).body
    wanted = (403, "session.mfa.require_mfa_verification")
    bound = await session.post("/profile/mfa", type="BackupCode", verificationId=codes["verificationId"])
    assert bound.refusal == wanted
    assert (await session.call("POST", "/profile/mfa/mfa-skipped")).refusal == wanted
    assert (await session.post("/profile", type="username", value="somebody_else")).refusal == wanted
    assert (await session.submit()).refusal == wanted


async def test_secret_of_the_same_interaction_proves_nothing(
    settings: Settings, visit: VisitOf, nina: Person, api: ManagementApi
) -> None:
    await settings(mfa=TOTP_ONLY)
    await enrol(api, nina)
    session = await visit(nina)
    await session.prove_new_totp()
    assert (await session.submit()).refusal == (403, "session.mfa.require_mfa_verification")


async def test_interaction_tells_of_factors_and_no_secret(
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


async def test_guesses_at_a_factor_lock_it_and_nothing_else(
    settings: Settings, visit: VisitOf, nina: Person, api: ManagementApi
) -> None:
    await settings(mfa=TOTP_AND_CODES, sentinelPolicy={"maxAttempts": 2, "lockoutDuration": 10})
    secret = (await enrol(api, nina))["secret"]
    codes = (await enrol(api, nina, "BackupCode"))["codes"]
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
    await browser.authorize(world.web)
    await browser.experience("PUT", "", {"interactionEvent": "SignIn"})
    seen = []
    for password in ("wrong", "wrong", nina.password):
        body = {"identifier": {"type": "username", "value": nina.username}, "password": password}
        seen.append((await browser.experience("POST", "/verification/password", body)).refusal)
    blocked = (400, "session.verification_blocked_too_many_attempts")
    assert seen == [(422, "session.invalid_credentials"), blocked, blocked]
