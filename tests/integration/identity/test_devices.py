"""Signed-in devices are listed, and signed out here and at the provider."""

from __future__ import annotations

import re

import pytest

from saas_app.config import Settings
from saas_app.logto import ManagementClient
from saas_app.runtime import Runtime
from tests.clients import Browser, Person
from tests.conftest import OpenApp, OpenBrowser
from tests.factories import Factory
from tests.integration.faulty_logto import DOWN, Fault, Faulty

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"


async def devices(browser: Browser) -> list[str]:
    """Return the devices on the account page, one text for each."""
    page = await browser.text("/account")
    section = page.partition('id="sessions"')[2].partition("</ul>")[0]
    return [" ".join(re.sub(r"<[^>]+>", " ", item).split()) for item in section.split("<li>")[1:]]


async def end_links(browser: Browser) -> list[str]:
    """Return the targets of the buttons in the order of the list, this device first."""
    page = await browser.text("/account")
    return re.findall(r'action="(/account/sessions/[^"]+/end)"', page)


async def comes_back_silently(browser: Browser) -> bool:
    """Return whether the provider lets this browser in again without asking for a password."""
    started = await browser.get("/sign-in", 303)
    try:
        await browser.callback_of(started.headers["Location"], None)
    except AssertionError as asked:
        assert "asks who this is" in str(asked)  # noqa: PT017
        return False
    return True


async def test_signing_out_everywhere_ends_every_session_here_and_at_the_provider(
    pia: Person, open_browser: OpenBrowser, management: ManagementClient
) -> None:
    here, there = await open_browser(pia), await open_browser(pia)

    await here.post("/account/sign-out-everywhere")

    assert (await there.get("/account", 303)).headers["Location"].startswith("/sign-in")
    assert not await comes_back_silently(there)
    assert not await comes_back_silently(here)
    assert await management.list_user_sessions(pia.id) == []
    assert await management.list_user_grants(pia.id) == []


async def test_signing_out_everywhere_ends_grants_without_a_session_too(
    pia: Person, open_browser: OpenBrowser, management: ManagementClient
) -> None:
    here, _there = await open_browser(pia), await open_browser(pia)
    for session in await management.list_user_sessions(pia.id):
        await management._transport.call("DELETE", f"/users/{pia.id}/sessions/{session.uid}")
    assert len(await management.list_user_grants(pia.id)) == 2

    await here.post("/account/sign-out-everywhere")

    assert await management.list_user_grants(pia.id) == []


async def test_signing_out_another_device_ends_it_at_the_provider_too(
    pia: Person, open_browser: OpenBrowser, management: ManagementClient
) -> None:
    here, there = await open_browser(pia), await open_browser(pia)
    mine, other = await end_links(here)

    await here.post(other)

    assert "is signed out." in await here.text("/account")
    assert await end_links(here) == [mine]
    await there.get("/account", 303)
    assert not await comes_back_silently(there)
    assert await comes_back_silently(here)
    assert len(await management.list_user_grants(pia.id)) == 1


async def test_signing_out_this_device_leads_through_the_providers_sign_out(
    pia: Person, open_browser: OpenBrowser, settings: Settings
) -> None:
    here = await open_browser(pia)
    (mine,) = await end_links(here)
    done = await here.post(mine)
    assert done.headers["Location"].startswith(f"{settings.logto_endpoint}/oidc/session/end")
    await here.get("/account", 303)


async def test_devices_are_listed_with_browser_address_and_times(
    pia: Person, open_browser: OpenBrowser
) -> None:
    here, there = await open_browser(pia), await open_browser()
    from_elsewhere = {"headers": {"User-Agent": FIREFOX}, "scope_base": {"client": ("192.0.2.7", 4711)}}
    await there.get(await there.callback(pia), 303, **from_elsewhere)

    mine, other = await devices(here)

    assert "This device" in mine
    assert "This device" not in other
    assert other.startswith("Firefox on Windows")
    for item in (mine, other):
        assert re.search(r" · signed in .* UTC · last used just now Sign out$", item), item
    assert "192.0.2.7" in other


async def test_a_browser_that_is_signed_in_only_at_the_provider_is_listed_and_can_be_signed_out(
    pia: Person, open_browser: OpenBrowser, runtime: Runtime, management: ManagementClient
) -> None:
    here, there = await open_browser(pia), await open_browser(pia)
    mine, other = await end_links(here)
    (theirs,) = [one for one in await runtime.sessions.list_session_ids(pia.id) if str(one) in other]
    await runtime.sessions.end(theirs, subject=pia.id)
    assert "Signed in to Logto, but not to Workroom." in (await devices(here))[1]

    await here.post((await end_links(here))[1])

    assert not await comes_back_silently(there)
    assert await end_links(here) == [mine]
    assert len(await management.list_user_sessions(pia.id)) == 1


