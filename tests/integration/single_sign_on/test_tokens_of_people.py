"""Tokens of people from other applications, where a company's provider may have signed anybody in."""

from __future__ import annotations

import pytest
from quart import Quart

from saas_app.config import Settings
from tests.factories import Factory
from tests.integration.bearer import ApiClient, Mint
from tests.integration.single_sign_on.company import Company


@pytest.mark.parametrize("path", ["/access", "/projects"])
async def test_a_token_from_another_application_opens_nothing(
    company: Company, app: Quart, mint: Mint, path: str
) -> None:
    token = mint(company.id, sub=company.admin.id, client_id="command-line")

    problem = await ApiClient(app, company.id, token).json("GET", path, 401)

    assert problem["code"] == "invalid-token"
    assert "Tokens of people from other applications" in problem["detail"]


async def test_a_token_of_workrooms_own_application_counts(
    company: Company, app: Quart, mint: Mint, settings: Settings
) -> None:
    token = mint(company.id, sub=company.admin.id, client_id=settings.logto_app_id)

    await ApiClient(app, company.id, token).json("GET", "/access")


async def test_a_token_of_an_api_client_counts(
    company: Company, app: Quart, mint: Mint, make: Factory
) -> None:
    machine = await make.machine(company.id)
    token = mint(company.id, sub=machine.id, client_id=machine.id)

    await ApiClient(app, company.id, token).json("GET", "/access")
