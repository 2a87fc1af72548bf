"""The sign-in pages with verification codes: sending, typing, resending, and codes that do not work."""

from __future__ import annotations

from datetime import timedelta
from html import unescape

import pytest
import time_machine

from unit.experience_app import (
    CODES_AND_PASSWORDS,
    CODES_BY_EMAIL_AND_PHONE,
    PASSWORD,
    ExperienceApp,
)
from unit.experience_calls import last_code
from unit.page_reading import leads_to, page, text_of

NINA = {"identifier": "nina@example.test"}
CODE_PAGE = "/sign-in/verification-code"


@pytest.fixture
async def logto(logto: ExperienceApp) -> ExperienceApp:
    await logto.configure(**CODES_BY_EMAIL_AND_PHONE)
    return logto


async def wrong_code(logto: ExperienceApp) -> str:
    return "000000" if await last_code(logto) != "000000" else "111111"


async def answer_to(logto: ExperienceApp, code: str) -> tuple[int, str]:
    """Enter this code. Returns the status and the page."""
    response = await logto.post(CODE_PAGE, {"code": code})
    return response.status_code, unescape(await text_of(response))


# --- asking for a code


async def test_primary_method_comes_first_and_the_other_is_one_click_away(logto: ExperienceApp) -> None:
    user_id = await logto.add_user("nina", primary_email="nina@example.test")
    assert 'name="password"' not in await page(logto, "/sign-in")
    assert leads_to(await logto.post("/sign-in", {"identifier": "nina"})) == "/sign-in/password"
    assert "Try another way" not in await page(logto, "/sign-in/password")
    assert leads_to(await logto.post("/sign-in", NINA)) == CODE_PAGE
    assert "Sign in with password" in await page(logto, CODE_PAGE)
    assert "Sign in with verification code" in await page(logto, "/sign-in/password")
    assert leads_to(await logto.post("/sign-in/password", {"send_code": "1"})) == CODE_PAGE
    done = await logto.post("/sign-in/password", {"password": PASSWORD})
    assert "/oidc/auth/" in leads_to(done)
    assert await logto.signed_in_user() == user_id


async def test_password_comes_first_where_it_is_primary(logto: ExperienceApp) -> None:
    by_email = {"identifier": "email", "password": True, "verificationCode": True, "isPasswordPrimary": True}
    await logto.configure(signIn={"methods": [by_email]})
    assert leads_to(await logto.post("/sign-in", NINA)) == "/sign-in/password"
    assert "Sign in with verification code" in await page(logto, "/sign-in/password")
    assert await logto.messages() == []


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/sign-in", "You can sign in with a password, an email code, or an SMS code."),
        (
            "/identifier-sign-in?identifier=email",
            "Enter your email to sign in. You can sign in with a password or an email code.",
        ),
        ("/identifier-sign-in?identifier=phone", ">Enter your phone number to sign in.<"),
    ],
)
async def test_first_page_names_the_ways_to_sign_in(logto: ExperienceApp, path: str, sentence: str) -> None:
    assert sentence in await page(logto, path)


async def test_first_page_names_no_ways_if_there_is_only_one(logto: ExperienceApp) -> None:
    await logto.configure()
    assert "You can sign in with" not in await page(logto, "/sign-in")


async def test_phone_number_is_sent_a_code_and_signs_in(logto: ExperienceApp) -> None:
    user_id = await logto.add_user("nina", primary_phone="447700900123")
    assert leads_to(await logto.post("/sign-in", {"identifier": " 0044 7700-900 123 "})) == CODE_PAGE
    [message] = await logto.messages()
    assert (message.kind, message.recipient) == ("phone", "447700900123")
    html = await page(logto, CODE_PAGE)
    assert "Verify your phone number" in html
    assert "+447700900123" in html
    assert "Sign in with password" not in html
    assert leads_to(await logto.browser.get("/sign-in/password")) == "/sign-in"
    code = await last_code(logto)
    done = await logto.post(CODE_PAGE, {"code": f" {code[:3]} {code[3:]} "})
    assert "/oidc/auth/" in leads_to(done)
    assert await logto.signed_in_user() == user_id


