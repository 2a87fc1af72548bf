"""What an attacker would try around the sign-in. Each is refused, and says so without giving anything."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import sqlalchemy as sa

from saas_app.config import Settings
from saas_app.models import SessionRow
from saas_app.runtime import Runtime
from tests.clients import Browser, LogtoVisit, Person
from tests.conftest import OpenBrowser
from tests.factories import Factory


async def callback_of(browser: Browser, person: Person, settings: Settings, path: str = "/sign-in") -> str:
    started = await browser.get(path, 303)
    callback = await browser.logto.authorize(started.headers["Location"], person, settings.redirect_uri)
    return callback.removeprefix(settings.app_url)


def changed(callback: str, **values: str | None) -> str:
    parts = urlsplit(callback)
    query = {**dict(parse_qsl(parts.query)), **values}
    return f"{parts.path}?{urlencode({name: value for name, value in query.items() if value is not None})}"


async def refused(browser: Browser, callback: str) -> str:
    page = await (await browser.get(callback, 400)).get_data(as_text=True)
    await browser.get("/account", 303)
    assert "Traceback" not in page
    assert "/sign-in" in page
    return page


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "forged"},
        {"state": None},
        {"state": ""},
        {"iss": "https://evil.test/oidc"},
        {"iss": None},
        {"code": "forged"},
        {"code": None},
    ],
)
async def test_a_callback_that_was_tampered_with_signs_nobody_in(
    make: Factory, open_browser: OpenBrowser, settings: Settings, changes: dict[str, str | None]
) -> None:
    browser = await open_browser()
    callback = await callback_of(browser, await make.person(), settings)
    await refused(browser, changed(callback, **changes))


async def test_a_parameter_that_comes_twice_counts_for_nothing(
    make: Factory, open_browser: OpenBrowser, settings: Settings
) -> None:
    browser = await open_browser()
    callback = await callback_of(browser, await make.person(), settings)
    await refused(browser, f"{callback}&state=another")


async def test_a_callback_of_somebody_who_signed_out_signs_nobody_in_again(
    make: Factory, open_browser: OpenBrowser, settings: Settings
) -> None:
    browser = await open_browser()
    callback = await callback_of(browser, await make.person(), settings, "/sign-in?next=/account")
    await browser.get(callback, 303)
    await browser.post("/sign-out")

    page = await refused(browser, callback)

    assert "already been used" in page
    assert 'href="/sign-in?next=%2Faccount"' in page


async def test_a_callback_of_another_browser_is_refused_and_stays_good_for_its_own(
    make: Factory, open_browser: OpenBrowser, settings: Settings
) -> None:
    victim, attacker = await open_browser(), await open_browser()
    await victim.get("/sign-in", 303)  # the victim has an attempt of their own
    callback = await callback_of(attacker, await make.person("Mallory"), settings)

    await refused(victim, callback)
    await attacker.get(callback, 303)


async def test_a_code_of_one_attempt_is_not_accepted_in_another(
    make: Factory, open_browser: OpenBrowser, settings: Settings
) -> None:
    person = await make.person()
    browser = await open_browser()
    first = await callback_of(browser, person, settings)
    second = await callback_of(browser, person, settings)
    code = dict(parse_qsl(urlsplit(first).query))["code"]

    await refused(browser, changed(second, code=code))


async def test_an_error_of_logto_is_a_page_that_says_what_happened(
    open_browser: OpenBrowser, settings: Settings
) -> None:
    browser = await open_browser()
    started = await browser.get("/sign-in", 303)
    state = dict(parse_qsl(urlsplit(started.headers["Location"]).query))["state"]
    query = urlencode({"error": "access_denied", "state": state, "iss": f"{settings.logto_endpoint}/oidc"})

    page = await refused(browser, f"/callback?{query}")
    assert "denied access" in page


async def test_an_error_text_is_escaped(open_browser: OpenBrowser, settings: Settings) -> None:
    browser = await open_browser()
    started = await browser.get("/sign-in", 303)
    state = dict(parse_qsl(urlsplit(started.headers["Location"]).query))["state"]
    query = urlencode({"error": "<script>x", "state": state, "iss": f"{settings.logto_endpoint}/oidc"})

    assert "<script>x" not in await refused(browser, f"/callback?{query}")


async def test_a_session_id_chosen_by_an_attacker_is_not_taken_over(
    make: Factory, open_browser: OpenBrowser
) -> None:
    browser = await open_browser()
    browser.app.set_cookie("localhost", "workroom_session", "chosen-by-the-attacker")
    await browser.sign_in(await make.person())

    values = {cookie.value for cookie in browser.app.cookie_jar if cookie.name == "workroom_session"}
    assert "chosen-by-the-attacker" not in values


@pytest.mark.parametrize("value", ["", "x", "a" * 43, "../../etc", "%00", "' OR 1=1 --"])
async def test_a_made_up_cookie_is_nobody(open_browser: OpenBrowser, value: str) -> None:
    browser = await open_browser()
    browser.app.set_cookie("localhost", "workroom_session", value)
    await browser.get("/account", 303)


async def test_bob_signing_in_on_alices_browser_gets_nothing_of_hers(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    alice, bob = await make.person("Alice"), await make.person("Bob")
    hers = await make.organization("Hers", admin=alice)
    browser = await open_browser(alice)
    await browser.follow(f"/o/{hers}/projects")

    await browser.logto.close()
    browser.logto = LogtoVisit()  # alice is signed out at the provider, her session here lives
    await browser.sign_in(bob)

    assert (await browser.follow(f"/o/{hers}/projects")).status_code == 404
    assert (await (await browser.get("/api/v1/me")).get_json())["subject"] == bob.id
    async with runtime.work.reading() as db:
        left = await db.scalar(
            sa.select(sa.func.count()).select_from(SessionRow).where(SessionRow.subject == alice.id)
        )
    assert left == 0


async def test_a_renewal_that_comes_back_as_another_person_is_a_sign_in_of_that_person(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime, settings: Settings
) -> None:
    alice, bob = await make.person("Alice"), await make.person("Bob")
    browser = await open_browser(alice)
    (hers,) = await runtime.sessions.list_session_ids(alice.id)
    started = await browser.get("/sign-in/renew?next=/account", 303)
    await browser.logto.close()
    browser.logto = LogtoVisit()  # meanwhile bob sits at the provider

    callback = await browser.logto.authorize(started.headers["Location"], bob, settings.redirect_uri)
    await browser.get(callback.removeprefix(settings.app_url), 303)

    assert (await (await browser.get("/api/v1/me")).get_json())["subject"] == bob.id
    assert await runtime.sessions.list_session_ids(alice.id) == []
    assert hers not in await runtime.sessions.list_session_ids(bob.id)


async def test_a_form_that_waited_is_not_given_to_another_person(
    make: Factory, open_browser: OpenBrowser, settings: Settings
) -> None:
    alice, bob = await make.person("Alice"), await make.person("Bob")
    browser = await open_browser(alice)
    started = await browser.post("/sign-in/renew", {"_action": "/o/new", "name": "Alice's own"})
    await browser.logto.close()
    browser.logto = LogtoVisit()

    callback = await browser.logto.authorize(started.headers["Location"], bob, settings.redirect_uri)
    done = await browser.get(callback.removeprefix(settings.app_url), 303)
    led_to = await browser.get(done.headers["Location"], 303)

    assert led_to.headers["Location"] == "/"
    assert "Alice&#39;s own" not in await (await browser.get("/o")).get_data(as_text=True)


async def test_a_form_that_came_back_is_only_for_who_brought_it(
    make: Factory, open_browser: OpenBrowser, settings: Settings
) -> None:
    alice, bob = await make.person("Alice"), await make.person("Bob")
    browser, other = await open_browser(alice), await open_browser(bob)
    started = await browser.post("/sign-in/renew", {"_action": "/o/new", "name": "Alice's own"})
    callback = await browser.logto.authorize(started.headers["Location"], None, settings.redirect_uri)
    done = await browser.get(callback.removeprefix(settings.app_url), 303)
    finish = done.headers["Location"]
    assert finish.startswith("/sign-in/finish?form=")
    for cookie in other.app.cookie_jar or ():
        if cookie.name == "workroom_session":
            browser.app.set_cookie("localhost", "workroom_session", str(cookie.value))  # bob sits down

    led_to = await browser.get(finish, 303)

    assert led_to.headers["Location"] == "/"
    assert "Alice" not in await (await browser.get("/o")).get_data(as_text=True)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
        {},
    ],
)
async def test_a_post_from_another_site_is_refused_and_changes_nothing(
    make: Factory, open_browser: OpenBrowser, headers: dict[str, str]
) -> None:
    browser = await open_browser(await make.person())

    response = await browser.app.post("/sign-out", headers=headers)

    assert response.status_code == 403
    await browser.get("/account")


async def test_a_post_with_our_own_origin_is_accepted(
    make: Factory, open_browser: OpenBrowser, settings: Settings
) -> None:
    browser = await open_browser(await make.person())
    response = await browser.app.post("/sign-out", headers={"Origin": settings.app_url})
    assert response.status_code == 303


async def test_a_form_of_very_many_fields_is_refused(make: Factory, open_browser: OpenBrowser) -> None:
    browser = await open_browser(await make.person())
    response = await browser.app.post(
        "/o/new", data="a=&" * 300_000,
        headers={"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"},
    )  # fmt: skip
    assert response.status_code == 413


async def test_a_body_that_is_too_large_is_refused(make: Factory, open_browser: OpenBrowser) -> None:
    browser = await open_browser(await make.person())
    response = await browser.app.post(
        "/o/new", data=b"name=" + b"a" * 1_100_000,
        headers={"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"},
    )  # fmt: skip
    assert response.status_code == 413