async def test_two_sessions_of_one_browser_are_one_device(
    pia: Person, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    here, there = await open_browser(pia), await open_browser(pia)
    there.app.cookie_jar.clear()  # type: ignore[union-attr]  # as "delete cookies of this site" does
    await there.follow("/sign-in")
    assert len(await runtime.sessions.list_session_ids(pia.id)) == 3

    mine, other = await end_links(here)
    await here.post(other)

    assert len(await runtime.sessions.list_session_ids(pia.id)) == 1
    assert await end_links(here) == [mine]


async def test_nobody_signs_out_the_device_of_another_person(
    pia: Person, make: Factory, open_browser: OpenBrowser, management: ManagementClient
) -> None:
    hers, stranger = await open_browser(pia), await open_browser(await make.person("Mallory"))
    (session,) = await management.list_user_sessions(pia.id)
    for link in [*await end_links(hers), f"/account/sessions/{session.uid}/end", "/account/sessions/x/end"]:
        await stranger.post(link, expect=404)
    await hers.get("/account")
    assert await comes_back_silently(hers)


@pytest.fixture
async def half_signed_out(faulty: Faulty, pia: Person) -> list[Browser]:
    """Three browsers of Pia. The first signed out everywhere, and Logto failed after ending one session."""
    browsers: list[Browser] = [await faulty.open_browser(pia) for _ in range(3)]
    deleted = 0

    async def fail_after_the_first(path: str) -> None:
        nonlocal deleted
        if re.search(r"/sessions/[^/]+$", path):
            deleted += 1
            if deleted > 1:
                faulty.gate.fail(Fault("DELETE", r"/sessions/", **DOWN))

    faulty.gate.before = fail_after_the_first
    done = await browsers[0].post("/account/sign-out-everywhere")
    assert done.headers["Location"] == "/account"
    faulty.gate.before = None
    faulty.gate.fail()
    return browsers


async def test_when_the_provider_fails_midway_the_page_says_what_ended_and_what_did_not(
    half_signed_out: list[Browser], pia: Person, runtime: Runtime, management: ManagementClient
) -> None:
    here, there, _third = half_signed_out
    page = await here.text("/account")
    assert "2 of your Workroom sessions and 1 of your Logto sessions ended." in page
    assert "Logto did not respond." in page
    assert "You are still signed in on this device. Try again." in page
    await there.get("/account", 303)
    assert len(await runtime.sessions.list_session_ids(pia.id)) == 1
    assert len(await management.list_user_sessions(pia.id)) == 2


async def test_signing_out_everywhere_again_ends_what_the_first_attempt_left(
    half_signed_out: list[Browser], pia: Person, management: ManagementClient
) -> None:
    here, there, third = half_signed_out

    await here.post("/account/sign-out-everywhere")

    await here.get("/account", 303)
    assert await management.list_user_sessions(pia.id) == []
    assert await management.list_user_grants(pia.id) == []
    for browser in (there, third):
        assert not await comes_back_silently(browser)


async def test_signing_out_everywhere_ends_grants_that_a_lost_response_left(
    faulty: Faulty, pia: Person, management: ManagementClient
) -> None:
    here, there = await faulty.open_browser(pia), await faulty.open_browser(pia)
    faulty.gate.fail(Fault("DELETE", r"/sessions/", after=True, **DOWN))  # its answer is lost

    done = await here.post("/account/sign-out-everywhere")

    assert done.headers["Location"] == "/account"  # the other one was ended first
    faulty.gate.fail()
    await here.post("/account/sign-out-everywhere")
    assert not await comes_back_silently(here)
    assert not await comes_back_silently(there)
    assert await management.list_user_grants(pia.id) == []


async def test_while_the_provider_fails_a_device_is_signed_out_here_and_the_page_says_so(
    faulty: Faulty, pia: Person
) -> None:
    here, there = await faulty.open_browser(pia), await faulty.open_browser(pia)
    _, other = await end_links(here)
    faulty.gate.fail(Fault("DELETE", r"/sessions/", **DOWN))

    await here.post(other)

    page = await here.text("/account")
    assert "is signed out of Workroom. Logto did not respond." in page
    assert "Try again in a moment." in page
    await there.get("/account", 303)
    _, listed = await devices(here)
    assert "Signed in to Logto, but not to Workroom" in listed


async def test_while_the_provider_fails_the_list_shows_our_own_sessions_and_says_so(
    faulty: Faulty, pia: Person
) -> None:
    here = await faulty.open_browser(pia)
    faulty.gate.fail(Fault("GET", r"/sessions$", **DOWN))
    page = await here.text("/account")
    assert "This list shows only sessions in Workroom." in page
    assert "This device" in page
    await here.post("/account/sessions/nosuchsession/end", expect=503)


async def test_without_the_management_api_our_own_sessions_end_and_the_page_says_so(
    pia: Person, open_app: OpenApp, open_browser: OpenBrowser
) -> None:
    app = await open_app(management=None)
    here, there = await open_browser(pia, at=app), await open_browser(pia, at=app)

    await here.post("/account/sign-out-everywhere")

    page = await here.text("/")
    assert "2 of your Workroom sessions and 0 of your Logto sessions ended." in page
    assert "This installation is not allowed to end Logto sessions." in page
    await here.get("/account", 303)
    await there.get("/account", 303)
