"""Whoever's account a company's provider tried to enter is told of it, and nobody else is."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from saas_app.db.base import utc_now
from saas_app.identity.preferences import Preferences
from saas_app.models import Notification, NotificationKind
from saas_app.notifications import recorder
from saas_app.runtime import Runtime
from saas_app.single_sign_on.values import Stage
from tests.clients import Browser, Person
from tests.conftest import OpenBrowser
from tests.factories import Factory, address_of
from tests.integration.notifications.post_office import PostOffice, worker_for
from tests.integration.notifications.reading import notifications_of, told
from tests.integration.single_sign_on.company import Company, new_company, new_domain
from tests.served import APP_URL

LIST = "/notifications"


@pytest.fixture
async def victim(make: Factory, open_browser: OpenBrowser) -> Person:
    """A person who has used Workroom, and has nothing to do with the company."""
    person = await make.person("Victor")
    await open_browser(person)
    return person


async def attack(company: Company, person: Person, browser: Browser) -> None:
    """Let the provider claim the address of a person, and be refused."""
    company.asserts(address_of(person))
    await company.refusal(browser)


def sentence_about(company: Company) -> str:
    return (
        "Workroom rejected a sign-in to your account through the identity provider of "
        f"{company.name} ({company.domain}), which may not vouch for your email address. Workroom showed "
        "nothing of yours. If it was not you, open Logto’s account page, check that the username, the "
        "password and the second factor are yours, and tell the operator."
    )


async def test_the_owner_reads_whose_provider_claimed_their_address(
    connection_on: Company, victim: Person, open_browser: OpenBrowser
) -> None:
    await attack(connection_on, victim, await open_browser())

    page = await (await open_browser(victim)).text(LIST)

    assert sentence_about(connection_on) in page
    assert "View my account" in page


async def test_the_refused_browser_cannot_read_it(
    connection_on: Company, victim: Person, open_browser: OpenBrowser
) -> None:
    browser = await open_browser()

    await attack(connection_on, victim, browser)

    await browser.get(LIST, 303)


async def test_the_admin_of_the_company_is_not_told(
    connection_on: Company, victim: Person, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    await attack(connection_on, victim, await open_browser())

    assert await told(runtime, connection_on.admin.id) == []


async def test_a_link_made_by_a_false_assertion_is_told_too(
    connection_on: Company, victim: Person, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    sub = connection_on.asserts(address_of(victim)).id
    await connection_on.refusal(await open_browser())
    async with runtime.jobs.writing() as db:
        await db.execute(sa.delete(Notification).where(Notification.user_id == victim.id))
    connection_on.asserts(connection_on.address("proper"), sub=sub)

    await connection_on.refusal(await open_browser())

    (row,) = await notifications_of(runtime, victim.id)
    assert row.kind is NotificationKind.ADDRESS_CLAIMED


@pytest.mark.parametrize("stage", [Stage.CONFIGURED, Stage.TESTED])
async def test_a_connection_that_is_off_is_told_too(
    company: Company, victim: Person, open_browser: OpenBrowser, runtime: Runtime, stage: Stage
) -> None:
    await company.connect(stage)

    await attack(company, victim, await open_browser())

    (row,) = await notifications_of(runtime, victim.id)
    assert row.kind is NotificationKind.ADDRESS_CLAIMED


async def test_a_test_that_leads_to_somebody_elses_account_is_told_too(
    company: Company, victim: Person, runtime: Runtime
) -> None:
    await company.connect(Stage.CONFIGURED)
    company.asserts(address_of(victim))
    started = await company.browser.get(f"{company.root}/single-sign-on/test", 303)

    await company.browser.get(await company.browser.callback_of(started.headers["Location"], None), 400)

    (row,) = await notifications_of(runtime, victim.id)
    assert row.kind is NotificationKind.ADDRESS_CLAIMED


async def test_a_test_with_the_own_account_is_told_on_the_page_only(
    company: Company, runtime: Runtime
) -> None:
    await company.connect(Stage.CONFIGURED)
    company.asserts(company.address(company.admin.username))
    started = await company.browser.get(f"{company.root}/single-sign-on/test", 303)
    callback = await company.browser.callback_of(started.headers["Location"], None)
    await company.lose()

    await company.browser.get(callback, 400)

    assert await told(runtime, company.admin.id) == []


async def test_an_organization_is_not_named_for_what_another_ones_provider_claimed(
    company: Company, victim: Person, make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    await company.connect(Stage.CONFIGURED)
    other = await new_company(make, open_browser, runtime, company.provider)
    connector_id = await other.connect(Stage.CONFIGURED)
    company.asserts(address_of(victim))
    started = await company.browser.get(f"{company.root}/single-sign-on/test", 303)
    url = re.sub(r"(direct_sign_in=sso%3A)\w+", rf"\g<1>{connector_id}", started.headers["Location"])

    await company.browser.get(await company.browser.callback_of(url, None), 400)

    assert await told(runtime, victim.id) == []


async def test_a_renewal_of_the_own_session_is_not_told(
    connection_on: Company, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    connection_on.asserts(connection_on.address("carol"))
    browser = await open_browser()
    await connection_on.arrive(browser)
    await connection_on.lose()
    started = await browser.get("/sign-in/renew?for=x", 303)

    await browser.get(await browser.callback_of(started.headers["Location"], None), 400)

    account = await connection_on.account(connection_on.address("carol"))
    assert account is not None
    assert await told(runtime, account.id) == []


async def test_an_account_that_was_never_here_is_not_told(
    connection_on: Company, make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    person = await make.person("Nora")

    await attack(connection_on, person, await open_browser())

    assert await told(runtime, person.id) == []


async def test_other_refusals_are_not_told(
    connection_on: Company, make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    person = await make.person("Carol", domain=connection_on.domain)
    await open_browser(person)
    connection_on.asserts(connection_on.address(person.username))
    browser = await open_browser()
    callback = await connection_on.callback(browser)
    await connection_on.change(on_at=None)

    await browser.get(callback, 400)

    assert len(await connection_on.events("sso.refuse")) == 1
    assert await told(runtime, person.id) == []


async def test_a_flood_of_attempts_is_told_once(
    connection_on: Company, victim: Person, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    for _attempt in range(3):
        await attack(connection_on, victim, await open_browser())

    assert len(await told(runtime, victim.id)) == 1
    assert len(await connection_on.events("sso.refuse")) == 3


async def test_attempts_at_the_same_moment_are_told_once(
    connection_on: Company, victim: Person, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    connection_on.asserts(address_of(victim))
    browsers = [await open_browser() for _browser in range(3)]
    callbacks = [await connection_on.callback(browser) for browser in browsers]

    await asyncio.gather(
        *(browser.get(callback, 400) for browser, callback in zip(browsers, callbacks, strict=True))
    )

    assert len(await told(runtime, victim.id)) == 1


async def test_another_attempt_on_the_next_day_is_told_again(
    connection_on: Company,
    victim: Person,
    open_browser: OpenBrowser,
    runtime: Runtime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await attack(connection_on, victim, await open_browser())
    monkeypatch.setattr(recorder, "utc_now", lambda: utc_now() + timedelta(days=1))

    await attack(connection_on, victim, await open_browser())

    assert len(await told(runtime, victim.id)) == 2


async def test_only_a_domain_that_the_organization_holds_is_named(
    company: Company, victim: Person, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    lost = await company.hold(f"a{new_domain()}")
    await company.connect(domains=[lost, company.domain])
    await company.lose(lost)
    await company.hold(f"aa{new_domain()}")

    await attack(company, victim, await open_browser())

    (sentence,) = await told(runtime, victim.id)
    assert f"({company.domain})" in sentence


async def test_without_any_domain_only_the_name_is_told(
    connection_on: Company, victim: Person, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    await connection_on.lose()

    await attack(connection_on, victim, await open_browser())

    (sentence,) = await told(runtime, victim.id)
    assert f"of {connection_on.name}, which" in sentence


async def test_it_is_emailed_to_those_who_chose_emails(
    connection_on: Company, victim: Person, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    await runtime.preferences.save(victim.id, Preferences(email_language="en"))
    office = PostOffice()
    async with office.open():
        await attack(connection_on, victim, await open_browser())

        await worker_for(runtime, office).send_due()

    (letter,) = office.letters_to(victim)
    text = str(letter.get_body(("plain",)).get_content())  # type: ignore[union-attr]
    assert letter["Subject"] == f"A sign-in to your account through {connection_on.name} was rejected"
    assert sentence_about(connection_on) in text
    assert f"{APP_URL}/notifications" in text


async def test_a_member_reads_it_without_signing_in_at_the_provider(
    company: Company, make: Factory, open_browser: OpenBrowser
) -> None:
    """An organization that requires single sign-on hides its other news from them."""
    member = await make.member(company.id, "Mia", "viewer")
    browser = await open_browser(member)
    await company.connect(Stage.REQUIRED)

    await attack(company, member, await open_browser())

    assert sentence_about(company) in await browser.text(LIST)
