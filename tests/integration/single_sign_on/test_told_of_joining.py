"""People who joined through single sign-on, and their admins, are told so."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests.clients import Browser
from tests.integration.single_sign_on.company import Company, SignInThroughCompany

LANGUAGES: Final = ("en", "es")
IN_LOG: Final = {
    "en": "</b> joined through single sign-on with <em>Corp</em>",
    "es": "</b> se unió mediante el inicio de sesión único con <em>Corp</em>",
}
NOTIFIED: Final = {
    "en": "You joined {} through single sign-on with Corp.",
    "es": "Te uniste a {} mediante el inicio de sesión único con Corp.",
}
NOTICE: Final = {
    "en": "automatically because you signed in through its identity provider, <strong>Corp</strong>.",
    "es": "automáticamente porque iniciaste sesión con su proveedor de identidad, <strong>Corp</strong>.",
}
BY_DOMAIN: Final = {"en": "because your email address is at", "es": "porque tu correo electrónico es de"}


@pytest.fixture
async def newcomer(open_company: Company, sign_in_through_company: SignInThroughCompany) -> Browser:
    """The browser of somebody who has just joined."""
    return await sign_in_through_company(open_company, open_company.address("newcomer"))


async def read(browser: Browser, path: str, language: str) -> str:
    page = await browser.text(path, headers={"Accept-Language": language})
    return re.sub("[\u2068\u2069]", "", page)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_audit_log_says_so(open_company: Company, newcomer: Browser, language: str) -> None:
    page = await read(open_company.browser, f"{open_company.root}/audit", language)
    assert IN_LOG[language] in page


async def test_the_entry_names_the_provider_and_the_email_domain(
    open_company: Company, newcomer: Browser
) -> None:
    (event,) = await open_company.events("member.join")
    page = await read(open_company.browser, f"{open_company.root}/audit/{event.id}", "en")
    assert "Identity provider" in page
    assert open_company.domain in page


@pytest.mark.parametrize("language", LANGUAGES)
async def test_their_notification_says_so(open_company: Company, newcomer: Browser, language: str) -> None:
    page = await read(newcomer, "/notifications", language)
    assert NOTIFIED[language].format(open_company.name) in page


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_notice_on_their_first_page_says_so(
    open_company: Company, newcomer: Browser, language: str
) -> None:
    page = await read(newcomer, f"{open_company.root}/", language)
    assert NOTICE[language] in page
    assert BY_DOMAIN[language] not in page
    assert f'href="{open_company.root}/leave"' in page


async def test_they_can_dismiss_the_notice(open_company: Company, newcomer: Browser) -> None:
    await newcomer.post(f"{open_company.root}/joined")
    assert NOTICE["en"] not in await read(newcomer, f"{open_company.root}/", "en")
