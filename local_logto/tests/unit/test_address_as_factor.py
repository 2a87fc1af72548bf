"""An email address that is added as a second factor, and the backup codes that are required with it."""

from __future__ import annotations

import pytest

from unit.experience_app import ExperienceApp
from unit.experience_calls import begin, identify, offer_identity, prove_code, refusal

ADDRESS = "nina@example.test"


@pytest.fixture
async def logto(logto: ExperienceApp) -> ExperienceApp:
    await logto.configure(mfa={"factors": ["EmailVerificationCode", "BackupCode"], "policy": "Mandatory"})
    return logto


async def submitted(logto: ExperienceApp) -> tuple[int, str | None]:
    status, answer = await logto.call("POST", "/submit")
    return status, None if status == 200 else answer["code"]


async def bind_address(logto: ExperienceApp, event: str) -> None:
    proof = await prove_code(logto, ADDRESS, event)
    bound = {"type": "EmailVerificationCode", "verificationId": proof}
    assert await logto.call("POST", "/profile/mfa", bound) == (204, None)


async def bind_backup_codes(logto: ExperienceApp) -> None:
    status, new = await logto.call("POST", "/verification/backup-code/generate")
    assert (status, len(new["codes"])) == (200, 10)
    bound = {"type": "BackupCode", "verificationId": new["verificationId"]}
    assert await logto.call("POST", "/profile/mfa", bound) == (204, None)


async def test_sign_up_that_adds_an_address_requires_backup_codes_too(logto: ExperienceApp) -> None:
    """One flow: what is missing after each step is what the test proves."""
    await begin(logto, "Register")
    assert (await logto.call("POST", "/identification", await offer_identity(logto)))[0] == 201
    assert await submitted(logto) == (422, "user.missing_mfa")
    await bind_address(logto, "Register")
    assert await submitted(logto) == (422, "session.mfa.backup_code_required")
    await bind_backup_codes(logto)
    assert await submitted(logto) == (200, None)
    user_id = await logto.signed_in_user()
    assert user_id is not None
    user = await logto.user(user_id)
    assert user["primary_email"] == ADDRESS
    assert [factor["type"] for factor in user["mfa_verifications"]] == ["BackupCode"]


async def test_sign_in_that_adds_an_address_requires_backup_codes_too(logto: ExperienceApp) -> None:
    await logto.add_user("nina")
    await identify(logto, "nina")
    assert await submitted(logto) == (422, "user.missing_mfa")
    await bind_address(logto, "SignIn")
    await bind_backup_codes(logto)
    assert await submitted(logto) == (200, None)


async def test_backup_codes_cannot_be_the_only_factor(logto: ExperienceApp) -> None:
    await logto.add_user("nina")
    await identify(logto, "nina")
    _, new = await logto.call("POST", "/verification/backup-code/generate")
    bound = {"type": "BackupCode", "verificationId": new["verificationId"]}
    refused = await refusal(logto, "POST", "/profile/mfa", bound)
    assert refused == (422, "session.mfa.backup_code_can_not_be_alone")
