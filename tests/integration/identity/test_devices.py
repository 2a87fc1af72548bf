"""Signed-in devices: listed with where and when, and signed out here and at the provider."""

from __future__ import annotations

import re

import pytest

from saas_app.app import create_app
from saas_app.config import Settings
from saas_app.logto import ManagementClient
from saas_app.runtime import Runtime
from tests.clients import Browser, Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.invitations.conftest import Fault, Faulty, faulty, gate
from tests.integration.members.conftest import text_of

__all__ = ["faulty", "gate"]

FAILED = {"status": 500, "body": {"message": "Internal server error."}}
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"


async def devices(browser: Browser) -> list[str]:
    """The list of devices on the account page, one text an entry."""
    page = await text_of(await browser.get("/account"))
    section = page.partition('id="sessions"')[2].partition("</ul>")[0]
    return [" ".join(re.sub(r"<[^>]+>", " ", item).split()) for item in section.split("<li>")[1:]]


async def end_links(browser: Browser) -> list[str]:
    """Where the buttons lead, in the order of the list: This device first."""
    page = await text_of(await browser.get("/account"))
    return re.findall(r'action="(/account/sessions/[^"]+/end)"', page)


async def comes_back_silently(browser: Browser) -> bool:
    """Whether the provider lets this browser in again without asking who it is."""
    started = await browser.get("/sign-in", 303)
    try:
        await browser.logto.authorize(started.headers["Location"], None, "http://localhost:3000/callback")
    except AssertionError as asked:
        assert "asks who this is" in str(asked)  # noqa: PT017
        return False
    return True


@pytest.fixture
async def pia(make: Factory) -> Person:
    return await make.person("Pia")


async def test_every_browser_has_to_sign_in_again_after_sign_out_everywhere(
    pia: Person, open_browser: OpenBrowser, management: ManagementClient
) -> None:
    here, there = await open_browser(pia), await open_browser(pia)

    await here.post("/account/sign-out-everywhere")

    assert (await there.get("/account", 303)).headers["Location"].startswith("/sign-in")
    assert not await comes_back_silently(there)
    assert not await comes_back_silently(here)
    assert await management.list_user_sessions(pia.id) == []
    assert await management.list_user_grants(pia.id) == []


async def test_a_grant_whose_browser_session_is_gone_ends_too(
    pia: Person, open_browser: OpenBrowser, management: ManagementClient
) -> None:
    here, _there = await open_browser(pia), await open_browser(pia)
    for session in await management.list_user_sessions(pia.id):
        await management._transport.call("DELETE", f"/users/{pia.id}/sessions/{session.uid}")
    assert len(await management.list_user_grants(pia.id)) == 2

    await here.post("/account/sign-out-everywhere")

    assert await management.list_user_grants(pia.id) == []


async def test_one_device_is_signed_out_at_the_provider_and_the_other_stays(
    pia: Person, open_browser: OpenBrowser, management: ManagementClient
) -> None:
    here, there = await open_browser(pia), await open_browser(pia)
    mine, other = await end_links(here)

    await here.post(other)

    assert "is signed out." in await text_of(await here.get("/account"))
    assert await end_links(here) == [mine]
    await there.get("/account", 303)
    assert not await comes_back_silently(there)
    assert await comes_back_silently(here)
    assert len(await management.list_user_grants(pia.id)) == 1


async def test_this_device_goes_through_the_providers_sign_out(
    pia: Person, open_browser: OpenBrowser, settings: Settings
) -> None:
    here = await open_browser(pia)
    (mine,) = await end_links(here)
    done = await here.post(mine)
    assert done.headers["Location"].startswith(f"{settings.logto_endpoint}/oidc/session/end")
    await here.get("/account", 303)


async def test_devices_tell_where_and_when(pia: Person, open_browser: OpenBrowser) -> None:
    here, there = await open_browser(pia), await open_browser()
    started = await there.get("/sign-in", 303)
    callback = await there.logto.authorize(started.headers["Location"], pia, "http://localhost:3000/callback")
    await there.get(
        callback.removeprefix("http://localhost:3000"),
        303,
        headers={"User-Agent": FIREFOX},
        scope_base={"client": ("192.0.2.7", 4711)},
    )

    mine, other = await devices(here)

    assert "This device" in mine
    assert "This device" not in other
    assert other.startswith("Firefox on Windows")
    for item in (mine, other):
        assert re.search(r" · signed in .* UTC · last used just now Sign out$", item), item
    assert "192.0.2.7" in other


async def test_a_browser_that_is_signed_in_only_at_the_provider_is_listed_and_can_be_ended(
    pia: Person, open_browser: OpenBrowser, runtime: Runtime, management: ManagementClient
) -> None:
    here, there = await open_browser(pia), await open_browser(pia)
    mine, other = await end_links(here)
    (hers,) = [one for one in await runtime.sessions.list_session_ids(pia.id) if str(one) in other]
    await runtime.sessions.end(hers, subject=pia.id)

    _, listed = await devices(here)
    assert "Signed in to Logto, but not to Workroom." in listed
    _, link = await end_links(here)
    await here.post(link)

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