async def test_invalid_number_is_explained_and_kept(logto: ExperienceApp) -> None:
    response = await logto.post("/sign-in", {"identifier": "07700 900123"})
    html = await text_of(response)
    assert response.status_code == 422
    assert "Start with the country code, such as +44 7700 900123." in html
    assert 'value="07700 900123"' in html
    assert await logto.messages() == []


async def test_field_is_filled_again_after_going_back(logto: ExperienceApp) -> None:
    await logto.post("/sign-in", {"identifier": "+44 7700 900123"})
    assert 'value="+447700900123"' in await page(logto, "/sign-in?login_hint=bob@example.test")
    assert 'value="+447700900123"' in await page(logto, "/forgot-password")


async def test_eleventh_code_in_ten_minutes_is_refused(
    logto: ExperienceApp, clock: time_machine.Traveller
) -> None:
    for _ in range(10):
        assert leads_to(await logto.post("/sign-in", NINA)) == CODE_PAGE
    refused = await logto.post("/sign-in", NINA)
    assert refused.status_code == 429
    assert "Too many messages were sent to this address." in await text_of(refused)
    clock.shift(timedelta(seconds=601))
    assert leads_to(await logto.post("/sign-in", NINA)) == CODE_PAGE


async def test_page_says_where_the_code_is(logto: ExperienceApp) -> None:
    await logto.post("/sign-in", NINA)
    html = await page(logto, CODE_PAGE)
    assert "A verification code was sent to nina@example.test." in html
    assert "This server shows it under Messages." in html


# --- asking again


async def test_new_code_is_sent_after_59_seconds_and_not_before(
    logto: ExperienceApp, clock: time_machine.Traveller
) -> None:
    await logto.post("/sign-in", NINA)
    assert "Resend after" in (html := await page(logto, CODE_PAGE))
    assert 'data-wait="59"' in html
    clock.shift(timedelta(seconds=58.5))
    assert 'data-wait="1"' in await page(logto, CODE_PAGE)
    early = await logto.post(CODE_PAGE, {"resend": "1"})
    assert early.status_code == 429
    assert "Wait 1 more second to request a new code." in await text_of(early)
    assert len(await logto.messages()) == 1
    clock.shift(timedelta(seconds=0.5))
    assert "data-wait" not in await page(logto, CODE_PAGE)
    again = await logto.post(CODE_PAGE, {"resend": "1"})
    assert leads_to(again) == f"{CODE_PAGE}?notice=code-sent"
    assert len(await logto.messages()) == 2
    html = await page(logto, leads_to(again))
    assert "A new code was sent." in html
    assert 'data-wait="59"' in html


async def test_only_the_newest_code_works(logto: ExperienceApp, clock: time_machine.Traveller) -> None:
    await logto.add_user("nina", primary_email="nina@example.test")
    await logto.post("/sign-in", NINA)
    first = await last_code(logto)
    clock.shift(timedelta(seconds=59))
    await logto.post(CODE_PAGE, {"resend": "1"})
    second = await last_code(logto)
    if first != second:
        assert (await answer_to(logto, first))[0] == 400
    assert "/oidc/auth/" in leads_to(await logto.post(CODE_PAGE, {"code": second}))


# --- codes that do not work


async def test_wrong_code_may_be_corrected(logto: ExperienceApp) -> None:
    await logto.add_user("nina", primary_email="nina@example.test")
    await logto.post("/sign-in", NINA)
    status, html = await answer_to(logto, await wrong_code(logto))
    assert status == 400
    assert "Invalid verification code." in html
    assert 'aria-describedby="code-error"' in html
    done = await logto.post(CODE_PAGE, {"code": await last_code(logto)})
    assert "/oidc/auth/" in leads_to(done)


