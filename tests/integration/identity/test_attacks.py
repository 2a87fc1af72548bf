"""Attacks on the sign-in. Each is rejected, and the answer reveals nothing."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from saas_app.config import Settings
from saas_app.runtime import Runtime
from tests.clients import SAME_ORIGIN, URLENCODED, Browser
from tests.conftest import OpenBrowser
from tests.factories import Factory


def changed(callback: str, **values: str | None) -> str:
    """Return a callback with other parameters. None removes one."""
    parts = urlsplit(callback)
    query = {**dict(parse_qsl(parts.query)), **values}
    return f"{parts.path}?{urlencode({name: value for name, value in query.items() if value is not None})}"


async def refused(browser: Browser, callback: str) -> str:
    """Open a callback that must not sign anyone in, and return the page that explains why."""
    page = await (await browser.get(callback, 400)).get_data(as_text=True)
    await browser.get("/account", 303)
    assert "Traceback" not in page
    assert "/sign-in" in page
    return page


async def error_of_logto(browser: Browser, settings: Settings, error: str) -> str:
    """Begin a sign-in, and return the callback with which Logto reports an error."""
    started = await browser.get("/sign-in", 303)
    state = dict(parse_qsl(urlsplit(started.headers["Location"]).query))["state"]
    query = urlencode({"error": error, "state": state, "iss": f"{settings.logto_endpoint}/oidc"})
    return f"/callback?{query}"


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
async def test_a_forged_callback_signs_nobody_in(
    make: Factory, open_browser: OpenBrowser, changes: dict[str, str | None]
) -> None:
    browser = await open_browser()
    callback = await browser.callback(await make.person())
    await refused(browser, changed(callback, **changes))


async def test_a_callback_with_a_repeated_parameter_signs_nobody_in(
    make: Factory, open_browser: OpenBrowser
) -> None:
    browser = await open_browser()
    callback = await browser.callback(await make.person())
    await refused(browser, f"{callback}&state=another")


async def test_a_callback_cannot_be_used_again_after_signing_out(
    make: Factory, open_browser: OpenBrowser
) -> None:
    browser = await open_browser()
    callback = await browser.callback(await make.person(), "/sign-in?next=/account")
    await browser.get(callback, 303)
    await browser.post("/sign-out")

    page = await refused(browser, callback)

    assert "already been used" in page
    assert 'href="/sign-in?next=%2Faccount"' in page


async def test_a_callback_works_only_in_the_browser_that_began_the_sign_in(
    make: Factory, open_browser: OpenBrowser
) -> None:
    victim, attacker = await open_browser(), await open_browser()
    await victim.get("/sign-in", 303)  # the victim has begun a sign-in too
    callback = await attacker.callback(await make.person("Mallory"))

    await refused(victim, callback)
    await attacker.get(callback, 303)


async def test_a_code_of_one_attempt_is_not_accepted_in_another(
    make: Factory, open_browser: OpenBrowser
) -> None:
    person = await make.person()
    browser = await open_browser()
    first = await browser.callback(person)
    second = await browser.callback(person)
    code = dict(parse_qsl(urlsplit(first).query))["code"]

    await refused(browser, changed(second, code=code))


async def test_an_error_of_logto_is_explained(open_browser: OpenBrowser, settings: Settings) -> None:
    browser = await open_browser()
    page = await refused(browser, await error_of_logto(browser, settings, "access_denied"))
    assert "denied access" in page


async def test_the_text_of_an_error_is_escaped(open_browser: OpenBrowser, settings: Settings) -> None:
    browser = await open_browser()
    page = await refused(browser, await error_of_logto(browser, settings, "<script>x"))
    assert "<script>x" not in page


async def test_a_session_cookie_chosen_by_an_attacker_is_replaced(
    make: Factory, open_browser: OpenBrowser
) -> None:
    browser = await open_browser()
    browser.session_cookie = "chosen-by-the-attacker"

    await browser.sign_in(await make.person())

    assert browser.session_cookie != "chosen-by-the-attacker"


@pytest.mark.parametrize("value", ["", "x", "a" * 43, "../../etc", "%00", "' OR 1=1 --"])
async def test_a_made_up_session_cookie_signs_nobody_in(open_browser: OpenBrowser, value: str) -> None:
    browser = await open_browser()
    browser.session_cookie = value
    await browser.get("/account", 303)


async def test_a_person_who_signs_in_after_another_in_one_browser_gets_none_of_their_data(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    alice, bob = await make.person("Alice"), await make.person("Bob")
    hers = await make.organization("Hers", admin=alice)
    browser = await open_browser(alice)
    await browser.follow(f"/o/{hers}/projects")
    await browser.forget_logto()  # Alice is signed out at the provider, but not here

    await browser.sign_in(bob)

    assert (await browser.follow(f"/o/{hers}/projects")).status_code == 404
    assert (await (await browser.get("/api/v1/me")).get_json())["subject"] == bob.id
    assert await runtime.sessions.list_session_ids(alice.id) == []


async def test_a_renewal_that_comes_back_as_another_person_is_a_sign_in_of_that_person(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    alice, bob = await make.person("Alice"), await make.person("Bob")
    browser = await open_browser(alice)
    (hers,) = await runtime.sessions.list_session_ids(alice.id)
    started = await browser.get("/sign-in/renew?next=/account", 303)
    await browser.forget_logto()

    await browser.come_back(started.headers["Location"], bob)

    assert (await (await browser.get("/api/v1/me")).get_json())["subject"] == bob.id
    assert await runtime.sessions.list_session_ids(alice.id) == []
    assert hers not in await runtime.sessions.list_session_ids(bob.id)


@pytest.fixture
async def renewal(make: Factory, open_browser: OpenBrowser) -> tuple[Browser, str]:
    """Alice's browser, and the authorization request during which a form of hers waits."""
    browser = await open_browser(await make.person("Alice"))
    started = await browser.post("/sign-in/renew", {"_action": "/o/new", "name": "Alice's own"})
    return browser, started.headers["Location"]


async def test_a_waiting_form_is_not_shown_to_another_person_who_signs_in(
    renewal: tuple[Browser, str], make: Factory
) -> None:
    browser, url = renewal
    await browser.forget_logto()

    finish = await browser.come_back(url, await make.person("Bob"))

    assert (await browser.get(finish, 303)).headers["Location"] == "/"
    assert "Alice's own" not in await browser.text("/o")


async def test_a_form_that_came_back_is_not_shown_in_another_persons_session(
    renewal: tuple[Browser, str], make: Factory, open_browser: OpenBrowser
) -> None:
    browser, url = renewal
    finish = await browser.come_back(url, None)
    assert finish.startswith("/sign-in/finish?form=")

    browser.session_cookie = (await open_browser(await make.person("Bob"))).session_cookie

    assert (await browser.get(finish, 303)).headers["Location"] == "/"
    assert "Alice" not in await browser.text("/o")


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
async def test_a_post_from_another_site_is_rejected_and_changes_nothing(
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


@pytest.mark.parametrize("body", [b"a=&" * 300_000, b"name=" + b"a" * 1_100_000], ids=["fields", "bytes"])
async def test_a_form_with_too_many_fields_or_bytes_is_rejected(
    make: Factory, open_browser: OpenBrowser, body: bytes
) -> None:
    browser = await open_browser(await make.person())
    response = await browser.app.post("/o/new", data=body, headers={**SAME_ORIGIN, **URLENCODED})
    assert response.status_code == 413
