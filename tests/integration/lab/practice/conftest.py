"""Fixtures: the practice service, and people of two organizations with genuine tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
from quart import Quart

from saas_app.config import Settings
from saas_app.rbac.permissions import Carrier
from saas_app.runtime import Runtime
from tests.clients import Browser, Person
from tests.factories import Factory
from tests.integration.lab.practice.service import Practice, running_practice
from tests.tokens import token_of


@pytest.fixture(scope="package")
def practice_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the practice service's databases."""
    return tmp_path_factory.mktemp("practice") / "databases"


@pytest.fixture(scope="package")
def practice_url(settings: Settings, practice_folder: Path) -> Iterator[str]:
    """The practice service, running."""
    issuer = f"{settings.logto_endpoint}/oidc"
    with running_practice(issuer, settings.api_resource, practice_folder) as url:
        yield url


@pytest.fixture(scope="package")
async def practice(
    practice_url: str, app: Quart, settings: Settings, runtime: Runtime, make: Factory
) -> AsyncIterator[Practice]:
    """A learner's situation: admin of the workshop, viewer of the studio; Sam a viewer, Rosa an admin.

    The service's copy of role names is a day old: Sam is no admin any more, and Rosa's role was called admin.
    """
    learner, rosa = await make.person("Lena"), await make.person("Rosa")
    workshop = await make.organization("Workshop", admin=learner)
    studio = await make.organization("Studio", viewer=learner, admin=rosa)
    sam = await make.member(workshop, "Sam", "viewer")

    async def token(person: Person, organization_id: str, carrier: Carrier) -> str:
        async with Browser(app, settings.redirect_uri) as browser:
            await browser.sign_in(person)
            return await token_of(runtime, browser, organization_id, carrier)

    tokens = {
        "mine at the workshop": await token(learner, workshop, Carrier.API_TOKEN),
        "mine at the studio": await token(learner, studio, Carrier.API_TOKEN),
        "Sam's": await token(sam, workshop, Carrier.API_TOKEN),
        "Rosa's": await token(rosa, studio, Carrier.API_TOKEN),
        "Rosa's organization token": await token(rosa, studio, Carrier.ORGANIZATION_TOKEN),
    }
    members = [
        {"subject": learner.id, "organization_id": workshop, "role": "admin"},
        {"subject": learner.id, "organization_id": studio, "role": "viewer"},
        {"subject": sam.id, "organization_id": workshop, "role": "admin"},
        {"subject": rosa.id, "organization_id": studio, "role": "owner"},
    ]
    async with aiohttp.ClientSession() as http:
        yield Practice(practice_url, http, workshop, studio, tokens, members)
