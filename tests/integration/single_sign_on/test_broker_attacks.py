"""Attacks by whoever controls a company's identity provider. Logto never hears of them."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from saas_app.db.base import utc_now
from saas_app.logto import ManagementClient
from saas_app.models import DomainProof
from saas_app.runtime import Runtime
from saas_app.single_sign_on.broker.provider_sign_in import ProviderSignIn
from saas_app.single_sign_on.queries import delete_connection, save_allowed
from saas_app.single_sign_on.values import Stage
from tests.clients import Browser, Person
from tests.conftest import OpenApp, OpenBrowser
from tests.factories import PASSWORD, Factory, address_of
from tests.integration.single_sign_on.company import Company, new_company, new_domain
from tests.integration.single_sign_on.interaction import Interaction
from tests.integration.single_sign_on.passage import Passage

Account = dict[str, Any]
"""An account at Logto, as its Management API shows it."""


@pytest.fixture
async def victim(management: ManagementClient) -> Account:
    """An account elsewhere that has no password, and signs in with codes by email."""
    body = {"primaryEmail": f"victor_{secrets.token_hex(5)}@elsewhere.example", "name": "Victor"}
    account: Account = (await management._transport.call("POST", "/users", body=body)).body
    return account


@pytest.fixture
async def passage(connection_on: Company, browser: Browser) -> Passage:
    """The way through the company's connection, which is on."""
    return await Passage.begin(connection_on, browser)


async def state_of(management: ManagementClient, user_id: str) -> Account:
    """Return all of an account that somebody who signs in to it at Logto can change, with its sessions."""
    path, asked = f"/users/{user_id}", {"includeSsoIdentities": "true"}
    account = (await management._transport.call("GET", path, query=asked)).body
    sessions = await management.list_user_sessions(user_id)
    return {**account, "hasPassword": account.get("hasPassword"), "sessions": sessions}


PLANTED = f"{PASSWORD}-planted"


async def plant(interaction: Interaction) -> list[int]:
    """Try to add a username and a password to the account of an interaction. Returns Logto's statuses."""
    username = f"planted_{secrets.token_hex(5)}"
    added = ({"type": "username", "value": username}, {"type": "password", "value": PLANTED})
    return [(await interaction.answer("POST", "/profile", one))[0] for one in added]


async def test_a_provider_cannot_plant_a_password_in_an_account_elsewhere(
    connection_on: Company, victim: Account, browser: Browser, management: ManagementClient
) -> None:
    """What Workroom stands between Logto and the provider for. Nobody comes back to Workroom's callback."""
    connector_id = (await connection_on.connection()).connector_id
    connection_on.asserts(victim["primaryEmail"])
    before = await state_of(management, victim["id"])
    interaction = await Interaction.begin(browser)
    way = await interaction.depart(connector_id)

    end = await interaction.pass_through(way)
    proof = {"verificationId": way["verificationId"]}
    status, identified = await interaction.answer("POST", "/identification", proof)
    planted = await plant(interaction)

    assert end.startswith(f"{connection_on.runtime.registration.issuer(connector_id)}/callback?")
    assert (status, identified["code"]) == (400, "session.verification_failed")
    assert planted == [404, 404]
    assert await state_of(management, victim["id"]) == before


async def test_without_the_broker_it_would_be_planted(
    connection_on: Company, victim: Account, browser: Browser, management: ManagementClient
) -> None:
    """Logto 1.42 believes a provider. This shows that the test above tests something."""
    connector_id = (await connection_on.connection()).connector_id
    await connection_on.point_elsewhere()
    connection_on.asserts(victim["primaryEmail"])
    interaction = await Interaction.begin(browser)
    await interaction.identify(await interaction.prove(connector_id))

    planted = await plant(interaction)
    await interaction.call("POST", "/submit", None)

    assert planted == [204, 204]
    assert (await state_of(management, victim["id"]))["hasPassword"]


async def test_the_person_and_the_organization_learn_why(
    connection_on: Company, victim: Account, browser: Browser
) -> None:
    email = victim["primaryEmail"]
    connection_on.asserts(email)

    page = await connection_on.refusal(browser)

    (event,) = await connection_on.events("sso.refuse")
    connector_id = (await connection_on.connection()).connector_id
    assert "outside your organization’s verified domains" in page
    assert event.after == {"reason": "the address is outside the domains", "domain": "elsewhere.example"}
    assert (event.actor_id, event.target_id, event.target_name) == ("system", connector_id, "Corp")
    for known in (email, victim["id"], "Victor"):
        assert known not in page
        assert known not in f"{event.target_id} {event.target_name} {event.before} {event.after}"


