"""Ways around the second factor that were tried: each ends where it began."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from local_logto import second_factors
from unit.experience_app import PASSWORD, ExperienceApp, experience_app
from unit.experience_calls import begin, prove_password
from unit.page_reading import leads_to

TOTP = second_factors.totp_factor("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", 0)


@pytest.fixture
async def logto(tmp_path: Path) -> AsyncIterator[ExperienceApp]:
    """Alice, who has an authenticator, and whoever knows her password."""
    async with experience_app(tmp_path) as app:
        await app.configure(mfa={"factors": ["Totp"], "policy": "NoPrompt"})
        await app.add_user("alice", mfa_verifications=[TOTP])
        yield app


async def identify(logto: ExperienceApp) -> None:
    await begin(logto, "SignIn")
    proof = {"verificationId": await prove_password(logto, "alice")}
    assert (await logto.call("POST", "/identification", proof))[0] == 204


async def switch(logto: ExperienceApp, event: str) -> None:
    assert (await logto.call("PUT", "/interaction-event", {"interactionEvent": event}))[0] == 204


async def test_registration_is_no_way_in_for_who_was_identified(logto: ExperienceApp) -> None:
    await identify(logto)
    await switch(logto, "Register")
    status, body = await logto.call("POST", "/submit")
    assert (status, body["code"]) == (404, "session.identifier_not_found")
    await switch(logto, "SignIn")
    assert (await logto.call("POST", "/submit"))[1]["code"] == "session.identifier_not_found"
    assert await logto.signed_in_user() is None


async def test_event_that_stays_the_same_forgets_nobody(logto: ExperienceApp) -> None:
    await identify(logto)
    await switch(logto, "SignIn")
    assert (await logto.call("POST", "/submit"))[1]["code"] == "session.mfa.require_mfa_verification"


async def test_forgotten_password_signs_nobody_in(logto: ExperienceApp) -> None:
    await identify(logto)
    await begin(logto, "ForgotPassword")
    assert (await logto.call("POST", "/submit"))[1]["code"] == "session.identifier_not_found"
    assert await logto.signed_in_user() is None


@pytest.mark.parametrize(
    "path",
    [
        "/register/account-exists",
        "/sign-in/no-account",
        "/continue/username",
        "/continue/link-account",
        "/mfa-binding/Totp",
        "/mfa-binding/BackupCode",
        "/mfa-onboarding",
    ],
)
async def test_no_other_page_ends_the_sign_in(logto: ExperienceApp, path: str) -> None:
    asked = leads_to(await logto.post("/sign-in", {"identifier": "alice", "password": PASSWORD}))
    assert asked == "/mfa-verification/Totp"
    response = await logto.post(path, {"identifier": "mallory", "skip": "1", "code": "000000"})
    assert "/oidc/auth/" not in response.headers.get("Location", "")
    assert await logto.signed_in_user() is None
