"""The setting that chooses emails, and the application that then sends them."""

from __future__ import annotations

import re

import pytest
from pydantic import SecretStr
from quart import Quart

from saas_app.identity.preferences import Preferences
from saas_app.runtime import Runtime
from tests.clients import Browser, Person
from tests.conftest import OpenApp, OpenBrowser
from tests.integration.members.conftest import Acme, roles_form
from tests.integration.notifications.post_office import SENDER, PostOffice
from tests.remote import eventually

SETTINGS = "/account/settings"
AUTOMATIC = {"theme": "", "language": "", "zone": ""}
LABEL = "Email me about changes to my memberships"


@pytest.fixture
async def mailing_app(open_app: OpenApp, post_office: PostOffice) -> Quart:
    """A worker that has a mail server."""
    return await open_app(smtp_url=SecretStr(post_office.url), mail_from=SENDER)


@pytest.fixture
async def browser(mailing_app: Quart, bob: Person, open_browser: OpenBrowser) -> Browser:
    """The browser of Bob at that worker."""
    return await open_browser(bob, at=mailing_app)


async def test_emails_are_off_until_they_are_chosen(browser: Browser, bob: Person, runtime: Runtime) -> None:
    before = await browser.text(SETTINGS)

    await browser.post(SETTINGS, {**AUTOMATIC, "emails": "yes"})

    box = r'<input[^>]* name="emails"[^>]*>'
    (off,), (on,) = re.findall(box, before), re.findall(box, await browser.text(SETTINGS))
    assert (LABEL in before, "checked" in off, "checked" in on) == (True, False, True)
    assert (await runtime.preferences.find(bob.id)).email_language == "en"


async def test_emails_are_turned_off_again(browser: Browser, bob: Person, runtime: Runtime) -> None:
    await browser.post(SETTINGS, {**AUTOMATIC, "emails": "yes"})

    await browser.post(SETTINGS, AUTOMATIC)

    assert (await runtime.preferences.find(bob.id)).email_language == ""


async def test_emails_have_the_language_of_the_page_on_which_they_were_chosen(
    browser: Browser, bob: Person, runtime: Runtime
) -> None:
    browser.app.set_cookie("127.0.0.1", "workroom_language", "es")

    await browser.post(SETTINGS, {**AUTOMATIC, "emails": "yes"})

    assert (await runtime.preferences.find(bob.id)).email_language == "es"


async def test_without_a_mail_server_emails_are_neither_offered_nor_changed(
    subscriber: Person, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    browser = await open_browser(subscriber)
    page = await browser.text(SETTINGS)

    await browser.post(SETTINGS, {**AUTOMATIC, "theme": "dark"})

    assert LABEL not in page
    assert await runtime.preferences.find(subscriber.id) == Preferences("", "", "dark", "en")


async def test_the_application_sends_what_a_person_chose(
    acme: Acme, browser: Browser, bob: Person, post_office: PostOffice
) -> None:
    await browser.post(SETTINGS, {**AUTOMATIC, "emails": "yes"})

    await acme.browser.post(acme.roles_of(bob), roles_form(["editor"], ["viewer"]))

    async def has_arrived() -> bool:
        return bool(post_office.letters_to(bob))

    await eventually(has_arrived, "the email about other roles")
