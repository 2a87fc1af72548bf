"""A customer's organization, and an agent of the support team."""

from __future__ import annotations

import pytest

from saas_app.config import Settings
from saas_app.rbac.permissions import Permission, roles_granting
from tests.clients import FRESH, Browser, Person
from tests.conftest import OpenBrowser, OpenOffice
from tests.factories import Factory
from tests.offices import Office

(SUPPORT,) = roles_granting(Permission.SUPPORT_ACT)


class Customer(Office):
    """An organization with an admin and a viewer, and the path of its support access."""

    @property
    def support(self) -> str:
        """The path of the page about support access."""
        return f"{self.root}/support-access"

    @property
    def carol(self) -> Person:
        """The member without power over the settings."""
        return self.people["viewer"]


@pytest.fixture
async def acme(open_office: OpenOffice) -> Customer:
    return Customer(**vars(await open_office(admin="Ada", viewer="Carol")))


@pytest.fixture
async def sam(make: Factory, settings: Settings) -> Person:
    """An agent of the support team."""
    return await make.member(settings.support_organization_id, "Sam", SUPPORT)


@pytest.fixture
async def desk(sam: Person, open_browser: OpenBrowser) -> Browser:
    """The browser of the agent, who has just signed in."""
    browser = await open_browser()
    await browser.sign_in(sam, FRESH)
    return browser


@pytest.fixture
def desk_root(settings: Settings) -> str:
    """The path of the support desk."""
    return f"/o/{settings.support_organization_id}/support"
