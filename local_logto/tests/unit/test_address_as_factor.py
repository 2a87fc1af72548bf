"""An address that is added as the second factor while signing up, with the backup codes that go with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from unit.experience_app import PASSWORD, ExperienceApp, experience_app
from unit.experience_calls import (
    VERIFY,
    begin,
    last_code,
    prove_password,
    send_code,
    username,
    verification,
)

ADDRESS = "nina@example.test"


@pytest.fixture
async def logto(tmp_path: Path) -> AsyncIterator[ExperienceApp]:
    async with experience_app(tmp_path) as app:
        mfa = {"factors": ["EmailVerificationCode", "BackupCode"], "policy": "Mandatory"}
        await app.configure(mfa=mfa)
        yield app


async def submitted(logto: ExperienceApp) -> tuple[int, str | None]:
    status, answer = await logto.call("POST", "/submit")
    return status, None if status == 200 else answer["code"]


async def bind_address(logto: ExperienceApp, event: str) -> None:
    sent = await send_code(logto, ADDRESS, event)
    await logto.call("POST", VERIFY, verification(ADDRESS, sent, await last_code(logto)))
    bound = {"type": "EmailVerificationCode", "verificationId": sent}
    assert await logto.call("POST", "/profile/mfa", bound) == (204, None)


async def bind_backup_codes(logto: ExperienceApp) -> None:
    status, new = await logto.call("POST", "/verification/backup-code/generate")
    assert (status, len(new["codes"])) == (200, 10)
    bound = {"type": "BackupCode", "verificationId": new["verificationId"]}
    assert await logto.call("POST", "/profile/mfa", bound) == (204, None)


async def test_backup_codes_come_on_top_of_an_address_that_the_sign_up_adds(logto: ExperienceApp) -> None:
    await begin(logto, "Register")
    body = {"identifier": username("nina"), "password": PASSWORD}
    _, proof = await logto.call("POST", "/verification/new-password-identity", body)
    assert (await logto.call("POST", "/identification", proof))[0] == 201
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


async def test_and_of_an_address_that_a_sign_in_adds(logto: ExperienceApp) -> None:
    await logto.add_user("nina")
    await begin(logto, "SignIn")
    proof = await prove_password(logto, "nina")
    await logto.call("POST", "/identification", {"verificationId": proof})
    assert await submitted(logto) == (422, "user.missing_mfa")
    await bind_address(logto, "SignIn")
    await bind_backup_codes(logto)
    assert await submitted(logto) == (200, None)


async def test_backup_codes_never_stand_alone(logto: ExperienceApp) -> None:
    await logto.add_user("nina")
    await begin(logto, "SignIn")
    proof = await prove_password(logto, "nina")
    await logto.call("POST", "/identification", {"verificationId": proof})
    _, new = await logto.call("POST", "/verification/backup-code/generate")
    bound = {"type": "BackupCode", "verificationId": new["verificationId"]}
    status, refused = await logto.call("POST", "/profile/mfa", bound)
    assert (status, refused["code"]) == (422, "session.mfa.backup_code_can_not_be_alone")
