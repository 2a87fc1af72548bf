"""Support agents and single sign-on: a customer requires it of its members, the team of its agents."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from saas_app.config import Settings
from saas_app.runtime import Runtime
from tests.clients import FRESH, Browser
from tests.conftest import OpenBrowser, OpenOffice
from tests.factories import Factory
from tests.integration.single_sign_on.required import require_single_sign_on
from tests.integration.support.conftest import SUPPORT
from tests.integration.support.rows import act, allow_support
from tests.offices import Office


@pytest.fixture
async def acme(open_office: OpenOffice, runtime: Runtime) -> Office:
    """A customer that requires single sign-on, and allows support access."""
    office = await open_office(viewer="Carol")
    await allow_support(runtime, office.id)
    await require_single_sign_on(runtime, office.id)
    return office


@pytest.fixture
async def acting(
    acme: Office, make: Factory, open_browser: OpenBrowser, settings: Settings, runtime: Runtime
) -> Browser:
    """The browser of an agent who signed in with a password, and acts for Carol."""
    browser = await open_browser()
    await browser.sign_in(await make.member(settings.support_organization_id, "Sam", SUPPORT), FRESH)
    await act(runtime, browser, acme.id, member_id=acme.person.id, member_name="Carol")
    return browser


@pytest.fixture
async def strict_team(settings: Settings, runtime: Runtime) -> AsyncIterator[None]:
    """The support team requires its own single sign-on, during the test."""
    team = settings.support_organization_id
    await require_single_sign_on(runtime, team)
    yield
    await require_single_sign_on(runtime, team, required_at=None)


async def test_an_agent_is_let_in_by_the_consent_of_the_customer_whatever_it_requires_of_members(
    acme: Office, acting: Browser
) -> None:
    assert "No projects yet" in await acting.text(f"{acme.root}/projects")


async def test_the_member_for_whom_the_agent_acts_is_refused_themselves(acme: Office) -> None:
    await acme.browser.get(f"{acme.root}/projects", 403)


async def test_an_agent_whose_team_requires_single_sign_on_acts_no_longer_without_it(
    acme: Office, acting: Browser, strict_team: None
) -> None:
    page = await acting.text(f"{acme.root}/projects", 403)
    assert "Your own access to the support team has changed." in page
