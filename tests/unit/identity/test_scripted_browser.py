"""A scripted browser at a provider that answers in ways that the real one does not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web

from saas_app.errors import LogtoUnavailable
from saas_app.identity import scripted_browser
from saas_app.identity.scripted_browser import Obstacle, Password, ScriptedBrowser, ScriptedSignInFailed
from tests.processes import free_port

CALLBACK = "http://localhost:3000/callback"
PERSON = Password("pia", "a password")
CONSENT = (
    '<form method="post" action="{action}"><input type="hidden" name="consent" value="yes">{more}</form>'
    "<script>document.forms[0].submit()</script>"
)

Answer = Callable[[web.Request], Awaitable[web.Response]]
Serve = Callable[..., Awaitable[ScriptedBrowser]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """``await serve(auth=…)``: a browser whose provider answers with these functions, by path."""
    runners: list[web.AppRunner] = []
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:

        async def start(**answers: Answer) -> ScriptedBrowser:
            app, port = web.Application(), free_port()
            for path, answer in answers.items():
                app.router.add_route("*", f"/{path}", answer)
            runners.append(web.AppRunner(app))
            await runners[-1].setup()
            await web.TCPSite(runners[-1], "127.0.0.1", port).start()
            return ScriptedBrowser(http, f"http://127.0.0.1:{port}/auth", {"_session": "kept"})

        yield start
        for runner in runners:
            await runner.cleanup()


def leading_to(location: str) -> Answer:
    async def redirect(_request: web.Request) -> web.Response:
        return web.Response(status=303, headers={"Location": location})

    return redirect


def showing(page: str, status: int = 200) -> Answer:
    async def show(_request: web.Request) -> web.Response:
        return web.Response(text=page, status=status, content_type="text/html")

    return show


async def test_a_redirect_to_our_callback_ends_the_request(serve: Serve) -> None:
    browser = await serve(auth=leading_to(f"{CALLBACK}?code=c&state=s"))

    assert await browser.authorize(CALLBACK) == f"{CALLBACK}?code=c&state=s"


async def test_a_consent_form_that_submits_itself_is_submitted(serve: Serve) -> None:
    async def consent(request: web.Request) -> web.Response:
        if request.method == "GET":
            return await showing(CONSENT.format(action="/auth", more='<input type="submit">'))(request)
        given = (await request.post())["consent"]
        return await leading_to(f"{CALLBACK}?code={given}")(request)

    browser = await serve(auth=consent)

    assert await browser.authorize(CALLBACK) == f"{CALLBACK}?code=yes"


@pytest.mark.parametrize(
    "page",
    [
        "<p>Hello</p>",
        CONSENT.format(action="/auth", more='<input type="checkbox" name="agree">'),
        CONSENT.format(action="http://elsewhere.example/steal", more=""),
        CONSENT.partition("<script>")[0].format(action="/auth", more=""),
    ],
)
async def test_a_page_that_only_a_person_can_answer_ends_the_request(serve: Serve, page: str) -> None:
    browser = await serve(auth=showing(page))

    with pytest.raises(ScriptedSignInFailed, match="only the person can answer") as failed:
        await browser.authorize(CALLBACK)

    assert failed.value.obstacle is Obstacle.UNEXPECTED


@pytest.mark.parametrize(
    "location",
    [
        "http://elsewhere.example/auth",
        "http://localhost:3000/callback/more?code=c",
        "http://localhost:3000.elsewhere.example/callback?code=c",
        "/auth",
        "/consent",
    ],
)
async def test_a_redirect_that_leads_nowhere_we_know_ends_the_request(serve: Serve, location: str) -> None:
    browser = await serve(auth=leading_to(location))

    with pytest.raises(ScriptedSignInFailed) as failed:
        await browser.authorize(CALLBACK)

    assert failed.value.obstacle is Obstacle.UNEXPECTED


@pytest.mark.parametrize(
    ("error", "obstacle"),
    [("login_required", Obstacle.SESSION_ENDED), ("invalid_scope", Obstacle.UNEXPECTED)],
)
async def test_an_error_in_the_callback_is_an_obstacle(serve: Serve, error: str, obstacle: Obstacle) -> None:
    browser = await serve(auth=leading_to(f"{CALLBACK}?error={error}&state=s"))

    with pytest.raises(ScriptedSignInFailed) as failed:
        await browser.authorize(CALLBACK)

    assert failed.value.obstacle is obstacle


async def test_nobody_is_signed_in_where_nobody_was_given(serve: Serve) -> None:
    browser = await serve(auth=leading_to("/sign-in?app_id=a"))

    with pytest.raises(ScriptedSignInFailed) as failed:
        await browser.authorize(CALLBACK)

    assert failed.value.obstacle is Obstacle.SESSION_ENDED


async def test_an_answer_without_its_value_is_an_obstacle(serve: Serve) -> None:
    async def empty(_request: web.Request) -> web.Response:
        return web.json_response([])

    api = {"api/experience": empty, "api/experience/verification/password": empty}
    browser = await serve(auth=leading_to("/sign-in"), **api)

    with pytest.raises(ScriptedSignInFailed) as failed:
        await browser.authorize(CALLBACK, PERSON)

    assert failed.value.obstacle is Obstacle.UNEXPECTED


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_provider_with_a_problem_is_unavailable(serve: Serve, status: int) -> None:
    browser = await serve(auth=showing("", status))

    with pytest.raises(LogtoUnavailable, match=str(status)):
        await browser.authorize(CALLBACK)


async def test_a_provider_that_takes_too_long_is_unavailable(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripted_browser, "_SECONDS", 0.0)
    browser = await serve(auth=leading_to("/auth"))

    with pytest.raises(LogtoUnavailable, match="did not respond"):
        await browser.authorize(CALLBACK)


async def test_a_provider_that_does_not_listen_is_unavailable() -> None:
    async with aiohttp.ClientSession() as http:
        browser = ScriptedBrowser(http, f"http://127.0.0.1:{free_port()}/auth", {})

        with pytest.raises(LogtoUnavailable, match="did not respond"):
            await browser.authorize(CALLBACK)


async def test_cookies_go_back_to_the_provider_and_to_the_paths_that_they_are_for(serve: Serve) -> None:
    received: list[dict[str, str]] = []

    async def auth(request: web.Request) -> web.Response:
        received.append(dict(request.cookies))
        response = await leading_to("/consent")(request)
        response.set_cookie("_interaction", "here", path="/consent")
        response.set_cookie("_session", "renewed", path="/")
        response.set_cookie("_other", "there", path="/elsewhere")
        return response

    async def consent(request: web.Request) -> web.Response:
        received.append(dict(request.cookies))
        return await leading_to(f"{CALLBACK}?code=c")(request)

    browser = await serve(auth=auth, consent=consent)
    await browser.authorize(CALLBACK)

    assert received == [{"_session": "kept"}, {"_interaction": "here", "_session": "renewed"}]
    assert browser.cookies == {"_session": "renewed"}
