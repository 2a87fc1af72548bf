"""An organization that requires a second factor: who is refused, and the way from there to work."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest

from saas_app.config import Settings
from saas_app.logto import ManagementClient
from saas_app.runtime import Runtime
from tests.clients import Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.organizations.settings_pages import text_of, update_events
from tests.remote import eventually


def _way_to_a_factor(organization_id: str, path: str) -> str:
    return f"/sign-in/fresh?{urlencode({'next': path, 'for': f'{organization_id} mfa'})}"


async def _enrol(management: ManagementClient, person: Person) -> None:
    path = f"/users/{person.id}/mfa-verifications"
    await management._transport.call("POST", path, body={"type": "Totp"})


async def test_requiring_a_second_factor_refuses_who_has_none_at_the_next_request(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime, management: ManagementClient
) -> None:
    admin, viewer = await make.person("Ada"), await make.person("Vera")
    acme = await make.organization("Acme", admin=admin, viewer=viewer)
    other = await make.organization("Globex", viewer=viewer)
    await _enrol(management, admin)
    browser, theirs = await open_browser(admin), await open_browser(viewer)
    projects = f"/o/{acme}/projects"
    await theirs.get(projects)
    assert "You have a second factor" in await text_of(browser, f"/o/{acme}/settings")

    await browser.post(f"/o/{acme}/settings/mfa", {"require": "yes"})

    refused = await text_of(theirs, projects, 403)
    assert "This organization requires a second factor" in refused
    assert f'href="{runtime.settings.logto_endpoint}/account"' in refused
    assert f'href="{_way_to_a_factor(acme, projects)}"' in refused
    await theirs.get(f"/o/{other}/")
    assert "Stop requiring a second factor" in await text_of(browser, f"/o/{acme}/settings")

    await browser.post(f"/o/{acme}/settings/mfa", {"require": "no"})

    await theirs.get(projects)
    on, off = await update_events(runtime, acme)
    assert (on.before, on.after) == ({"mfa_required": False}, {"mfa_required": True})
    assert (off.before, off.after) == ({"mfa_required": True}, {"mfa_required": False})


@pytest.mark.parametrize("way", ["sign-in", "account page"])
async def test_from_the_refusal_by_setting_up_a_factor_to_work(
    make: Factory, open_browser: OpenBrowser, management: ManagementClient, settings: Settings, way: str
) -> None:
    viewer = await make.person("Vera")
    acme = await make.organization("Acme", viewer=viewer)
    await management.update_organization(acme, is_mfa_required=True)
    browser, projects = await open_browser(viewer), f"/o/{acme}/projects"
    assert "Set up a second factor" in await text_of(browser, projects, 403)

    if way == "sign-in":
        started = await browser.get(_way_to_a_factor(acme, projects), 303)
        assert "prompt=login+consent" in started.headers["Location"]
        await _enrol(management, viewer)  # what Logto's page does while they sign in
        callback = await browser.logto.authorize(started.headers["Location"], viewer, settings.redirect_uri)
        done = await browser.get(callback.removeprefix(settings.app_url), 303)
        assert done.headers["Location"] == projects
    else:
        await _enrol(management, viewer)

    async def opens() -> bool:
        return (await browser.app.get(projects)).status_code == 200

    await eventually(opens, "the page opens, with no sign-in but the one above")


async def test_who_signed_in_again_and_was_asked_for_no_factor_is_shown_the_other_way(
    make: Factory, open_browser: OpenBrowser, management: ManagementClient
) -> None:
    viewer = await make.person("Vera")
    acme = await make.organization("Acme", viewer=viewer)
    await management.update_organization(acme, is_mfa_required=True)
    browser, projects = await open_browser(viewer), f"/o/{acme}/projects"

    await browser.sign_in(viewer, _way_to_a_factor(acme, projects))

    page = await text_of(browser, projects, 403)
    assert "no second factor was set up" in page
    assert re.search(r'class="btn btn-primary" href="[^"]*/account"', page)


async def test_an_admin_without_a_factor_is_warned_and_then_refused_like_everybody(
    make: Factory, open_browser: OpenBrowser, management: ManagementClient
) -> None:
    admin = await make.person("Ada")
    acme = await make.organization("Acme", admin=admin)
    browser, settings = await open_browser(admin), f"/o/{acme}/settings"
    assert "You would lose access too" in await text_of(browser, settings)
    await browser.post(f"{settings}/mfa", {"require": "yes"})
    await browser.get(settings, 403)

    await _enrol(management, admin)
    await browser.sign_in(admin, f"/sign-in?prompt=login&next={settings}")
    assert "Stop requiring a second factor" in await text_of(browser, settings)
