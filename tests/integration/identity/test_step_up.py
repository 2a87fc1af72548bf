"""Deleting an organization asks for a fresh sign-in; what does not count as one, and who comes back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from saas_app.config import Settings
from saas_app.db.base import utc_now
from saas_app.identity.sessions import SessionAccess
from saas_app.logto import ManagementClient, ManagementError
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from tests.clients import SAME_ORIGIN, Browser, Person
from tests.conftest import OpenBrowser
from tests.factories import Factory


@dataclass(frozen=True, slots=True)
class Scene:
    """An organization with its admin, signed in without having been asked for a fresh sign-in."""

    id: str
    name: str
    admin: Person
    browser: Browser

    @property
    def page(self) -> str:
        return f"/o/{self.id}/settings/delete"


@pytest.fixture
async def scene(make: Factory, open_browser: OpenBrowser, management: ManagementClient) -> Scene:
    admin = await make.person("Ada")
    acme = await make.organization("Acme", admin=admin)
    name = (await management.get_organization(acme)).name
    return Scene(acme, name, admin, await open_browser(admin))


async def _access(browser: Browser, runtime: Runtime) -> SessionAccess:
    found = await runtime.sessions.find_access(_cookie(browser), None)
    assert found is not None
    return found


def _cookie(browser: Browser) -> str:
    cookies = {cookie.name: str(cookie.value) for cookie in browser.app.cookie_jar or ()}
    return cookies["workroom_session"]


async def _grow_old(browser: Browser, runtime: Runtime, settings: Settings) -> None:
    """Let the sign-in, and the round trip it was, have happened just too long ago."""
    then = utc_now() - timedelta(seconds=settings.fresh_sign_in_max_age + 1)
    access = await _access(browser, runtime)
    await runtime.sessions.update(access.principal.session_id, authenticated_at=then, granted_at=then)


async def _to_logto(scene: Scene) -> str:
    """Where the browser is at Logto after it has asked for the page."""
    again = (await scene.browser.get(scene.page, 303)).headers["Location"]
    assert urlsplit(again).path == "/sign-in/fresh"
    return str((await scene.browser.get(again, 303)).headers["Location"])


async def _come_back(browser: Browser, url: str, person: Person | None, settings: Settings) -> str:
    callback = await browser.logto.authorize(url, person, settings.redirect_uri)
    return str((await browser.get(callback.removeprefix(settings.app_url), 303)).headers["Location"])


async def test_the_page_leads_through_a_sign_in_and_back_and_then_it_works(
    scene: Scene, settings: Settings, management: ManagementClient
) -> None:
    before = _cookie(scene.browser)

    url = await _to_logto(scene)
    query = parse_qs(urlsplit(url).query)
    assert query["prompt"] == ["login consent"]
    assert query["login_hint"] == [f"{scene.admin.username}@example.test"]
    assert await _come_back(scene.browser, url, scene.admin, settings) == scene.page

    page = unescape(await (await scene.browser.get(scene.page)).get_data(as_text=True))
    assert f"Type “{scene.name}” to confirm." in page
    assert _cookie(scene.browser) != before
    await scene.browser.post(scene.page, {"name": scene.name})
    with pytest.raises(ManagementError, match="404"):
        await management.get_organization(scene.id)


async def test_the_cookie_from_before_gains_nothing(
    scene: Scene, settings: Settings, open_browser: OpenBrowser
) -> None:
    thief = await open_browser()
    thief.app.set_cookie("localhost", "workroom_session", _cookie(scene.browser))

    await _come_back(scene.browser, await _to_logto(scene), scene.admin, settings)

    assert (await thief.get(scene.page, 303)).headers["Location"].startswith("/sign-in?")


async def test_the_form_itself_is_refused_when_the_sign_in_has_grown_old(
    scene: Scene, settings: Settings, runtime: Runtime, management: ManagementClient
) -> None:
    await _come_back(scene.browser, await _to_logto(scene), scene.admin, settings)
    await scene.browser.get(scene.page)
    await _grow_old(scene.browser, runtime, settings)

    headers = {**SAME_ORIGIN, "Referer": f"http://localhost{scene.page}"}
    refused = await scene.browser.app.post(scene.page, form={"name": scene.name}, headers=headers)

    assert refused.status_code == 401
    page = unescape(await refused.get_data(as_text=True))
    assert "Nothing was changed" in page
    assert f'href="/sign-in/fresh?next={scene.page}"' in page
    challenge = 'Bearer error="insufficient_user_authentication", max_age="600", '
    assert refused.headers["WWW-Authenticate"].startswith(challenge)
    assert (await management.get_organization(scene.id)).name == scene.name
    assert (await scene.browser.get(scene.page, 303)).headers["Location"].startswith("/sign-in/fresh?")


async def test_programs_are_told_in_json(scene: Scene, management: ManagementClient) -> None:
    headers = {**SAME_ORIGIN, "Accept": "application/json"}
    refused = await scene.browser.app.post(scene.page, form={"name": scene.name}, headers=headers)

    assert refused.status_code == 401
    assert (await refused.get_json())["code"] == "insufficient-user-authentication"
    assert (await management.get_organization(scene.id)).name == scene.name


async def test_a_silent_round_trip_makes_nothing_fresher(
    scene: Scene, settings: Settings, runtime: Runtime
) -> None:
    await scene.browser.follow("/sign-in/renew?next=/account&for=x")
    assert (await _access(scene.browser, runtime)).authenticated_at is None
    await _come_back(scene.browser, await _to_logto(scene), scene.admin, settings)
    await _grow_old(scene.browser, runtime, settings)
    old = (await _access(scene.browser, runtime)).authenticated_at

    await scene.browser.follow("/sign-in/renew?next=/account&for=x")

    assert (await _access(scene.browser, runtime)).authenticated_at == old
    await scene.browser.get(scene.page, 303)


async def test_a_prompt_that_the_browser_took_out_counts_for_nothing_and_makes_no_loop(
    scene: Scene, settings: Settings
) -> None:
    address, _, query = (await _to_logto(scene)).partition("?")
    silent = {name: values[0] for name, values in parse_qs(query).items() if name != "resource"}
    silent["prompt"] = "consent"
    tampered = f"{address}?{urlencode({**silent, 'resource': parse_qs(query)['resource']}, doseq=True)}"

    assert await _come_back(scene.browser, tampered, None, settings) == scene.page

    page = unescape(await (await scene.browser.get(scene.page, 401)).get_data(as_text=True))
    assert "did not confirm that it asked for your credentials" in page
    await scene.browser.post(scene.page, {"name": scene.name}, 401)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ADMIN])
async def test_who_comes_back_as_somebody_else_has_their_own_rights(
    scene: Scene,
    settings: Settings,
    make: Factory,
    open_browser: OpenBrowser,
    runtime: Runtime,
    role: Role,
) -> None:
    other = await make.person("Otto")
    await make.join(scene.id, other, role)
    before = _cookie(scene.browser)
    url, at_logto = await _to_logto(scene), (await open_browser()).logto  # where nobody is signed in

    callback = await at_logto.authorize(url, other, settings.redirect_uri)
    done = await scene.browser.get(callback.removeprefix(settings.app_url), 303)

    assert done.headers["Location"] == scene.page

    assert (await _access(scene.browser, runtime)).principal.subject == other.id
    assert await runtime.sessions.find_access(before, None) is None
    await scene.browser.get(scene.page, 200 if role is Role.ADMIN else 403)


async def test_who_may_not_is_told_so_and_is_not_asked_to_sign_in(
    scene: Scene, make: Factory, open_browser: OpenBrowser
) -> None:
    viewer = await make.person("Vera")
    await make.join(scene.id, viewer, Role.VIEWER)
    browser = await open_browser(viewer)
    await browser.get(scene.page, 403)
    await browser.post(scene.page, {"name": scene.name}, 403)
