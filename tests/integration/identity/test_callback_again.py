"""A callback that is opened again, by reload, *Back* or a double click, and one with repeated parameters."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from saas_app.app import create_app
from saas_app.config import Settings
from saas_app.runtime import Runtime
from tests.clients import Browser, Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.identity.test_attacks import callback_of


@pytest.fixture
async def pia(make: Factory) -> Person:
    return await make.person("Pia")


async def test_a_reloaded_callback_leads_where_the_first_one_did(
    pia: Person, open_browser: OpenBrowser, settings: Settings, runtime: Runtime
) -> None:
    browser = await open_browser()
    callback = await callback_of(browser, pia, settings, "/sign-in?next=/account")
    await browser.get(callback, 303)

    for _ in range(2):
        again = await browser.get(callback, 303)
        assert again.headers["Location"] == "/account"
        assert "Set-Cookie" not in again.headers
    assert len(await runtime.sessions.list_session_ids(pia.id)) == 1
    await browser.get("/account")


async def test_a_double_click_signs_in_once_whichever_answer_the_browser_takes(
    pia: Person, open_browser: OpenBrowser, settings: Settings, runtime: Runtime
) -> None:
    browser = await open_browser()
    callback = await callback_of(browser, pia, settings, "/sign-in?next=/account")

    answers = await asyncio.gather(*(browser.app.get(callback) for _ in range(4)))

    assert {answer.headers["Location"] for answer in answers} == {"/account"}
    assert len({answer.headers["Set-Cookie"].split(";")[0] for answer in answers}) == 1
    assert len(await runtime.sessions.list_session_ids(pia.id)) == 1
    await browser.get("/account")


async def test_an_answer_that_never_arrived_is_given_again(
    pia: Person, open_browser: OpenBrowser, settings: Settings
) -> None:
    browser = await open_browser()
    callback = await callback_of(browser, pia, settings, "/sign-in?next=/account")
    lost = asyncio.ensure_future(browser.app.get(callback))
    await asyncio.sleep(0)
    lost.cancel()  # the browser goes away in the middle
    await asyncio.gather(lost, return_exceptions=True)

    again = await browser.get(callback, 303)

    assert again.headers["Location"] == "/account"
    await browser.get("/account")


async def test_a_cookie_is_not_given_again_to_another_browser_or_later(
    pia: Person, open_browser: OpenBrowser, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, other = await open_browser(), await open_browser()
    await other.get("/sign-in", 303)
    callback = await callback_of(browser, pia, settings)
    await browser.get(callback, 303)
    await other.get(callback, 400)
    browser.app.set_cookie("localhost", "workroom_session", "")
    monkeypatch.setattr("saas_app.identity.sign_in._SAME_MOMENT", timedelta(0))
    await browser.get(callback, 400)
    await browser.get("/account", 303)


async def test_somebody_else_in_the_same_browser_is_not_led_by_anothers_callback(
    pia: Person, make: Factory, open_browser: OpenBrowser, settings: Settings
) -> None:
    browser = await open_browser()
    callback = await callback_of(browser, pia, settings, "/sign-in?next=/o/hers")
    await browser.get(callback, 303)
    bob = await open_browser(await make.person("Bob"))
    for cookie in bob.app.cookie_jar or ():
        if cookie.name == "workroom_session":
            browser.app.set_cookie("localhost", "workroom_session", str(cookie.value))

    page = await (await browser.get(callback, 400)).get_data(as_text=True)

    assert "hers" not in page


async def test_while_logto_is_away_a_callback_can_be_opened_again(
    pia: Person, open_browser: OpenBrowser, settings: Settings
) -> None:
    away = settings.model_copy(update={"logto_endpoint": "http://127.0.0.1:9", "logto_timeout": 0.5})
    app = create_app(away)
    browser = await open_browser()
    callback = await callback_of(browser, pia, settings, "/sign-in?next=/account")
    async with app.test_app(), Browser(app, settings.redirect_uri) as without_logto:
        for cookie in browser.app.cookie_jar or ():
            without_logto.app.set_cookie("localhost", cookie.name, str(cookie.value))
        await without_logto.get(callback, 503)

    assert (await browser.get(callback, 303)).headers["Location"] == "/account"


@pytest.mark.parametrize("name", ["code", "state", "iss", "error", "anything"])
async def test_a_repeated_parameter_at_the_callback_is_a_plain_400_and_costs_nothing(
    pia: Person, open_browser: OpenBrowser, settings: Settings, name: str
) -> None:
    browser = await open_browser()
    callback = await callback_of(browser, pia, settings)
    doubled = f"{callback}&{name}=x" + (f"&{name}=y" if f"{name}=" not in callback else "")

    page = await (await browser.get(doubled, 400)).get_data(as_text=True)

    assert "A query parameter is given more than once." in page
    await browser.get("/account", 303)
    await browser.get(callback, 303)  # the attempt was not touched


@pytest.mark.parametrize(
    "path",
    [
        "/sign-in?next=/o&next=/account",
        "/sign-in?prompt=login&prompt=",
        "/sign-up?next=/o&next=/o",
        "/sign-in/renew?for=a&for=b",
        "/sign-in/fresh?next=/a&next=/b",
        "/sign-in/finish?form=a&form=b",
        "/o?after=a&after=b",
        "/o/switch?current=a&current=b",
    ],
)
async def test_a_repeated_parameter_that_decides_something_is_refused(
    pia: Person, open_browser: OpenBrowser, path: str
) -> None:
    browser = await open_browser(pia)
    await browser.get(path, 400)


async def test_the_api_refuses_a_repeated_parameter_as_a_problem(
    pia: Person, open_browser: OpenBrowser
) -> None:
    browser = await open_browser(pia)
    refused = await browser.get("/api/v1/me?a=1&a=2", 400)
    assert refused.content_type == "application/problem+json"
    assert (await refused.get_json())["code"] == "bad-request"


async def test_two_logout_tokens_are_refused(open_browser: OpenBrowser) -> None:
    browser = await open_browser()
    response = await browser.app.post(
        "/backchannel-logout",
        data="logout_token=a&logout_token=b",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert response.status_code == 400
    assert (await response.get_json())["error"] == "invalid_request"
