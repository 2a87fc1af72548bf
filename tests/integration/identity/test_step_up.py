"""Deleting an organization requires a fresh sign-in, and only a real one counts."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from saas_app.config import Settings
from saas_app.db.base import utc_now
from saas_app.identity.sessions import SessionAccess
from saas_app.logto import ManagementError
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from tests.clients import SAME_ORIGIN, Browser, text_of
from tests.conftest import OpenBrowser, OpenOffice
from tests.factories import Factory, address_of
from tests.offices import Office


class Acme(Office):
    """An organization whose admin is signed in, but not freshly."""

    @property
    def page(self) -> str:
        """The path of a page that requires a fresh sign-in."""
        return f"{self.root}/settings/delete"


@pytest.fixture
async def acme(open_office: OpenOffice) -> Acme:
    return Acme(**vars(await open_office(admin="Ada")))


async def _access(browser: Browser, runtime: Runtime) -> SessionAccess:
    found = await runtime.sessions.find_access(browser.session_cookie, None)
    assert found is not None
    return found


async def _make_sign_in_too_old(browser: Browser, runtime: Runtime, settings: Settings) -> None:
    """Make the sign-in just too old to count as fresh."""
    then = utc_now() - timedelta(seconds=settings.fresh_sign_in_max_age + 1)
    access = await _access(browser, runtime)
    await runtime.sessions.update(access.principal.session_id, authenticated_at=then, granted_at=then)


async def _to_logto(acme: Acme) -> str:
    """Open the page, and return the authorization request to which it leads."""
    again = (await acme.browser.get(acme.page, 303)).headers["Location"]
    assert urlsplit(again).path == "/sign-in/fresh"
    return str((await acme.browser.get(again, 303)).headers["Location"])


async def test_the_page_leads_to_a_sign_in_that_asks_for_the_password(acme: Acme) -> None:
    query = parse_qs(urlsplit(await _to_logto(acme)).query)
    assert query["prompt"] == ["login consent"]
    assert query["login_hint"] == [address_of(acme.admin)]


async def test_after_a_fresh_sign_in_the_page_and_its_form_work(acme: Acme) -> None:
    before = acme.browser.session_cookie

    assert await acme.browser.come_back(await _to_logto(acme), acme.admin) == acme.page

    assert f"Type “{acme.name}” to confirm." in await acme.browser.text(acme.page)
    assert acme.browser.session_cookie != before
    await acme.browser.post(acme.page, {"name": acme.name})
    with pytest.raises(ManagementError, match="404"):
        await acme.management.get_organization(acme.id)


async def test_the_session_cookie_from_before_a_fresh_sign_in_no_longer_works(
    acme: Acme, open_browser: OpenBrowser
) -> None:
    thief = await open_browser()
    thief.session_cookie = acme.browser.session_cookie

    await acme.browser.come_back(await _to_logto(acme), acme.admin)

    assert (await thief.get(acme.page, 303)).headers["Location"].startswith("/sign-in?")


async def test_the_form_is_refused_if_the_sign_in_is_no_longer_fresh(
    acme: Acme, settings: Settings, runtime: Runtime
) -> None:
    await acme.browser.come_back(await _to_logto(acme), acme.admin)
    await acme.browser.get(acme.page)
    await _make_sign_in_too_old(acme.browser, runtime, settings)

    headers = {**SAME_ORIGIN, "Referer": f"http://localhost{acme.page}"}
    refused = await acme.browser.app.post(acme.page, form={"name": acme.name}, headers=headers)

    assert refused.status_code == 401
    page = await text_of(refused)
    assert "Nothing was changed" in page
    assert f'href="/sign-in/fresh?next={acme.page}"' in page
    challenge = 'Bearer error="insufficient_user_authentication", max_age="600", '
    assert refused.headers["WWW-Authenticate"].startswith(challenge)
    assert (await acme.management.get_organization(acme.id)).name == acme.name
    assert (await acme.browser.get(acme.page, 303)).headers["Location"].startswith("/sign-in/fresh?")


async def test_a_program_gets_the_refusal_as_json(acme: Acme) -> None:
    headers = {**SAME_ORIGIN, "Accept": "application/json"}
    refused = await acme.browser.app.post(acme.page, form={"name": acme.name}, headers=headers)

    assert refused.status_code == 401
    assert (await refused.get_json())["code"] == "insufficient-user-authentication"
    assert (await acme.management.get_organization(acme.id)).name == acme.name


async def test_a_silent_renewal_does_not_count_as_a_fresh_sign_in(
    acme: Acme, settings: Settings, runtime: Runtime
) -> None:
    await acme.browser.follow("/sign-in/renew?next=/account&for=x")
    assert (await _access(acme.browser, runtime)).authenticated_at is None
    await acme.browser.come_back(await _to_logto(acme), acme.admin)
    await _make_sign_in_too_old(acme.browser, runtime, settings)
    old = (await _access(acme.browser, runtime)).authenticated_at

    await acme.browser.follow("/sign-in/renew?next=/account&for=x")

    assert (await _access(acme.browser, runtime)).authenticated_at == old
    await acme.browser.get(acme.page, 303)


async def test_a_sign_in_whose_prompt_was_removed_is_not_fresh_and_does_not_loop(acme: Acme) -> None:
    address, _, query = (await _to_logto(acme)).partition("?")
    silent = {name: values[0] for name, values in parse_qs(query).items() if name != "resource"}
    silent["prompt"] = "consent"
    tampered = f"{address}?{urlencode({**silent, 'resource': parse_qs(query)['resource']}, doseq=True)}"

    assert await acme.browser.come_back(tampered, None) == acme.page

    page = await acme.browser.text(acme.page, 401)
    assert "did not confirm that it asked for your credentials" in page
    await acme.browser.post(acme.page, {"name": acme.name}, 401)


@pytest.mark.parametrize(("role", "status"), [(Role.VIEWER, 403), (Role.ADMIN, 200)])
async def test_a_fresh_sign_in_as_another_person_is_a_session_of_that_person(
    acme: Acme, make: Factory, runtime: Runtime, role: Role, status: int
) -> None:
    other = await make.member(acme.id, "Otto", role)
    before, url = acme.browser.session_cookie, await _to_logto(acme)
    await acme.browser.forget_logto()

    assert await acme.browser.come_back(url, other) == acme.page

    assert (await _access(acme.browser, runtime)).principal.subject == other.id
    assert await runtime.sessions.find_access(before, None) is None
    await acme.browser.get(acme.page, status)


async def test_a_member_without_the_permission_is_not_asked_for_a_fresh_sign_in(
    acme: Acme, make: Factory, open_browser: OpenBrowser
) -> None:
    browser = await open_browser(await make.member(acme.id, "Vera", Role.VIEWER))
    await browser.get(acme.page, 403)
    await browser.post(acme.page, {"name": acme.name}, 403)
