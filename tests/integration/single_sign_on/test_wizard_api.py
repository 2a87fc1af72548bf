"""Programs read how far single sign-on is set up."""

from __future__ import annotations

import pytest

from saas_app.rbac.permissions import Carrier
from saas_app.single_sign_on.values import Stage
from tests.conftest import OpenApp
from tests.integration.bearer import ApiClient, PersonClient
from tests.integration.single_sign_on.company import Company
from tests.tokens import token_of

PATH = "/single-sign-on"


@pytest.fixture
async def client(company: Company, as_person: PersonClient) -> ApiClient:
    """A client of the company's admin."""
    return await as_person(company.admin, company.id, Carrier.ORGANIZATION_TOKEN)


async def test_nothing_is_set_up(client: ApiClient) -> None:
    body = await client.json("GET", PATH)

    assert (body["stage"], body["issuer"], body["domains"]) == ("none", None, [])


async def test_it_is_described_without_its_secret(client: ApiClient, company: Company) -> None:
    connector_id = await company.connect(Stage.ON, group_claim="groups", group_roles=[["Staff", "viewer"]])

    body = await client.json("GET", PATH)

    assert (body["stage"], body["issuer"], body["joins"]) == ("on", company.provider.issuer, False)
    assert body["redirect_uri"] == company.runtime.registration.redirect_uri(connector_id)
    assert body["domains"] == body["effective_domains"] == [company.domain]
    assert body["group_roles"] == [{"group": "Staff", "role": "viewer"}]
    assert company.provider.client_secret not in str(body)


async def test_a_domain_that_was_lost_is_not_effective(client: ApiClient, company: Company) -> None:
    await company.connect(Stage.ON)
    await company.lose()

    body = await client.json("GET", PATH)

    assert (body["domains"], body["effective_domains"]) == ([company.domain], [])


async def test_it_is_not_found_where_it_is_not_offered(company: Company, open_app: OpenApp) -> None:
    app = await open_app(single_sign_on=False)
    token = await token_of(company.runtime, company.browser, company.id, Carrier.ORGANIZATION_TOKEN)

    await ApiClient(app, company.id, token).json("GET", PATH, expect=404)