async def test_nobody_ends_the_device_of_somebody_else(
    pia: Person, make: Factory, open_browser: OpenBrowser, management: ManagementClient
) -> None:
    hers, stranger = await open_browser(pia), await open_browser(await make.person("Mallory"))
    (session,) = await management.list_user_sessions(pia.id)
    for link in [*await end_links(hers), f"/account/sessions/{session.uid}/end", "/account/sessions/x/end"]:
        await stranger.post(link, expect=404)
    await hers.get("/account")
    assert await comes_back_silently(hers)


async def test_when_the_provider_fails_midway_it_is_said_and_trying_again_ends_the_rest(
    faulty: Faulty, make: Factory, runtime: Runtime, management: ManagementClient
) -> None:
    pia = await make.person("Pia")
    here, there, third = [await faulty.open_browser(pia) for _ in range(3)]
    deleted = 0

    async def fail_after_the_first(path: str) -> None:
        nonlocal deleted
        if re.search(r"/sessions/[^/]+$", path):
            deleted += 1
            if deleted > 1:
                faulty.gate.fail(Fault("DELETE", r"/sessions/", **FAILED))

    faulty.gate.before = fail_after_the_first
    done = await here.post("/account/sign-out-everywhere")

    assert done.headers["Location"] == "/account"
    page = await text_of(await here.get("/account"))
    assert "2 of your Workroom sessions and 1 of your Logto sessions ended." in page
    assert "Logto did not respond." in page
    assert "You are still signed in on this device. Try again." in page
    await there.get("/account", 303)
    assert len(await runtime.sessions.list_session_ids(pia.id)) == 1
    assert len(await management.list_user_sessions(pia.id)) == 2

    faulty.gate.before = None
    faulty.gate.fail()
    await here.post("/account/sign-out-everywhere")
    await here.get("/account", 303)
    assert await management.list_user_sessions(pia.id) == []
    assert await management.list_user_grants(pia.id) == []
    for browser in (there, third):
        assert not await comes_back_silently(browser)


async def test_when_only_grants_are_left_the_person_is_signed_out_and_told(
    faulty: Faulty, make: Factory, management: ManagementClient
) -> None:
    pia = await make.person("Pia")
    here, there = await faulty.open_browser(pia), await faulty.open_browser(pia)
    faulty.gate.fail(Fault("DELETE", r"/sessions/", after=True, **FAILED))  # its answer is lost

    done = await here.post("/account/sign-out-everywhere")

    assert done.headers["Location"] == "/account"  # the other one was ended first
    faulty.gate.fail()
    await here.post("/account/sign-out-everywhere")
    assert not await comes_back_silently(here)
    assert not await comes_back_silently(there)
    assert await management.list_user_grants(pia.id) == []


async def test_a_device_ends_here_although_the_provider_does_not_answer_and_the_page_says_so(
    faulty: Faulty, make: Factory
) -> None:
    pia = await make.person("Pia")
    here, there = await faulty.open_browser(pia), await faulty.open_browser(pia)
    _, other = await end_links(here)
    faulty.gate.fail(Fault("DELETE", r"/sessions/", **FAILED))

    await here.post(other)

    page = await text_of(await here.get("/account"))
    assert "is signed out of Workroom. Logto did not respond." in page
    assert "Try again in a moment." in page
    await there.get("/account", 303)
    _, listed = await devices(here)
    assert "Signed in to Logto, but not to Workroom" in listed


async def test_without_an_answer_the_list_shows_our_own_sessions_and_says_so(
    faulty: Faulty, make: Factory
) -> None:
    here = await faulty.open_browser(await make.person("Pia"))
    faulty.gate.fail(Fault("GET", r"/sessions$", **FAILED))
    page = await text_of(await here.get("/account"))
    assert "This list shows only sessions in Workroom." in page
    assert "This device" in page
    await here.post("/account/sessions/nosuchsession/end", expect=503)


async def test_where_the_provider_cannot_be_managed_what_is_ours_ends_and_the_rest_is_said(
    pia: Person, settings: Settings
) -> None:
    app = create_app(settings.model_copy(update={"management": None}))
    async with (
        app.test_app(),
        Browser(app, settings.redirect_uri) as here,
        Browser(app, settings.redirect_uri) as there,
    ):
        await here.sign_in(pia)
        await there.sign_in(pia)

        await here.post("/account/sign-out-everywhere")

        page = await text_of(await here.get("/"))
        assert "2 of your Workroom sessions and 0 of your Logto sessions ended." in page
        assert "This installation is not allowed to end Logto sessions." in page
        await here.get("/account", 303)
        await there.get("/account", 303)
