"""Organizations that require a second factor: which members are refused, and how they regain access."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest

from saas_app.runtime import Runtime
from tests.clients import Person
from tests.conftest import OpenBrowser, OpenOffice
from tests.factories import Factory
from tests.integration.organizations.conftest import Acme
from tests.integration.organizations.settings_pages import update_events
from tests.offices import Office
from tests.remote import eventually


def _way_to_a_factor(organization_id: str, path: str) -> str:
    return f"/sign-in/fresh?{urlencode({'next': path, 'for': f'{organization_id} mfa'})}"


async def _enroll(office: Office, person: Person) -> None:
    path = f"/users/{person.id}/mfa-verifications"
    await office.management._transport.call("POST", path, body={"type": "Totp"})


async def _require(acme: Acme, answer: str) -> None:
    await acme.browser.post(f"{acme.settings}/mfa", {"require": answer})


@pytest.fixture
async def strict(open_office: OpenOffice) -> Office:
    """An organization that requires a second factor, and a viewer who has none."""
    office = await open_office(viewer="Vera")
    await office.management.update_organization(office.id, is_mfa_required=True)
    return office


async def test_requiring_a_second_factor_refuses_members_without_one_at_the_next_request(
    acme: Acme, make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    viewer = await make.member(acme.id, "Vera", "viewer")
    other = await make.organization("Globex", viewer=viewer)
    theirs, projects = await open_browser(viewer), f"{acme.root}/projects"
    await theirs.get(projects)

    await _require(acme, "yes")

    refused = await theirs.text(projects, 403)
    assert "This organization requires a second factor" in refused
    assert f'href="{runtime.settings.logto_endpoint}/account"' in refused
    assert f'href="{_way_to_a_factor(acme.id, projects)}"' in refused
    await theirs.get(f"/o/{other}/")


async def test_no_longer_requiring_a_second_factor_lets_members_in_at_the_next_request(
    acme: Acme, make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    await _enroll(acme, acme.admin)
    assert "You have a second factor" in await acme.browser.text(acme.settings)
    theirs = await open_browser(await make.member(acme.id, "Vera", "viewer"))
    await _require(acme, "yes")
    assert "Stop requiring a second factor" in await acme.browser.text(acme.settings)
    await theirs.get(f"{acme.root}/projects", 403)

    await _require(acme, "no")

    await theirs.get(f"{acme.root}/projects")
    on, off = await update_events(runtime, acme.id)
    assert (on.before, on.after) == ({"mfa_required": False}, {"mfa_required": True})
    assert (off.before, off.after) == ({"mfa_required": True}, {"mfa_required": False})


@pytest.mark.parametrize("way", ["sign-in", "account page"])
async def test_a_refused_member_gets_in_by_setting_up_a_second_factor(strict: Office, way: str) -> None:
    browser, projects = strict.browser, f"{strict.root}/projects"
    assert "Set up a second factor" in await browser.text(projects, 403)

    if way == "sign-in":
        started = await browser.get(_way_to_a_factor(strict.id, projects), 303)
        assert "prompt=login+consent" in started.headers["Location"]
        await _enroll(strict, strict.person)  # as Logto's page does during the sign-in
        assert await browser.come_back(started.headers["Location"], strict.person) == projects
    else:
        await _enroll(strict, strict.person)

    async def opens() -> bool:
        return (await browser.app.get(projects)).status_code == 200

    await eventually(opens, "the page opens without another sign-in")


async def test_a_member_who_signed_in_again_without_a_factor_is_led_to_the_account_page(
    strict: Office,
) -> None:
    projects = f"{strict.root}/projects"

    await strict.browser.sign_in(strict.person, _way_to_a_factor(strict.id, projects))

    page = await strict.browser.text(projects, 403)
    assert "no second factor was set up" in page
    assert re.search(r'class="btn btn-primary" href="[^"]*/account"', page)


async def test_an_admin_without_a_second_factor_is_warned_before_requiring_it(acme: Acme) -> None:
    assert "You would lose access too" in await acme.browser.text(acme.settings)


async def test_an_admin_without_a_second_factor_is_refused_until_they_set_one_up(acme: Acme) -> None:
    await _require(acme, "yes")
    await acme.browser.get(acme.settings, 403)

    await _enroll(acme, acme.admin)
    await acme.browser.sign_in(acme.admin, f"/sign-in?prompt=login&next={acme.settings}")

    assert "Stop requiring a second factor" in await acme.browser.text(acme.settings)
