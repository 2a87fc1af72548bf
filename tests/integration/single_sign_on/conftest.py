"""Fixtures of single sign-on: a company, its provider, and a connection in any stage."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from local_logto.fakes.openid import FakeOpenId, fake_openid
from quart import Quart

from saas_app.config import Settings
from saas_app.logto import ManagementClient
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from saas_app.single_sign_on.values import Stage
from tests.clients import FRESH, Browser, Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.faulty_logto import Gate
from tests.integration.single_sign_on.company import (
    Company,
    SignInThroughCompany,
    new_company,
    through_company,
)
from tests.integration.single_sign_on.passage import Passage
from tests.integration.single_sign_on.upkeep import connect_all, publish, through
from tests.integration.single_sign_on.wizard import Wizard
from tests.nameserver import FakeNameserver


@pytest.fixture
async def offered_at_logto(management: ManagementClient) -> AsyncIterator[None]:
    """Let Logto send people to their companies, as ``saas-app provision --single-sign-on`` does."""
    transport = management._transport
    await transport.call("PATCH", "/sign-in-exp", body={"singleSignOnEnabled": True})
    yield
    await transport.call("PATCH", "/sign-in-exp", body={"singleSignOnEnabled": False})


@pytest.fixture
async def company_provider() -> AsyncIterator[FakeOpenId]:
    """The identity provider of a company, which a test can make misbehave."""
    async with fake_openid() as running:
        yield running


@pytest.fixture
async def company(
    offered_at_logto: None,
    make: Factory,
    open_browser: OpenBrowser,
    runtime: Runtime,
    company_provider: FakeOpenId,
) -> Company:
    """An organization with a DNS-proved domain, and an admin with an address there. It has no connection."""
    return await new_company(make, open_browser, runtime, company_provider)


@pytest.fixture
async def connection_on(company: Company) -> Company:
    """The company, after its connection was switched on."""
    await company.connect(Stage.ON)
    return company


@pytest.fixture
async def open_company(company: Company) -> Company:
    """A company whose people join as viewers."""
    roles = await company.management.list_organization_roles()
    viewer = [role.id for role in roles if role.name == Role.VIEWER]
    await company.management.replace_joining_roles(company.id, viewer)
    await company.connect(Stage.ON, joins=True)
    return company


@pytest.fixture
async def browser(open_browser: OpenBrowser) -> Browser:
    """A new browser, in which nobody is signed in."""
    return await open_browser()


@pytest.fixture
async def carol(connection_on: Company, make: Factory) -> Person:
    """A person with an account, whose address is at the company's domain."""
    return await make.person("Carol", domain=connection_on.domain)


@pytest.fixture
async def employee(connection_on: Company, carol: Person) -> Person:
    """Carol, after the provider began to assert her."""
    connection_on.asserts(connection_on.address(carol.username))
    return carol


@pytest.fixture
async def passage(connection_on: Company, browser: Browser) -> Passage:
    """The way through the company's connection, which is on. The provider asserts a new person."""
    connection_on.asserts(connection_on.address("carol"))
    return await Passage.begin(connection_on, browser)


@pytest.fixture
async def required(company: Company, nameserver: FakeNameserver) -> Company:
    """A company with one domain that requires its single sign-on. Its TXT record is published."""
    await connect_all(company)
    await publish(company, nameserver)
    return company


@pytest.fixture
def faulty_management(gate: Gate, settings: Settings, runtime: Runtime) -> ManagementClient:
    """A client of Logto's Management API behind the gate, which a test can let fail."""
    return through(gate, settings, runtime)


@pytest.fixture
def sign_in_through_company(open_browser: OpenBrowser, app: Quart) -> SignInThroughCompany:
    """``await sign_in_through_company(company, "carol@…")``: a browser that came from the company."""
    return through_company(open_browser, app)


@pytest.fixture
async def wizard(company: Company) -> Wizard:
    """The page of an admin who has just signed in. Nothing is set up."""
    await company.browser.sign_in(company.admin, FRESH)
    return Wizard(company, company.browser)


@pytest.fixture
async def begun(wizard: Wizard) -> Wizard:
    """The connection exists, without a provider."""
    await wizard.send("begin")
    return wizard


@pytest.fixture
async def tested(wizard: Wizard) -> Wizard:
    """The provider was entered and tested."""
    await wizard.company.connect(Stage.TESTED)
    return wizard


@pytest.fixture
async def on(wizard: Wizard) -> Wizard:
    """Single sign-on is on."""
    await wizard.company.connect(Stage.ON)
    return wizard


@pytest.fixture
async def visitor(on: Wizard, browser: Browser) -> Passage:
    """The way of a person through the company's connection, which is on. They have an address there."""
    on.company.asserts(on.company.address("carol"))
    return await Passage.begin(on.company, browser)
