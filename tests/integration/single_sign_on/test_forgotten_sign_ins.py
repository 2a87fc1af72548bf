"""Logto forgets how a browser signed in, when the application comes back for consent in the same session.

So what it said the first time counts. Who came in when it had forgotten already signs in again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from saas_app.db.base import utc_now
from saas_app.identity.arrivals import Admission, Arrival
from saas_app.identity.vault import new_cookie_value
from saas_app.logto import BrowserSession
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from saas_app.single_sign_on.known_sign_ins import KnownSignIns
from saas_app.single_sign_on.queries import delete_connection
from saas_app.single_sign_on.values import Stage
from tests.clients import FRESH, Browser, Person, text_of
from tests.conftest import OpenBrowser
from tests.factories import Factory, address_of
from tests.integration.single_sign_on.company import (
    Company,
    SignInThroughCompany,
    callback_of_renewal,
    new_domain,
)

ASKED = "/sign-in?prompt=login&next=%2F"


@pytest.fixture
async def browser(
    connection_on: Company, carol: Person, sign_in_through_company: SignInThroughCompany
) -> Browser:
    """Carol's browser, which came through the company."""
    return await sign_in_through_company(connection_on, connection_on.address(carol.username))


async def test_logto_forgets_a_sign_in_through_a_company(
    connection_on: Company, carol: Person, browser: Browser
) -> None:
    """The other tests of this file rely on it."""
    await callback_of_renewal(browser)

    (session,) = await connection_on.management.list_user_sessions(carol.id)
    assert (session.is_forgotten, session.is_explained) == (True, False)


@pytest.mark.parametrize("times", [1, 2])
async def test_a_renewed_session_is_still_one_through_the_company(
    connection_on: Company, carol: Person, browser: Browser, times: int
) -> None:
    for _ in range(times):
        await browser.get(await callback_of_renewal(browser), 303)

    connector_id = (await connection_on.connection()).connector_id
    assert await connection_on.sessions_here(carol.id) == [connector_id]


async def test_a_renewed_session_by_password_is_still_one_by_password(
    connection_on: Company, carol: Person, open_browser: OpenBrowser
) -> None:
    own = await open_browser(carol)

    await own.get(await callback_of_renewal(own), 303)

    assert await connection_on.sessions_here(carol.id) == [None]


async def test_a_second_sign_in_in_a_browser_with_a_session_is_silent(
    connection_on: Company, carol: Person, browser: Browser
) -> None:
    await browser.get(await callback_of_renewal(browser, "/sign-in"), 303)

    connector_id = (await connection_on.connection()).connector_id
    assert await connection_on.sessions_here(carol.id) == [connector_id]


async def test_a_person_whose_session_here_has_ended_comes_in_as_before(
    connection_on: Company, carol: Person, browser: Browser
) -> None:
    await connection_on.runtime.sessions.end_all(carol.id)

    await browser.get(await callback_of_renewal(browser, "/sign-in"), 303)

    connector_id = (await connection_on.connection()).connector_id
    assert await connection_on.sessions_here(carol.id) == [connector_id]


async def test_signing_in_again_leads_to_the_page(carol: Person, open_browser: OpenBrowser) -> None:
    new = await open_browser()
    first = await new.callback(carol, "/sign-in?next=/account")
    await callback_of_renewal(new, "/sign-in")
    asked = await new.get(first, 303)

    assert asked.headers["Location"] == "/sign-in?prompt=login&next=%2Faccount"
    assert await new.sign_in(carol, asked.headers["Location"]) == "/account"


async def test_a_sign_in_that_another_tab_overtook_is_made_again(
    connection_on: Company, carol: Person, open_browser: OpenBrowser
) -> None:
    connection_on.asserts(connection_on.address(carol.username))
    new = await open_browser()
    first = await connection_on.callback(new)
    await connection_on.callback(new)

    asked = await new.get(first, 303)

    assert asked.headers["Location"] == ASKED
    assert await connection_on.management.list_user_sessions(carol.id) == []


# --- what a forgotten sign-in must not bring


async def test_nothing_is_renewed_once_the_connection_is_removed(
    connection_on: Company, carol: Person, browser: Browser
) -> None:
    callback = await callback_of_renewal(browser)
    async with connection_on.runtime.work.writing(connection_on.id) as db:
        await delete_connection(db, connection_on.id)

    page = await text_of(await browser.get(callback, 400))

    assert "has removed its single sign-on" in page
    assert await connection_on.management.list_user_sessions(carol.id) == []


async def test_nothing_is_renewed_after_the_account_got_an_address_elsewhere(
    connection_on: Company, carol: Person, browser: Browser
) -> None:
    callback = await callback_of_renewal(browser)
    elsewhere = f"carol@{new_domain()}"
    await connection_on.management._transport.call(
        "PATCH", f"/users/{carol.id}", body={"primaryEmail": elsewhere}
    )

    page = await text_of(await browser.get(callback, 400))

    assert "outside the verified domains" in page


