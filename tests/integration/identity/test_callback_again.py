"""Callbacks that are opened again, by *Reload*, *Back* or a double click, or that repeat a parameter."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from saas_app.runtime import Runtime
from tests.clients import URLENCODED, Person
from tests.conftest import OpenApp, OpenBrowser
from tests.factories import Factory
from tests.offices import Office


async def test_a_reloaded_callback_leads_to_the_same_page_and_signs_in_once(
    pia: Person, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    browser = await open_browser()
    callback = await browser.callback(pia, "/sign-in?next=/account")
    await browser.get(callback, 303)

    for _ in range(2):
        again = await browser.get(callback, 303)
        assert again.headers["Location"] == "/account"
        assert "Set-Cookie" not in again.headers
    assert len(await runtime.sessions.list_session_ids(pia.id)) == 1
    await browser.get("/account")


async def test_a_double_click_signs_in_once_and_every_answer_has_the_same_cookie(
    pia: Person, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    browser = await open_browser()
    callback = await browser.callback(pia, "/sign-in?next=/account")

    answers = await asyncio.gather(*(browser.app.get(callback) for _ in range(4)))

    assert {answer.headers["Location"] for answer in answers} == {"/account"}
    assert len({answer.headers["Set-Cookie"].split(";")[0] for answer in answers}) == 1
    assert len(await runtime.sessions.list_session_ids(pia.id)) == 1
    await browser.get("/account")


async def test_a_callback_whose_answer_was_lost_can_be_opened_again(
    pia: Person, open_browser: OpenBrowser
) -> None:
    browser = await open_browser()
    callback = await browser.callback(pia, "/sign-in?next=/account")
    lost = asyncio.ensure_future(browser.app.get(callback))
    await asyncio.sleep(0)
    lost.cancel()  # the browser disconnects midway
    await asyncio.gather(lost, return_exceptions=True)

    again = await browser.get(callback, 303)

    assert again.headers["Location"] == "/account"
    await browser.get("/account")


async def test_a_callback_gives_no_session_to_another_browser_or_after_its_window(
    pia: Person, open_browser: OpenBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, other = await open_browser(), await open_browser()
    await other.get("/sign-in", 303)
    callback = await browser.callback(pia)
    await browser.get(callback, 303)
    await other.get(callback, 400)
    browser.session_cookie = ""
    monkeypatch.setattr("saas_app.identity.sign_in._REPEAT_WINDOW", timedelta(0))
    await browser.get(callback, 400)
    await browser.get("/account", 303)


async def test_a_callback_opened_in_another_persons_session_reveals_nothing(
    pia: Person, make: Factory, open_browser: OpenBrowser
) -> None:
    browser = await open_browser()
    callback = await browser.callback(pia, "/sign-in?next=/o/hers")
    await browser.get(callback, 303)
    browser.session_cookie = (await open_browser(await make.person("Bob"))).session_cookie

    page = await (await browser.get(callback, 400)).get_data(as_text=True)

    assert "hers" not in page


async def test_a_callback_opened_while_logto_is_down_can_be_opened_again(
    pia: Person, open_browser: OpenBrowser, open_app: OpenApp
) -> None:
    without_logto = await open_app(logto_endpoint="http://127.0.0.1:9", logto_timeout=0.5)
    browser = await open_browser()
    callback = await browser.callback(pia, "/sign-in?next=/account")
    await browser.at(without_logto).get(callback, 503)

    assert (await browser.get(callback, 303)).headers["Location"] == "/account"


@pytest.mark.parametrize("name", ["code", "state", "iss", "error", "anything"])
async def test_a_callback_with_a_repeated_parameter_is_a_bad_request_and_stays_valid(
    pia: Person, open_browser: OpenBrowser, name: str
) -> None:
    browser = await open_browser()
    callback = await browser.callback(pia)
    doubled = f"{callback}&{name}=x" + (f"&{name}=y" if f"{name}=" not in callback else "")

    page = await (await browser.get(doubled, 400)).get_data(as_text=True)

    assert "A query parameter is given more than once." in page
    await browser.get("/account", 303)
    await browser.get(callback, 303)  # the attempt can still be completed


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
async def test_a_repeated_parameter_is_a_bad_request(shared_acme: Office, path: str) -> None:
    await shared_acme.browser.get(path, 400)


async def test_a_repeated_parameter_is_a_problem_document_in_the_api(shared_acme: Office) -> None:
    refused = await shared_acme.browser.get("/api/v1/me?a=1&a=2", 400)
    assert refused.content_type == "application/problem+json"
    assert (await refused.get_json())["code"] == "bad-request"


async def test_two_logout_tokens_are_rejected(open_browser: OpenBrowser) -> None:
    browser = await open_browser()
    response = await browser.app.post(
        "/backchannel-logout",
        data="logout_token=a&logout_token=b",
        headers=URLENCODED,
    )
    assert response.status_code == 400
    assert (await response.get_json())["error"] == "invalid_request"
