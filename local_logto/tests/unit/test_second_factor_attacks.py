"""Attempts to get around the second factor. None of them signs anyone in."""

from __future__ import annotations

import pytest

from local_logto import second_factors
from unit.experience_app import PASSWORD, ExperienceApp
from unit.experience_calls import begin, identify, refusal
from unit.page_reading import leads_to

TOTP = second_factors.totp_factor("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", 0)


@pytest.fixture
async def logto(logto: ExperienceApp) -> ExperienceApp:
    """A provider where Alice has an authenticator app, and another person knows her password."""
    await logto.configure(mfa={"factors": ["Totp"], "policy": "NoPrompt"})
    await logto.add_user("alice", mfa_verifications=[TOTP])
    return logto


async def switch(logto: ExperienceApp, event: str) -> None:
    assert (await logto.call("PUT", "/interaction-event", {"interactionEvent": event}))[0] == 204


@pytest.mark.parametrize("events", [("Register",), ("Register", "SignIn")], ids="-".join)
async def test_changing_the_event_forgets_who_was_identified(
    logto: ExperienceApp, events: tuple[str, ...]
) -> None:
    await identify(logto, "alice")
    for event in events:
        await switch(logto, event)
    assert await refusal(logto, "POST", "/submit") == (404, "session.identifier_not_found")
    assert await logto.signed_in_user() is None


async def test_setting_the_same_event_again_keeps_who_was_identified(logto: ExperienceApp) -> None:
    await identify(logto, "alice")
    await switch(logto, "SignIn")
    assert (await logto.call("POST", "/submit"))[1]["code"] == "session.mfa.require_mfa_verification"


async def test_resetting_a_password_signs_nobody_in(logto: ExperienceApp) -> None:
    await identify(logto, "alice")
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
async def test_no_other_page_completes_the_sign_in_without_the_factor(
    logto: ExperienceApp, path: str
) -> None:
    asked = leads_to(await logto.post("/sign-in", {"identifier": "alice", "password": PASSWORD}))
    assert asked == "/mfa-verification/Totp"
    response = await logto.post(path, {"identifier": "mallory", "skip": "1", "code": "000000"})
    assert "/oidc/auth/" not in response.headers.get("Location", "")
    assert await logto.signed_in_user() is None