async def test_nothing_is_renewed_whose_identity_is_gone(
    connection_on: Company, carol: Person, browser: Browser
) -> None:
    callback = await callback_of_renewal(browser)
    connector_id = (await connection_on.connection()).connector_id
    await connection_on.management.delete_sso_connector(connector_id)

    page = await text_of(await browser.get(callback, 400))

    assert "not linked to your company’s" in page


async def test_a_false_sign_in_that_logto_has_forgotten_lets_nobody_in(
    connection_on: Company, make: Factory, open_browser: OpenBrowser
) -> None:
    """Another tab has come back for consent, and the attacker is signed in here as themselves."""
    victim = await make.person("Victor")
    mallory = await make.person("Mallory", domain=connection_on.domain)
    browser = await open_browser(mallory)
    await connection_on.point_elsewhere()
    connection_on.asserts(address_of(victim))
    await browser.forget_logto()
    first = await connection_on.callback(browser)
    await connection_on.callback(browser)

    done = await browser.get(first, 303)

    assert done.headers["Location"] == ASKED
    assert await connection_on.sessions_here(victim.id) == []


async def test_another_session_at_logto_is_not_the_one_from_before(
    connection_on: Company, carol: Person, browser: Browser
) -> None:
    """Carol is signed in here through the company. Then she signs in at Logto by password only."""
    await browser.forget_logto()
    await browser.callback(carol, "/sign-in")
    callback = await callback_of_renewal(browser, "/sign-in")

    done = await browser.get(callback, 303)

    assert done.headers["Location"] == ASKED


async def test_a_new_sign_in_at_logto_does_not_count_as_the_one_before(
    connection_on: Company, carol: Person, browser: Browser
) -> None:
    """Carol was signed in through the company. In two tabs, she signs in by password, and renews."""
    by_password = await browser.callback(carol, FRESH)
    await callback_of_renewal(browser)

    page = await text_of(await browser.get(by_password, 400))

    assert "did not say how you signed in" in page


async def test_renewing_keeps_the_roles_of_the_groups(
    company: Company, make: Factory, sign_in_through_company: SignInThroughCompany
) -> None:
    mapping = [["staff", Role.EDITOR.value]]
    await company.connect(Stage.ON, joins=True, group_claim="groups", group_roles=mapping)
    dora = await make.person("Dora", domain=company.domain)
    browser = await sign_in_through_company(company, company.address(dora.username), groups=["staff"])

    await browser.get(await callback_of_renewal(browser), 303)

    assert await company.roles_at_logto(dora) == {Role.EDITOR.value}


# --- which sign-in is known


@pytest.fixture
def known(runtime: Runtime) -> KnownSignIns:
    return KnownSignIns(runtime.work, runtime.vault)


@pytest.fixture
def session() -> BrowserSession:
    """A session at Logto, in which it signed somebody in just now."""
    return BrowserSession(uid="u", signed_in_at=utc_now())


@pytest.fixture
async def arrival(known: KnownSignIns, session: BrowserSession) -> Arrival:
    """The arrival of a person who came in through a connector."""
    arrived = Arrival(new_cookie_value(), new_cookie_value())
    await known.remember(arrived, session, Admission("c1", "s1", roles_changed=True))
    return arrived


async def test_a_known_sign_in_is_found_again_and_again(
    known: KnownSignIns, arrival: Arrival, session: BrowserSession
) -> None:
    assert [await known.find(arrival, session) for _ in range(2)] == [Admission("c1", "s1")] * 2


async def test_the_newest_sign_in_is_known(
    known: KnownSignIns, arrival: Arrival, session: BrowserSession
) -> None:
    await known.remember(arrival, session, Admission())

    assert await known.find(arrival, session) == Admission()


@pytest.mark.parametrize("other", [{"subject": "somebody"}, {"sid": "another"}, {"sid": None}])
async def test_the_sign_in_of_another_person_or_session_is_not_known(
    known: KnownSignIns, arrival: Arrival, session: BrowserSession, other: dict[str, str | None]
) -> None:
    assert await known.find(replace(arrival, **other), session) is None


@pytest.mark.parametrize("seconds", [-1, 1])
async def test_a_sign_in_at_another_time_is_not_known(
    known: KnownSignIns, arrival: Arrival, session: BrowserSession, seconds: int
) -> None:
    assert session.signed_in_at is not None
    later = BrowserSession(uid="u", signed_in_at=session.signed_in_at + timedelta(seconds=seconds))

    assert await known.find(arrival, later) is None
