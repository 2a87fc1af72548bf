"""The sign-in pages while a message provider refuses, does not reply or is missing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
import time_machine
from quart import Response

from local_logto import second_factors
from local_logto.connectors.registry import connectors
from local_logto.fakes.gatewayapi import API_TOKEN, FakeGatewayApi, fake_gatewayapi
from local_logto.fakes.mailgun import API_KEY, DOMAIN, FakeMailgun, fake_mailgun
from local_logto.fakes.server import FakeProvider
from local_logto.store import now_ms
from unit.experience_app import (
    CODES_BY_EMAIL_AND_PHONE,
    PASSWORD,
    ExperienceApp,
    experience_app,
)
from unit.experience_calls import VERIFY, begin, email, send_code, verification
from unit.page_reading import leads_to, page, text_of

PATIENCE = 1.0
NINA = {"identifier": "nina@example.test"}
CODE_PAGE = "/sign-in/verification-code"
UNSENT = "The message could not be sent."
USAGES = ("SignIn", "Register", "ForgotPassword", "Generic")
SECRET_ANSWER = "Domain sandbox: ask the owner of account 4711"
BAD_DAYS: dict[str, Callable[[FakeProvider], None]] = {
    "wrong key": lambda provider: provider.refuse(401, SECRET_ANSWER),
    "500": lambda provider: provider.refuse(500),
    "malformed JSON": lambda provider: provider.answer_malformed(500),
    "slow": lambda provider: provider.answer_slowly(),
    "hangs up": lambda provider: provider.drop_connections(),
}


@dataclass
class Providers:
    """A sign-in in progress, and the two providers of its messages."""

    logto: ExperienceApp
    mailgun: FakeMailgun
    gatewayapi: FakeGatewayApi

    async def post(self, path: str, form: dict[str, str]) -> tuple[int, str]:
        """Submit a form. Returns the status and the page."""
        response = await self.logto.post(path, form)
        return response.status_code, unescape(await text_of(response))

    async def send(self) -> Response:
        return await self.logto.post("/sign-in", NINA)


@pytest.fixture
async def providers(tmp_path: Path) -> AsyncIterator[Providers]:
    async with (
        fake_mailgun() as mailgun,
        fake_gatewayapi() as gatewayapi,
        experience_app(tmp_path, mailgun_base_url=mailgun.base_url, connector_timeout=PATIENCE) as logto,
    ):
        await logto.configure(**CODES_BY_EMAIL_AND_PHONE)
        letter = {"subject": "Code", "html": "<b>{{code}}</b>"}
        mail = {"domain": DOMAIN, "apiKey": API_KEY, "from": "Workroom <no-reply@workroom.example>"}
        sms = {"endpoint": f"{gatewayapi.base_url}/rest/mtsms", "apiToken": API_TOKEN, "sender": "Workroom"}
        texts = [{"usageType": usage, "content": "Your code: {{code}}"} for usage in USAGES]
        deliveries = dict.fromkeys(USAGES, letter)
        add_connector(logto, "mailgun-email", "Email", {**mail, "deliveries": deliveries})
        add_connector(logto, "gatewayapi-sms", "Sms", {**sms, "templates": texts})
        yield Providers(logto, mailgun, gatewayapi)


def add_connector(logto: ExperienceApp, factory: str, type_: str, config: dict[str, object]) -> None:
    row = {"id": factory[:12], "connector_id": factory, "type": type_, "target": factory, "config": config}
    with logto.store.begin() as connection:
        connection.execute(connectors.insert().values(**row, created_at=now_ms()))


async def test_page_offers_other_ways_if_the_message_is_not_sent(providers: Providers) -> None:
    user_id = await providers.logto.add_user("nina", primary_email="nina@example.test")
    providers.mailgun.refuse(401, SECRET_ANSWER)
    status, html = await providers.post("/sign-in", NINA)
    assert status == 502
    assert UNSENT in html
    assert 'value="nina@example.test"' in html
    assert '<button type="submit">Try again</button>' in html
    assert 'href="/sign-in/password">Sign in with password</a>' in html
    assert SECRET_ANSWER not in html
    assert API_KEY not in html
    done = await providers.logto.post("/sign-in/password", {"password": PASSWORD})
    assert "/oidc/auth/" in leads_to(done)
    assert await providers.logto.signed_in_user() == user_id


async def test_message_can_be_sent_after_failures(providers: Providers) -> None:
    await providers.logto.add_user("nina", primary_email="nina@example.test")
    providers.mailgun.refuse(500)
    for _ in range(11):  # what was not sent does not count against the ten in ten minutes
        assert (await providers.send()).status_code == 502
    providers.mailgun.behave()
    providers.mailgun.received.clear()
    assert leads_to(await providers.send()) == CODE_PAGE
    code = await providers.mailgun.next_code("nina@example.test")
    assert "/oidc/auth/" in leads_to(await providers.logto.post(CODE_PAGE, {"code": code}))


@pytest.mark.parametrize("day", BAD_DAYS)
@pytest.mark.parametrize("identifier", ["nina@example.test", "+44 7700 900123"])
async def test_provider_failure_is_explained_in_time_and_another_way_works(
    providers: Providers, identifier: str, day: str
) -> None:
    await providers.logto.add_user("nina", primary_email="nina@example.test")
    BAD_DAYS[day](providers.mailgun if "@" in identifier else providers.gatewayapi)
    async with asyncio.timeout(20):  # a slow provider never replies
        status, html = await providers.post("/sign-in", {"identifier": identifier})
    assert status == (504 if day == "slow" else 502)
    assert UNSENT in html
    assert SECRET_ANSWER not in html
    _, section = html.split("Try another way")
    paths = re.findall(r'href="([^"]+)">Sign in with (?:username|password|email)', section)
    other = await page(providers.logto, unescape(paths[-1]))
    assert 'name="identifier"' in other
    await providers.post(unescape(paths[-1]), {"identifier": "nina"})
    done = await providers.logto.post("/sign-in/password", {"password": PASSWORD})
    assert "/oidc/auth/" in leads_to(done)


@pytest.mark.parametrize("identifier", ["nina@example.test", "+44 7700 900123"])
async def test_success_with_a_malformed_body_is_a_success(providers: Providers, identifier: str) -> None:
    """Logto too checks only the status."""
    for provider in (providers.mailgun, providers.gatewayapi):
        provider.answer_malformed(200)
    assert leads_to(await providers.logto.post("/sign-in", {"identifier": identifier})) == CODE_PAGE


async def test_first_code_stays_valid_after_a_failed_resend(
    providers: Providers, clock: time_machine.Traveller
) -> None:
    await providers.logto.add_user("nina", primary_email="nina@example.test")
    await providers.send()
    code = await providers.mailgun.next_code("nina@example.test")
    clock.shift(timedelta(seconds=60))
    providers.mailgun.refuse(500)
    status, html = await providers.post(CODE_PAGE, {"resend": "1"})
    assert status == 502
    assert UNSENT in html
    assert 'name="resend" value="1">Try again</button>' in html
    assert "Resend verification code" not in html
    assert "Sign in with password" in html
    assert "All sign-in options" in html
    assert "/oidc/auth/" in leads_to(await providers.logto.post(CODE_PAGE, {"code": code}))


async def test_password_page_still_works_if_a_code_cannot_be_sent(providers: Providers) -> None:
    await providers.logto.add_user("nina", primary_email="nina@example.test")
    await providers.send()
    providers.mailgun.refuse(500)
    status, html = await providers.post("/sign-in/password", {"send_code": "1"})
    assert status == 502
    assert 'name="send_code" value="1">Try again</button>' in html
    assert 'name="password"' in html
    done = await providers.logto.post("/sign-in/password", {"password": PASSWORD})
    assert "/oidc/auth/" in leads_to(done)


async def test_api_reports_the_failure_and_keeps_the_earlier_verification(providers: Providers) -> None:
    logto = providers.logto
    await begin(logto, "SignIn")
    sent = await send_code(logto, "nina@example.test", "SignIn")
    code = await providers.mailgun.next_code("nina@example.test")
    providers.mailgun.refuse(500)
    body = {"identifier": email("nina@example.test"), "interactionEvent": "SignIn"}
    status, answer = await logto.call("POST", "/verification/verification-code", body)
    assert (status, answer["code"]) == (400, "connector.general")
    assert (await logto.call("POST", VERIFY, verification("nina@example.test", sent, code)))[0] == 200


@pytest.mark.parametrize(
    ("path", "way_on"),
    [
        ("/register", "/identifier-register?identifier=phone"),
        ("/register", "/sign-in"),
        ("/forgot-password", "/sign-in"),
    ],
)
async def test_other_flows_explain_the_failure_too(providers: Providers, path: str, way_on: str) -> None:
    await providers.logto.add_user("nina", primary_email="nina@example.test")
    providers.mailgun.refuse(500)
    status, html = await providers.post(path, NINA)
    assert status == 502
    assert UNSENT in html
    assert "Try again" in html
    assert f'href="{way_on}"' in html.split("Try another way")[1]
    assert 'name="identifier"' in await page(providers.logto, way_on)
    providers.mailgun.behave()
    assert leads_to(await providers.logto.post(path, NINA)) == f"{path}/verification-code"


async def test_person_whose_missing_address_cannot_be_verified_can_sign_in_differently(
    providers: Providers,
) -> None:
    wanted = {"identifiers": ["username"], "password": True, "verify": True}
    with_email = {**wanted, "secondaryIdentifiers": [{"identifier": "email", "verify": True}]}
    await providers.logto.configure(**{**CODES_BY_EMAIL_AND_PHONE, "signUp": with_email})
    await providers.logto.add_user("nina")
    await providers.post("/sign-in", {"identifier": "nina"})
    missing = await providers.logto.post("/sign-in/password", {"password": PASSWORD})
    assert leads_to(missing) == "/continue/email"
    providers.mailgun.refuse(500)
    status, html = await providers.post("/continue/email", NINA)
    assert status == 502
    assert 'href="/sign-in">All sign-in options</a>' in html.split("Try another way")[1]


async def test_other_factors_are_offered_if_a_code_cannot_be_sent(providers: Providers) -> None:
    logto = providers.logto
    factors = ["Totp", "EmailVerificationCode"]
    await logto.configure(mfa={"factors": factors, "policy": "NoPrompt"})
    totp = second_factors.totp_factor(second_factors.new_totp_secret(), 0)
    await logto.add_user("nina", primary_email="nina@example.test", mfa_verifications=[totp])
    await providers.post("/sign-in", {"identifier": "nina", "password": PASSWORD})
    providers.mailgun.refuse(500)
    status, html = await providers.post("/mfa-verification/EmailVerificationCode", {})
    assert status == 502
    assert UNSENT in html
    assert 'href="/mfa-verification">Try another method to verify</a>' in html
    assert "/mfa-verification/Totp" in await page(logto, "/mfa-verification")


async def test_page_does_not_mention_the_messages_page_for_real_messages(
    providers: Providers,
) -> None:
    await providers.send()
    html = await page(providers.logto, CODE_PAGE)
    assert "A verification code was sent to nina@example.test. It works for 10 minutes." in html
    assert "under Messages" not in html


async def test_missing_connector_is_explained(tmp_path: Path) -> None:
    async with experience_app(tmp_path, built_in_messages=False) as logto:
        await logto.configure(**CODES_BY_EMAIL_AND_PHONE)
        response = await logto.post("/sign-in", NINA)
        assert response.status_code == 501
        assert "no connector is set up" in await text_of(response)
