"""From the page that refuses a member to the identity provider of their company, and back."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from saas_app.db.base import utc_now
from saas_app.single_sign_on.values import Stage
from tests.clients import Browser, Person
from tests.conftest import OpenBrowser
from tests.factories import Factory, address_of
from tests.integration.single_sign_on.company import Company


@dataclass(frozen=True)
class Visit:
    """An editor of the company in a browser, who signed in with a password, and was refused."""

    company: Company
    vera: Person
    browser: Browser
    address: str

    @property
    def projects(self) -> str:
        """The page that was refused."""
        return f"{self.company.root}/projects"

    async def press(self) -> str:
        """Press the button of the page, and return where it leads after the provider."""
        return await self.browser.callback_of(await self.start(), None)

    async def start(self) -> str:
        """Press the button of the page, and return the address at Logto to which it leads."""
        page = await self.browser.text(self.projects, 403)
        href = re.search(r'href="(/sign-in/single-sign-on[^"]+)"', page)
        assert href is not None
        return str((await self.browser.get(href[1], 303)).headers["Location"])


@pytest.fixture
async def visit(company: Company, make: Factory, open_browser: OpenBrowser) -> Visit:
    vera = await make.person("Vera", domain=company.domain)
    await make.join(company.id, vera, "editor")
    browser = await open_browser(vera)
    await company.connect(Stage.REQUIRED)
    return Visit(company, vera, browser, address_of(vera).replace("example.test", company.domain))


async def test_the_button_leads_through_the_provider_back_to_the_page(visit: Visit) -> None:
    visit.company.asserts(visit.address)

    back = await visit.browser.get(await visit.press(), 303)

    assert back.headers["Location"] == visit.projects
    await visit.browser.get(visit.projects)
    access = await visit.browser.text(f"{visit.company.root}/access")
    assert "You signed in with" in access


async def test_who_signs_in_there_as_somebody_else_is_that_person_here(visit: Visit) -> None:
    """A new account, which is no member: it learns nothing about the organization."""
    visit.company.asserts(visit.company.address("carol"))

    await visit.browser.get(await visit.press(), 303)

    await visit.browser.get(visit.projects, 404)


async def test_a_provider_that_is_not_believed_opens_nothing(visit: Visit) -> None:
    """It asserts an address outside the company's domains."""
    visit.company.asserts("vera@elsewhere.test")

    page = await visit.browser.stopped_at(await visit.start(), None)

    assert page.status_code == 400

    assert (await visit.browser.app.get(visit.projects)).status_code in (303, 403)


async def test_the_requirement_survives_a_silent_renewal(visit: Visit) -> None:
    """The renewal keeps how the person signed in, so it neither opens nor closes the organization."""
    visit.company.asserts(visit.address)
    await visit.browser.get(await visit.press(), 303)

    await visit.browser.follow(f"/sign-in/renew?next={visit.projects}")

    await visit.browser.get(visit.projects)


async def test_the_recovery_admin_comes_in_without_the_provider(visit: Visit) -> None:
    ada = visit.company.browser
    page = await ada.text(f"{visit.company.root}/access")
    assert "because you are the recovery admin" in page
    assert f'href="{visit.company.root}/single-sign-on#require"' in page


async def test_a_sign_in_from_before_it_was_off_does_not_count(visit: Visit) -> None:
    """The connection may lead to another provider now."""
    visit.company.asserts(visit.address)
    await visit.browser.get(await visit.press(), 303)
    await visit.browser.get(visit.projects)

    await visit.company.change(on_at=utc_now())

    await visit.browser.get(visit.projects, 403)
    await visit.browser.get(await visit.press(), 303)
    await visit.browser.get(visit.projects)
