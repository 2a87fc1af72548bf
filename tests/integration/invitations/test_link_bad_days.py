"""The emailed link while Logto fails, and for people whose company has its own identity provider."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from local_logto.testing import Provider

from saas_app.errors import LogtoUnavailable
from saas_app.identity.sign_in import SignIn
from saas_app.logto import ManagementClient
from tests.clients import Browser, Person
from tests.conftest import OpenBrowser
from tests.factories import address_of, new_address
from tests.integration.faulty_logto import DOWN, Fault
from tests.integration.invitations.conftest import Acme, Email, Faulty, asked_of_logto, opened
from tests.integration.mail import Mailbox

COMPANY = "company.example"
DOMAIN = "example.test"


@pytest.fixture
async def sent(faulty: Faulty, erin: Person, mailbox: Mailbox) -> Email:
    """An emailed invitation of a person with an account, at the worker whose Logto fails."""
    await faulty.acme.invite(address_of(erin), "viewer")
    return await opened(mailbox, address_of(erin))


@pytest.fixture
async def visitor(faulty: Faulty) -> Browser:
    """A browser without a session at that worker."""
    return await faulty.open_browser()


@pytest.mark.parametrize(
    "fault",
    [
        Fault("GET", "/organization-invitations/", **DOWN),
        Fault("GET", "/users$", **DOWN),
        Fault("GET", "/sign-in-exp$", **DOWN),
        Fault("POST", "/one-time-tokens$", **DOWN),
        Fault("POST", "/one-time-tokens$", 404, {"code": "entity.not_found", "message": "None."}),
    ],
    ids=lambda fault: f"{fault.path} {fault.status}",
)
async def test_a_link_for_which_logto_creates_no_token_leads_to_the_older_way_and_stays(
    faulty: Faulty, erin: Person, visitor: Browser, sent: Email, fault: Fault
) -> None:
    faulty.gate.fail(fault)

    asked = asked_of_logto(await sent.press(visitor))

    assert asked["login_hint"] == address_of(erin)
    assert "one_time_token" not in asked
    faulty.gate.fail()
    assert "one_time_token" in asked_of_logto(await sent.press(visitor))


async def test_a_link_whose_browser_could_not_be_sent_to_logto_stays(
    visitor: Browser, sent: Email, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_arguments: Any, **_named: Any) -> None:
        raise LogtoUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(SignIn, "start", fail)
        await sent.press(visitor, expect=503)

    assert "one_time_token" in asked_of_logto(await sent.press(visitor))


async def test_opening_the_page_does_not_ask_logto(faulty: Faulty, visitor: Browser, sent: Email) -> None:
    faulty.gate.fail(Fault("GET|POST", ".", **DOWN))
    faulty.gate.calls.clear()

    assert "Continue with" in await visitor.text(sent.link)
    assert faulty.gate.calls == []


async def test_a_spent_link_does_not_ask_logto(faulty: Faulty, visitor: Browser, sent: Email) -> None:
    await sent.press(visitor)
    faulty.gate.calls.clear()

    await sent.press(visitor, expect=409)

    assert faulty.gate.calls == []


# --- single sign-on


@pytest.fixture
async def _company_signs_in(provider: Provider, management: ManagementClient) -> AsyncIterator[None]:
    """Let a company's provider sign in people with addresses at its domain. Here, Logto is that provider."""
    connector = await asyncio.to_thread(provider.connect, provider, COMPANY)
    yield
    await management._transport.call("DELETE", f"/sso-connectors/{connector}")
    await management.change_sign_in_experience({"singleSignOnEnabled": False})


@pytest.mark.usefixtures("_company_signs_in")
async def test_a_real_company_keeps_its_sign_in(
    acme: Acme, open_browser: OpenBrowser, mailbox: Mailbox
) -> None:
    name = new_address().partition("@")[0]
    employee, other = f"{name}@{COMPANY}", f"{name}@{DOMAIN}"
    await acme.invite(f"{employee}\n{other}", "viewer")

    asked = [
        asked_of_logto(await (await opened(mailbox, address)).press(await open_browser()))
        for address in (employee, other)
    ]

    assert [one["login_hint"] for one in asked] == [employee, other]
    assert ["one_time_token" in one for one in asked] == [False, True]


def single_sign_on(domain: str, *, is_on: bool = True) -> tuple[Fault, Fault]:
    """Let Logto say that a company's identity provider signs in the people of a domain."""
    connectors: Any = [
        {"id": "sso", "connectorName": "Corp", "domains": [domain], "config": {"clientSecret": "x"}}
    ]
    return (
        Fault("GET", "/sign-in-exp$", 200, {"singleSignOnEnabled": is_on}),
        Fault("GET", "/sso-connectors$", 200, connectors),
    )


@pytest.mark.parametrize("domain", [DOMAIN, DOMAIN.upper()])
async def test_people_of_a_company_with_single_sign_on_sign_in_there(
    faulty: Faulty, erin: Person, visitor: Browser, sent: Email, domain: str
) -> None:
    """Logto 1.42 would accept a one-time token for them."""
    faulty.gate.fail(*single_sign_on(domain))

    asked = asked_of_logto(await sent.press(visitor))

    assert asked["login_hint"] == address_of(erin)
    assert "one_time_token" not in asked
    assert "POST /api/one-time-tokens" not in faulty.gate.calls
    await sent.press(visitor)


@pytest.mark.parametrize(
    "faults",
    [
        single_sign_on(f"sub.{DOMAIN}"),
        single_sign_on(DOMAIN, is_on=False),
    ],
    ids=["another domain", "switched off"],
)
async def test_other_peoples_links_sign_in(
    faulty: Faulty, visitor: Browser, sent: Email, faults: tuple[Fault, ...]
) -> None:
    faulty.gate.fail(*faults)

    assert "one_time_token" in asked_of_logto(await sent.press(visitor))


async def test_while_the_companies_are_not_known_nobody_gets_a_token(
    faulty: Faulty, visitor: Browser, sent: Email
) -> None:
    settings, _connectors = single_sign_on(DOMAIN)
    faulty.gate.fail(settings, Fault("GET", "/sso-connectors$", **DOWN))

    assert "one_time_token" not in asked_of_logto(await sent.press(visitor))


async def test_a_person_without_an_account_gets_a_token_for_the_address_as_it_was_typed(
    faulty: Faulty, visitor: Browser, mailbox: Mailbox
) -> None:
    address = new_address()
    await faulty.acme.invite(address, "viewer")

    asked = asked_of_logto(await (await opened(mailbox, address)).press(visitor))

    assert asked["login_hint"] == address
