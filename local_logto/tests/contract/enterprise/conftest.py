"""A company with a connector, at a Logto of ours where single sign-on is on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from contract.conftest import Server
from contract.enterprise.company import Begin, Company, CompanyVisit, new_company
from contract.fixtures import NewBrowser
from contract.management import ManagementApi, Workshop
from contract.people import App, Person
from contract.second_factors import Settings
from contract.world import ORGANIZATION_ROLES_SCOPE, ORGANIZATIONS_SCOPE
from local_logto.fakes.openid import FakeOpenId, fake_openid

SCOPE = f"openid profile offline_access email {ORGANIZATIONS_SCOPE} {ORGANIZATION_ROLES_SCOPE}"
_PASSWORD = {"password": True, "verificationCode": False, "isPasswordPrimary": True}
METHODS = {"methods": [{"identifier": name, **_PASSWORD} for name in ("email", "username")]}


@pytest.fixture
async def provider(server: Server) -> AsyncIterator[FakeOpenId]:
    """A company's provider on this machine, which a Logto elsewhere cannot reach."""
    if not server.is_ours:
        pytest.skip("this test changes sign-in settings, which needs CONTRACT_LOGTO_IS_OURS=1")
    async with fake_openid() as running:
        yield running


@pytest.fixture
async def company(server: Server, settings: Settings, workshop: Workshop, provider: FakeOpenId) -> Company:
    """A company with a connector, at a server where single sign-on is on."""
    await settings(singleSignOnEnabled=True, signIn=METHODS)
    return await new_company(workshop, provider, server.endpoint)


@pytest.fixture
def begin(new_browser: NewBrowser, company: Company, app: App) -> Begin:
    """A function that begins a sign-in in a new browser, whose hops are as in a recording."""

    async def run(event: str = "SignIn") -> CompanyVisit:
        browser = new_browser()
        await browser.begin(app, event, scope=SCOPE)
        return CompanyVisit(browser, company)

    return run


@pytest.fixture
async def organization(api: ManagementApi, workshop: Workshop, company: Company) -> str:
    """An organization that people join through the connector, with a default role."""
    organization_id = await workshop.organization()
    jit = f"/organizations/{organization_id}/jit"
    (await api.post(f"{jit}/sso-connectors", {"ssoConnectorIds": [company.connector_id]})).expect(201)
    body = {"organizationRoleIds": [await workshop.role("default")]}
    (await api.post(f"{jit}/roles", body)).expect(201)
    return organization_id


@pytest.fixture
async def old(workshop: Workshop, company: Company) -> Person:
    """A person with an account, whose address belongs to the company's domain."""
    return await workshop.person("old", primaryEmail=company.email("old"))