FOREIGN: dict[str, Callable[[Company], str]] = {
    "a subdomain": lambda company: f"carol@sub.{company.domain}",
    "a domain that only begins so": lambda company: f"carol@{company.domain}.evil.example",
    "a domain that only ends so": lambda company: f"carol@evil-{company.domain}",
    "two addresses": lambda company: f"victor@elsewhere.example@{company.domain}",
    "a list": lambda company: f"victor@elsewhere.example, carol@{company.domain}",
    "a quoted address": lambda company: f'"victor@elsewhere.example"@{company.domain}',
    "a space": lambda company: f"victor carol@{company.domain}",
    "another script": lambda company: f"carol@{company.domain.replace('e', 'е', 1)}",
    "no domain": lambda company: company.domain,
}


@pytest.mark.parametrize("address", FOREIGN.values(), ids=FOREIGN)
async def test_an_address_that_is_not_clearly_at_the_domain_is_not_believed(
    passage: Passage, address: Callable[[Company], str]
) -> None:
    passage.company.asserts(address(passage.company))

    page = await passage.refusal(await passage.depart())

    assert "outside your organization’s verified domains" in page


@pytest.mark.parametrize("verified", [False, None, "false", "yes", 1, [True]])
async def test_an_address_that_is_not_called_verified_is_not_believed(
    passage: Passage, employee: Person, verified: object
) -> None:
    passage.company.asserts(passage.company.address(employee.username), email_verified=verified)

    page = await passage.refusal(await passage.depart())

    assert "did not confirm an email address" in page


@pytest.mark.parametrize("email", [None, "", 7, ["carol@corp.example"]])
async def test_a_person_without_an_address_is_not_believed(passage: Passage, email: Any) -> None:
    passage.company.provider.person = passage.company.asserts(None)
    passage.company.provider.id_token = {"email": email}
    passage.company.provider.userinfo = {"email": email}

    page = await passage.refusal(await passage.depart())

    assert "did not confirm an email address" in page


async def test_what_userinfo_verifies_is_not_the_address_of_the_id_token(
    passage: Passage, employee: Person
) -> None:
    company = passage.company
    company.asserts(company.address(employee.username), email_verified=None)
    company.provider.userinfo = {"email": None, "email_verified": True}

    await passage.refusal(await passage.depart())


@pytest.mark.parametrize("spelling", [str.upper, "{}\u200b".format, " {}\n".format, "{}.".format])
async def test_one_address_in_many_spellings_is_told_to_logto_in_one(
    passage: Passage, spelling: Callable[[str], str]
) -> None:
    """Two accounts would look the same, or one person would get two."""
    email = passage.company.address("carol")
    passage.company.asserts(spelling(email))

    assert (await passage.claims())["email"].lower() == email


async def test_a_domain_that_was_proved_by_an_address_only_does_not_count(
    company: Company, browser: Browser
) -> None:
    domain = await company.hold(new_domain(), DomainProof.ADDRESS)
    await company.connect(domains=[company.domain, domain])
    company.asserts(f"carol@{domain}")

    await company.refusal(browser)


async def test_a_domain_that_was_not_chosen_does_not_count(connection_on: Company, browser: Browser) -> None:
    connection_on.asserts(f"carol@{await connection_on.hold(new_domain())}")

    await connection_on.refusal(browser)


async def test_a_domain_of_another_organization_does_not_count(
    company: Company, make: Factory, open_browser: OpenBrowser, runtime: Runtime, browser: Browser
) -> None:
    attacker = await new_company(make, open_browser, runtime, company.provider)
    await attacker.connect(domains=[attacker.domain, company.domain])
    attacker.asserts(company.address(company.admin.username))
    before = await state_of(company.management, company.admin.id)

    await attacker.refusal(browser)

    assert await state_of(company.management, company.admin.id) == before