async def test_malformed_code_does_not_count_as_a_try(logto: ExperienceApp) -> None:
    await logto.configure(**CODES_BY_EMAIL_AND_PHONE, verificationCodePolicy={"maxRetryAttempts": 1})
    await logto.add_user("nina", primary_email="nina@example.test")
    await logto.post("/sign-in", NINA)
    for nonsense in ("12345", "1234567", "abcdef", "１２３４５６"):
        status, html = await answer_to(logto, nonsense)
        assert status == 422
        assert "It has 6 digits." in html
    done = await logto.post(CODE_PAGE, {"code": await last_code(logto)})
    assert "/oidc/auth/" in leads_to(done)


@pytest.mark.parametrize(("policy", "lifetime"), [({}, 600), ({"expirationDuration": 60}, 60)])
async def test_expired_code_is_explained(
    logto: ExperienceApp, clock: time_machine.Traveller, policy: dict[str, int], lifetime: int
) -> None:
    await logto.configure(**CODES_BY_EMAIL_AND_PHONE, verificationCodePolicy=policy)
    await logto.post("/sign-in", NINA)
    clock.shift(timedelta(seconds=lifetime + 1))
    status, html = await answer_to(logto, await last_code(logto))
    assert status == 400
    assert "This code has expired. Request a new one." in html
    assert "Resend verification code" in html
    assert "Sign in with password" in html


@pytest.mark.parametrize(("policy", "tries"), [({}, 10), ({"maxRetryAttempts": 2}, 2)])
async def test_right_code_is_refused_after_too_many_wrong_ones(
    logto: ExperienceApp, policy: dict[str, int], tries: int
) -> None:
    await logto.configure(**CODES_BY_EMAIL_AND_PHONE, verificationCodePolicy=policy)
    await logto.post("/sign-in", NINA)
    for _ in range(tries):
        assert "Invalid verification code." in (await answer_to(logto, await wrong_code(logto)))[1]
    status, html = await answer_to(logto, await last_code(logto))
    assert status == 400
    assert "Too many incorrect codes. Request a new one." in html


async def test_used_code_is_explained(logto: ExperienceApp) -> None:
    await logto.add_user("nina", primary_email="nina@example.test")
    await logto.post("/sign-in", NINA)
    code = await last_code(logto)
    await logto.post(CODE_PAGE, {"code": code})
    status, html = await answer_to(logto, code)
    assert status == 400
    assert "This code was already used. Request a new one." in html


# --- signing up


@pytest.mark.parametrize(
    ("typed", "column"), [("nina@example.test", "primary_email"), ("+44 7700 900123", "primary_phone")]
)
async def test_sign_up_by_code_needs_no_password(logto: ExperienceApp, typed: str, column: str) -> None:
    assert leads_to(await logto.post("/register", {"identifier": typed})) == "/register/verification-code"
    done = await logto.post("/register/verification-code", {"code": await last_code(logto)})
    assert "/oidc/auth/" in leads_to(done)
    user = await logto.user(await logto.signed_in_user() or "")
    assert user[column] in ("nina@example.test", "447700900123")
    assert user["password_hash"] is None


async def test_sign_up_can_require_a_password_and_a_second_address(logto: ExperienceApp) -> None:
    sign_up = {"identifiers": ["email"], "password": True, "verify": True}
    secondary = [{"identifier": "phone", "verify": True}]
    await logto.configure(
        **CODES_BY_EMAIL_AND_PHONE | {"signUp": {**sign_up, "secondaryIdentifiers": secondary}}
    )
    await logto.post("/register", NINA)
    proven = await logto.post("/register/verification-code", {"code": await last_code(logto)})
    assert leads_to(proven) == "/continue/phone"
    await logto.post("/continue/phone", {"identifier": "+44 7700 900123"})
    proven = await logto.post("/continue/verification-code", {"code": await last_code(logto)})
    assert leads_to(proven) == "/continue/password"
    assert "/oidc/auth/" in leads_to(
        await logto.post("/continue/password", {"password": PASSWORD, "confirmPassword": PASSWORD})
    )
    user = await logto.user(await logto.signed_in_user() or "")
    assert (user["primary_email"], user["primary_phone"]) == ("nina@example.test", "447700900123")


