"""The language of the pages: which one is chosen, and that no text escapes it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from quart import Response

from local_logto import reader, translation
from local_logto.crypto.signed_cookies import EXPERIENCE, write_cookie
from local_logto.messages import Message, store_message
from local_logto.second_factors import backup_code_factor, totp_factor
from local_logto.store import now_ms
from local_logto.translation import _, either, moment, ngettext, paragraph, speaking
from unit.account_app import Site
from unit.company_app import CONNECTOR, MARIA, SSO, company_app
from unit.experience_app import CODES_BY_EMAIL_AND_PHONE, PASSWORD, ExperienceApp
from unit.experience_calls import last_code
from unit.management_app import ManagementApp
from unit.page_reading import page, text_of
from unit.pseudo_language import TAG, Brackets, escaped_texts
from unit.social_app import SUJIN, SocialApp

Check = Callable[[Awaitable[Response]], Awaitable[None]]
SPANISH = {"Accept-Language": "es-MX,en;q=0.5"}
NINA = "nina@example.test"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


# --- which language


@pytest.mark.parametrize(
    ("path", "accepted", "info", "expected"),
    [
        ("/sign-in", "es-MX,en;q=0.5", {}, "es"),
        ("/sign-in", "en,es;q=0.5", {}, "en"),
        ("/sign-in?ui_locales=es", "en", {}, "es"),
        ("/sign-in?ui_locales=tlh+es-419", "en", {}, "es"),
        ("/sign-in?ui_locales=tlh", "tlh", {}, "en"),
        ("/sign-in", "tlh,es;q=0.5", {}, "es"),
        ("/sign-in", "es", {"autoDetect": False, "fallbackLanguage": "en"}, "en"),
        ("/sign-in", "tlh", {"autoDetect": True, "fallbackLanguage": "es"}, "es"),
        ("/sign-in?ui_locales=..%2F..%2Fes", "en", {}, "en"),
        ("/messages", "es", {}, "es"),
    ],
)
async def test_request_then_browser_then_tenant_choose_the_language(
    logto: ExperienceApp, path: str, accepted: str, info: dict[str, object], expected: str
) -> None:
    await logto.configure(languageInfo=info)
    html = await text_of(await logto.browser.get(path, headers={"Accept-Language": accepted}))
    assert f'<html lang="{expected}">' in html


async def test_next_page_keeps_the_requests_language(logto: ExperienceApp) -> None:
    await logto.configure(**CODES_BY_EMAIL_AND_PHONE)
    answer = await logto.post("/sign-in?ui_locales=es", {"identifier": NINA})
    assert "ui_locales=es" in answer.headers["Location"]
    assert "Verificar su correo electrónico" in await page(logto, answer.headers["Location"])


async def test_account_page_speaks_the_language_of_the_last_sign_in(site: Site, alice: str) -> None:
    assert "Información personal" not in await site.page("/account")
    carrier, shared = Response(""), json.dumps({"appId": "web", "uiLocales": "es"})
    async with site.app.app_context():
        write_cookie(carrier, EXPERIENCE, shared)
    site.browser.remember(carrier)
    assert "Información personal" in await site.page("/account")
    assert "Personal info" in await site.page("/account?ui_locales=en")


async def test_spanish_pages_have_the_labels_of_logto(logto: ExperienceApp) -> None:
    html = await text_of(await logto.browser.get("/sign-in", headers=SPANISH))
    for label in (
        "Inicie sesión en su cuenta",
        ">Nombre de usuario</label>",
        ">Contraseña</label>",
        ">Iniciar sesión</button>",
        ">Crear una cuenta</a>",
    ):
        assert label in html


async def test_hint_of_a_demo_person_is_in_the_readers_language(logto: ExperienceApp, tmp_path: Path) -> None:
    person = {"identifier": "alice", "password": "x", "name": "Alice", "hint": "admin of Acme"}
    (tmp_path / "people.json").write_text(json.dumps([{**person, "hints": {"es": "admin de Acme"}}]))
    assert "admin of Acme" in await page(logto, "/sign-in")
    assert "admin de Acme" in await page(logto, "/sign-in?ui_locales=es")


async def test_error_on_a_page_is_in_its_language(logto: ExperienceApp) -> None:
    headers = {**SPANISH, "Sec-Fetch-Site": "same-origin"}
    wrong = await logto.post("/sign-in", {"identifier": "nobody", "password": "x"}, **headers)
    assert "Cuenta o contraseña incorrecta." in await text_of(wrong)


async def test_default_message_is_in_the_language_of_its_recipient(logto: ExperienceApp) -> None:
    await logto.configure(**CODES_BY_EMAIL_AND_PHONE)
    await logto.post("/sign-in?ui_locales=es", {"identifier": NINA}, **SPANISH, **{"Sec-Fetch-Site": "none"})
    [message] = await logto.messages()
    assert message.subject == "Tu código para iniciar sesión"
    assert message.text == f"Tu código es {message.code}. Es válido durante diez minutos."


async def test_api_always_answers_in_english(logto: ExperienceApp) -> None:
    await logto.browser.put("/api/experience", json={"interactionEvent": "SignIn"})
    body = {"identifier": {"type": "username", "value": "nobody"}, "password": "x"}
    answer = await logto.browser.post(
        "/api/experience/verification/password", json=body, headers={"Accept-Language": "es"}
    )
    expected = "Incorrect account or password. Please check your input."
    assert json.loads(await answer.get_data())["message"] == expected


# --- sentences


def test_sentence_is_english_as_a_string_and_translated_when_shown() -> None:
    sentence = _("Change %(what)s", what=_("password"))
    assert sentence == "Change password"
    with speaking("es"):
        assert sentence.__html__() == "Cambiar contraseña"


def test_values_in_a_sentence_are_escaped() -> None:
    with speaking("es"):
        assert _("Change %(what)s", what="<b>").__html__() == "Cambiar &lt;b&gt;"


def test_number_decides_between_the_forms() -> None:
    forms = ("%(num)s code remaining", "%(num)s codes remaining")
    with speaking("es"):
        shown = [ngettext(*forms, number).__html__() for number in (0, 1, 2)]
    assert shown == ["0 códigos restantes", "1 código restante", "2 códigos restantes"]


def test_choices_and_paragraphs_are_joined_in_each_language() -> None:
    phrase = either([_("username"), _("email"), _("phone number")])
    assert paragraph(phrase, "", _("Try again")) == "username, email, or phone number Try again"
    with speaking("es"):
        assert phrase.__html__() == "nombre de usuario, correo electrónico o número de teléfono"


def test_moment_is_formatted_for_the_reader_with_the_exact_utc_in_its_title() -> None:
    noon = datetime(2026, 11, 29, 12, 5, 9, tzinfo=UTC)
    with speaking("es"):
        shown = moment(noon)
    assert 'title="2026-11-29 12:05:09 UTC"' in shown
    assert "nov 2026" in shown


@pytest.mark.parametrize(
    ("accepted", "shown"),
    [
        ("en", "Nov 29, 2026"),
        ("en-GB", "29 Nov 2026"),
        ("fr-FR,en-GB;q=0.8", "29 Nov 2026"),
        ("es-MX", "29 nov 2026"),
        ("en-XX", "Nov 29, 2026"),
        ("en-XX,en-AU", "29 Nov 2026"),
    ],
)
async def test_dates_follow_the_region_of_the_browser(
    logto: ExperienceApp, accepted: str, shown: str
) -> None:
    noon = int(datetime(2026, 11, 29, 12, tzinfo=UTC).timestamp() * 1000)
    store_message(logto.store, Message("Email", NINA, "Generic", noon, subject="Hello", text="Hello"))
    page = await logto.browser.get("/messages", headers={"Accept-Language": accepted})
    assert shown in await text_of(page)


# --- no text escapes


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch) -> Check:
    """Check a page in a language in which translated texts stand in brackets."""
    catalogue = translation.catalogue
    monkeypatch.setattr(translation, "catalogue", lambda tag: Brackets() if tag == TAG else catalogue(tag))
    monkeypatch.setattr(reader, "reader_language", lambda: TAG)

    async def check(answering: Awaitable[Response]) -> None:
        response = await answering
        html = await text_of(response)
        assert f'<html lang="{TAG}">' in html, f"no page: {response.status_code} {html[:200]}"
        assert escaped_texts(html, *_DATA) == []

    return check


_DATA = (
    "local_logto",
    "http://localhost:3001",
    "Alice Moreau",
    "Alice",
    "alice",
    "@example.test",
    "nina",
    "Generic",
)
_DATA += ("/oidc/.well-known/openid-configuration", "/oidc/jwks", "/messages", "/account", "admin of Acme")
_DATA += ("Workroom <no-reply@workroom.example>", "Workroom", "Your code is", "text/plain", "SignIn", "Naver")
_DATA += ("http://localhost:3000/i/1", "WDJB-MJHT", "maria@corp.example", "Corp", "connector.invalid_config")


async def test_pages_of_a_sign_in_are_translated(logto: ExperienceApp, tmp_path: Path, check: Check) -> None:
    people = [{"identifier": "alice", "password": "x", "name": "Alice Moreau", "hint": "admin of Acme"}]
    (tmp_path / "people.json").write_text(json.dumps(people))
    get, post = logto.browser.get, logto.post
    for path in ("/", "/messages", "/unknown-session", "/single-sign-on", "/messages/none"):
        await check(get(path))
    await check(get("/forgot-password"))
    await logto.configure(**CODES_BY_EMAIL_AND_PHONE)
    first = ("/sign-in", "/identifier-sign-in?identifier=email", "/identifier-register?identifier=phone")
    for path in (*first, "/register", "/forgot-password", "/sign-in?one_time_token=x&login_hint=nina"):
        await check(get(path))
    for typed in ("", "x" * 300, "07700 900123", "nina@example"):
        await check(post("/sign-in", {"identifier": typed}))
    await check(post("/register", {"identifier": "nobody"}))
    await check(post("/demo-sign-in", {"person": "nobody"}))
    await check(post("/demo-sign-in", {"person": "alice"}))
    await check(post("/sign-in", {}, **{"Sec-Fetch-Site": "cross-site"}))
    await post("/sign-in", {"identifier": NINA})
    code = await last_code(logto)
    await check(get("/sign-in/verification-code"))
    for form in ({"code": "12"}, {"code": "000000"}, {"resend": "1"}):
        await check(post("/sign-in/verification-code", form))
    await check(get("/sign-in/password"))
    await check(post("/sign-in/password", {"password": "x"}))
    await post("/sign-in/verification-code", {"code": code})
    await check(get("/sign-in/no-account"))


async def test_pages_of_a_registration_are_translated(logto: ExperienceApp, check: Check) -> None:
    email = [{"identifier": "email", "verify": True}]
    sign_up = {"identifiers": ["username"], "password": True, "verify": True, "secondaryIdentifiers": email}
    await logto.configure(**CODES_BY_EMAIL_AND_PHONE | {"signUp": sign_up})
    get, post = logto.browser.get, logto.post
    await post("/register", {"identifier": "nina"})
    await check(get("/register/password"))
    for typed, again in (("short", "short"), ("aaaa1234", "other"), ("nina1234", "nina1234")):
        await check(post("/register/password", {"password": typed, "confirmPassword": again}))
    for missing in ("password", "username", "email", "phone", "emailOrPhone"):
        await check(get(f"/continue/{missing}"))
    await check(post("/continue/username", {"identifier": "1st"}))
    await logto.add_user("alice", primary_email=NINA)
    await logto.configure(**CODES_BY_EMAIL_AND_PHONE)
    await post("/register", {"identifier": NINA})
    await post("/register/verification-code", {"code": await last_code(logto)})
    await check(get("/register/account-exists"))
    await post("/forgot-password", {"identifier": NINA})
    await check(get("/forgot-password/verification-code"))
    await post("/forgot-password/verification-code", {"code": await last_code(logto)})
    await check(get("/forgot-password/reset"))


async def test_messages_are_translated_except_for_what_they_say(logto: ExperienceApp, check: Check) -> None:
    link, html = "http://localhost:3000/i/1", "<p>Workroom</p>"
    sender = "Workroom <no-reply@workroom.example>"
    mail = Message("email", NINA, "Generic", now_ms(), "123456", link, "Workroom", "Workroom", sender, html)
    text = Message("phone", "12025550101", "Generic", now_ms(), code="123456", text="Workroom")
    for message in (mail, text):
        store_message(logto.store, message)
    for path in ("/messages", "/messages?q=zzz", f"/messages/{mail.id}", f"/messages/{text.id}"):
        await check(logto.browser.get(path))


async def test_pages_of_second_factors_are_translated(logto: ExperienceApp, check: Check) -> None:
    every = ("Totp", "BackupCode", "EmailVerificationCode", "PhoneVerificationCode")
    get, post, typed = logto.browser.get, logto.post, {"identifier": "alice", "password": PASSWORD}
    await logto.configure(mfa={"factors": every, "policy": "PromptOnlyAtSignIn"})
    await logto.add_user("alice")
    await post("/sign-in", typed)
    await check(get("/mfa-onboarding"))
    await logto.configure(mfa={"factors": every, "policy": "Mandatory"})
    for path in ("/mfa-binding", "/mfa-binding/Totp", "/mfa-binding/BackupCode"):
        await check(get(path))
    await check(post("/mfa-binding/Totp", {"code": "12"}))
    factors = [totp_factor(SECRET, 0), backup_code_factor(["a" * 10], 0)]
    await logto.add_user(
        "alice_2", mfa_verifications=factors, primary_email=NINA, primary_phone="12025550101"
    )
    await post("/sign-in", {**typed, "identifier": "alice_2"})
    ways = ("Totp", "BackupCode", "EmailVerificationCode", "PhoneVerificationCode")
    for path in ("/mfa-verification", *(f"/mfa-verification/{way}" for way in ways)):
        await check(get(path))
    for way in ("Totp", "BackupCode"):
        await check(post(f"/mfa-verification/{way}", {"code": "12"}))
    await post("/mfa-verification/EmailVerificationCode", {})
    await check(get("/mfa-verification/EmailVerificationCode"))


async def test_pages_of_naver_are_translated(app: SocialApp, check: Check) -> None:
    get = app.logto.browser.get
    await check(get("/sign-in"))
    await check(app.round_trip("cancel"))
    await check(app.come_back("/callback/unknown?state=x&app_id=client"))
    app.naver.answer_malformed(path="/oauth2.0/token")
    await check(app.round_trip())
    app.naver.behave()
    await app.logto.add_user("sujin", primary_email=SUJIN.email)
    link = (await app.round_trip()).headers["Location"]
    await check(get(link))


async def test_pages_of_single_sign_on_are_translated(tmp_path: Path, check: Check) -> None:
    async with company_app(tmp_path) as app:
        get, post = app.logto.browser.get, app.logto.post
        for path in ("/sign-in", "/single-sign-on/email", f"/direct/sso/{CONNECTOR}"):
            await check(get(path))
        await check(post("/single-sign-on/email", {"identifier": NINA}))
        await post("/sign-in", {"identifier": MARIA.claims["email"]})
        await check(get("/single-sign-on/connectors"))
        await app.logto.configure(**SSO, signInMode="SignIn")
        await check(app.round_trip())
        app.provider.refuse(503)
        await check(get(f"/direct/sso/{CONNECTOR}"))


async def test_pages_of_the_account_are_translated(site: Site, proven_alice: str, check: Check) -> None:
    factors = [totp_factor(SECRET, 0), backup_code_factor(["a" * 10], 0)]
    identities = {"naver": {"userId": "n1", "details": {"email": NINA}}}
    for notice in ("name", "password", "totp", "factor-removed"):
        await check(site.get(f"/account?notice={notice}"))
    for path in ("name", "username", "password", "email", "phone", "authenticator-app", "backup-codes"):
        await check(site.get(f"/account/{path}"))
    for path, form in {
        "name": {"name": ""},
        "username": {"identifier": "1st"},
        "password": {"password": "short", "confirmPassword": "short"},
        "email": {"identifier": "nina"},
        "authenticator-app": {"code": "12"},
    }.items():
        await check(site.post(f"/account/{path}", **form))
    await site.post("/account/email", identifier=NINA)
    await check(site.get("/account/email/verification-code"))
    await site.change_user(proven_alice, mfa_verifications=factors, identities=identities)
    for path in ("", "/backup-codes", "/authenticator-app/remove", "/backup-codes/remove"):
        await check(site.get(f"/account{path}"))
    await check(site.get("/account/identities/naver/remove"))
    await site.change_user(proven_alice, is_suspended=True)
    await check(site.get("/account"))


async def test_pages_of_the_proof_are_translated(site: Site, alice: str, check: Check) -> None:
    await site.change_user(alice, primary_phone="12025550101")
    await site.get("/account/password")
    for path in ("", "/password", "/email", "/phone"):
        await check(site.get(f"/account/verify{path}"))
    await check(site.post("/account/verify/password", password="x"))
    await site.post("/account/verify/email")
    await check(site.get("/account/verify/email"))


async def test_pages_of_devices_and_of_signing_out_are_translated(api: ManagementApp, check: Check) -> None:
    get = api.client.get
    await get("/oidc/device")
    for path in ("/device", "/device?user_code=WDJB-MJHT", "/device?error=x", "/device/success"):
        await check(get(path))
    for error in ("NoCodeError", "NotFoundError", "ExpiredError", "AlreadyUsedError", "AbortedError"):
        await check(get(f"/device?error={error}"))
    await check(get("/oidc/device?user_code=WDJB-MJHT"))
    await check(get("/oidc/session/end"))
    await check(get("/oidc/session/end/success"))
    await check(get("/nowhere", headers={"Accept": "text/html"}))
    await check(api.client.delete("/sign-in", headers={"Accept": "text/html"}))


async def test_a_text_that_escapes_is_found() -> None:
    page = '<p>⟦Enter your ⟦email⟧.⟧ Hello <strong>nina</strong></p><a title="Go">⟦Go⟧</a><code>x yz</code>'
    assert escaped_texts(page, "nina") == ["Go", "Hello"]