@pytest.mark.parametrize("stage", [Stage.CONFIGURED, Stage.TESTED])
async def test_nobody_is_sent_to_a_provider_that_is_not_on(
    company: Company, browser: Browser, stage: Stage
) -> None:
    await company.connect(stage)
    passage = await Passage.begin(company, browser)
    company.provider.received.clear()

    page = await passage.refusal(passage.asked())

    assert "has not turned on single sign-on" in page
    assert company.provider.received == []


async def test_a_session_of_the_victim_in_the_attackers_browser_stays_as_it_was(
    connection_on: Company, make: Factory, open_browser: OpenBrowser
) -> None:
    person = await make.person("Victor")
    browser = await open_browser(person)
    before = browser.session_cookie
    connection_on.asserts(address_of(person))

    await connection_on.refusal(browser)

    assert browser.session_cookie == before
    assert await connection_on.sessions_here(person.id) == [None]


# What changes while the browser is at the provider

Change = Callable[[Company], Awaitable[Any]]


async def _remove(company: Company) -> None:
    async with company.runtime.work.writing(company.id) as db:
        await delete_connection(db, company.id)


CHANGES: dict[str, tuple[Change, str]] = {
    "turned off": (lambda company: company.change(on_at=None), "has not turned on single sign-on"),
    "removed": (_remove, "has removed its single sign-on"),
    "another issuer": (lambda company: company.change(issuer="https://new.example"), "was changed while"),
    "another client": (lambda company: company.change(client_id="new"), "was changed while"),
    "domain lost": (lambda company: company.lose(), "outside your organization’s verified domains"),
    "domain not chosen": (lambda company: company.change(domains=["a.example"]), "verified domains"),
    "begun again": (lambda company: company.change(created_at=utc_now()), "was changed while"),
}


@pytest.mark.parametrize(("change", "reason"), CHANGES.values(), ids=CHANGES)
async def test_a_change_while_the_browser_is_at_the_provider_counts(
    passage: Passage, employee: Person, change: Change, reason: str
) -> None:
    back = await passage.depart()
    await change(passage.company)

    assert reason in await passage.refusal(back)


@pytest.mark.parametrize(("change", "reason"), CHANGES.values(), ids=CHANGES)
async def test_a_change_while_the_provider_answers_counts(
    passage: Passage, employee: Person, monkeypatch: pytest.MonkeyPatch, change: Change, reason: str
) -> None:
    """It can take its time."""
    come_back = ProviderSignIn.come_back

    async def slowly(provider: ProviderSignIn, *arguments: Any) -> dict[str, Any]:
        claims = await come_back(provider, *arguments)
        await change(passage.company)
        return claims

    back = await passage.depart()
    monkeypatch.setattr(ProviderSignIn, "come_back", slowly)

    assert reason in await passage.refusal(back)


LATE: dict[str, Change] = {
    "turned off": lambda company: company.change(on_at=None),
    "turned on again": lambda company: company.change(on_at=utc_now()),
    "removed": _remove,
    "domain lost": lambda company: company.lose(),
    "domain not chosen": lambda company: company.change(domains=["a.example"]),
}


@pytest.mark.parametrize("change", LATE.values(), ids=LATE)
async def test_a_change_before_logto_fetches_the_answer_counts(
    passage: Passage, employee: Person, change: Change
) -> None:
    code = await passage.code()
    await change(passage.company)

    assert (await passage.redeem(code)).status_code == 400


@pytest.fixture
async def allowed(
    connection_on: Company, employee: Person, open_app: OpenApp, open_browser: OpenBrowser
) -> Passage:
    """The way through a connection that the operator allows, where not every organization may have one."""
    browser = await open_browser(at=await open_app(single_sign_on_self_service=False))
    await allow(connection_on, True)
    return await Passage.begin(connection_on, browser)


async def allow(company: Company, is_allowed: bool) -> None:
    async with company.runtime.work.writing(company.id) as db:
        await save_allowed(db, company.id, is_allowed)


async def test_a_connection_that_the_operator_forbids_meanwhile_lets_nobody_in(allowed: Passage) -> None:
    back = await allowed.depart()
    await allow(allowed.company, False)

    assert "has not turned on single sign-on" in await allowed.refusal(back)


async def test_logto_does_not_get_the_answer_of_a_connection_that_the_operator_has_forbidden(
    allowed: Passage,
) -> None:
    code = await allowed.code()
    await allow(allowed.company, False)

    assert (await allowed.redeem(code)).status_code == 400