async def test_username_can_be_completed_with_either_address(logto: ExperienceApp) -> None:
    sign_up = {"identifiers": ["username"], "password": True, "verify": True}
    either = [{"identifier": "emailOrPhone", "verify": True}]
    await logto.configure(
        **CODES_BY_EMAIL_AND_PHONE | {"signUp": {**sign_up, "secondaryIdentifiers": either}}
    )
    await logto.post("/register", {"identifier": "nina"})
    chosen = await logto.post("/register/password", {"password": PASSWORD, "confirmPassword": PASSWORD})
    assert leads_to(chosen) == "/continue/emailOrPhone"
    await logto.post("/continue/emailOrPhone", {"identifier": "+44 7700 900123"})
    assert 'href="/continue/emailOrPhone"' in await page(logto, "/continue/verification-code")
    done = await logto.post("/continue/verification-code", {"code": await last_code(logto)})
    assert "/oidc/auth/" in leads_to(done)
    user = await logto.user(await logto.signed_in_user() or "")
    assert (user["username"], user["primary_phone"]) == ("nina", "447700900123")


async def test_invite_only_server_offers_no_account_and_sends_strangers_nothing(
    logto: ExperienceApp,
) -> None:
    await logto.configure(**CODES_BY_EMAIL_AND_PHONE, signInMode="SignIn")
    assert "Create account" not in await page(logto, "/sign-in")
    assert leads_to(await logto.post("/register", NINA)) == "/sign-in"
    assert leads_to(await logto.post("/sign-in", NINA)) == CODE_PAGE
    assert await logto.messages() == []
    assert "If there is an account with nina@example.test" in await page(logto, CODE_PAGE)


# --- forgotten passwords


@pytest.mark.parametrize(
    ("typed", "columns"),
    [
        ("nina@example.test", {"primary_email": "nina@example.test"}),
        ("+44 7700 900123", {"primary_phone": "447700900123"}),
    ],
)
async def test_forgotten_password_is_replaced_after_a_code(
    logto: ExperienceApp, typed: str, columns: dict[str, str]
) -> None:
    user_id = await logto.add_user("nina", **columns)
    sent = await logto.post("/forgot-password", {"identifier": typed})
    assert leads_to(sent) == "/forgot-password/verification-code"
    proven = await logto.post("/forgot-password/verification-code", {"code": await last_code(logto)})
    assert leads_to(proven) == "/forgot-password/reset"
    saved = await logto.post(
        "/forgot-password/reset", {"password": "Brand-new-phrase", "confirmPassword": "Brand-new-phrase"}
    )
    assert leads_to(saved) == "/sign-in?notice=password-changed"
    assert "Password changed." in await page(logto, "/sign-in?notice=password-changed")
    await logto.post("/sign-in", {"identifier": "nina"})
    assert (await logto.post("/sign-in/password", {"password": PASSWORD})).status_code == 422
    await logto.post("/sign-in/password", {"password": "Brand-new-phrase"})
    assert await logto.signed_in_user() == user_id


async def test_unknown_address_gets_the_same_page(
    logto: ExperienceApp, clock: time_machine.Traveller
) -> None:
    await logto.configure(**CODES_AND_PASSWORDS)
    await logto.add_user("nina", primary_email="known@example.test")
    answers = []
    for address in ("known@example.test", "other@example.test"):
        sent = await logto.post("/forgot-password", {"identifier": address})
        html = await page(logto, leads_to(sent))
        answers.append(html.replace(address, "…"))
    assert answers[0] == answers[1]
    assert [message.recipient for message in await logto.messages()] == ["known@example.test"]
