"""The authorization request: parameters, prompts, error redirects, cookies, and every hop of a sign-in."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest

from contract.client import LogtoBrowser, authorization_request
from contract.conftest import Server
from contract.fixtures import LikeRecording, NewBrowser
from contract.management import Workshop
from contract.oidc import Oidc
from contract.people import CALLBACK, App, Person
from contract.recordings import RECORDED_ENDPOINT, assert_chain_like_recording, load
from contract.world import ORGANIZATIONS_RESOURCE, World

PLAIN = {"state": "st", "nonce": None}
NO_PKCE = {"code_challenge": None, "code_challenge_method": None}


# --- requests that reach no page


async def test_unregistered_redirect_uri_is_refused_without_a_redirect(
    browser: LogtoBrowser, world: World, like_recording: LikeRecording
) -> None:
    reply = await browser.authorize(world.web, redirect_uri="http://localhost:3000/evil", **PLAIN)
    like_recording("50-auth-error-redirect-uri", reply)


async def test_unknown_client_is_refused_without_a_redirect(
    browser: LogtoBrowser, like_recording: LikeRecording
) -> None:
    like_recording("50-auth-error-unknown-client", await browser.authorize(App("nope"), **PLAIN))


@pytest.mark.parametrize("address", [f"{CALLBACK}/", f"{CALLBACK}?x=1", "http://localhost:3001/callback"])
async def test_redirect_uri_must_match_exactly(browser: LogtoBrowser, world: World, address: str) -> None:
    reply = await browser.authorize(world.web, redirect_uri=address)
    assert reply.expect(400).body["error"] == "invalid_redirect_uri"


async def test_prompt_none_without_a_session_needs_sign_in(
    browser: LogtoBrowser, world: World, like_recording: LikeRecording
) -> None:
    like_recording("50-auth-error-prompt-none", await browser.authorize(world.web, prompt="none", **PLAIN))


async def test_unknown_resource_is_an_invalid_target(
    browser: LogtoBrowser, world: World, like_recording: LikeRecording
) -> None:
    reply = await browser.authorize(world.web, resource="https://unknown.example.test", **PLAIN)
    like_recording("50-auth-error-unknown-resource", reply)


@pytest.mark.parametrize(
    ("parameters", "error", "description"),
    [
        ({"prompt": "create"}, "invalid_request", "unsupported prompt value requested"),
        ({"prompt": "select_account"}, "invalid_request", "unsupported prompt value requested"),
        (
            {"code_challenge_method": None},
            "invalid_request",
            "code_challenge_method must be provided",
        ),
        (
            {"code_challenge_method": "plain"},
            "invalid_request",
            "not supported value of code_challenge_method",
        ),
    ],
)
async def test_refusal_is_sent_to_the_application(
    browser: LogtoBrowser,
    world: World,
    oidc: Oidc,
    parameters: dict[str, str | None],
    error: str,
    description: str,
) -> None:
    reply = (await browser.authorize(world.web, state="st", **parameters)).expect(303)
    assert reply.location.startswith(f"{CALLBACK}?")
    told = reply.redirect_parameters
    assert told["error"] == error
    assert told["error_description"] == description
    assert (told["state"], told["iss"]) == ("st", oidc.issuer)


async def test_resource_must_be_an_absolute_uri(browser: LogtoBrowser, world: World) -> None:
    reply = (await browser.authorize(world.web, resource="nope")).expect(303)
    assert reply.redirect_parameters["error"] == "invalid_target"


async def test_two_states_are_refused(browser: LogtoBrowser, world: World) -> None:
    reply = await browser.authorize(world.web, state=["one", "two"])
    if reply.status == 303:
        assert reply.redirect_parameters["error"] == "invalid_request"
    else:
        assert reply.expect(400).body["error"] == "invalid_request"


@pytest.mark.parametrize(
    "response_type", ["id_token", "code id_token", "none", "token", "code token", "nope"]
)
async def test_other_response_types_are_refused_as_recorded(
    browser: LogtoBrowser, world: World, response_type: str
) -> None:
    reply = (await browser.authorize(world.web, response_type=response_type, state="st")).expect(303)
    recorded = load(f"444-authorize-response-type-{response_type.replace(' ', '-').replace('_', '-')}")
    location, _, issuer = recorded["response"]["headers"]["Location"].partition("&iss=")
    ours, _, own_issuer = reply.location.partition("&iss=")
    assert ours == location
    assert unquote(own_issuer) == unquote(issuer).replace(RECORDED_ENDPOINT, browser.endpoint)


async def test_public_application_must_use_pkce(browser: LogtoBrowser, world: World) -> None:
    reply = (await browser.authorize(world.spa, **NO_PKCE)).expect(303)
    assert reply.redirect_parameters["error"] == "invalid_request"


async def test_refusal_has_no_state_when_none_was_sent(browser: LogtoBrowser, world: World) -> None:
    reply = await browser.authorize(world.web, prompt="none", state=None)
    assert "state" not in reply.redirect_parameters


# --- requests that reach a page


async def test_confidential_application_may_omit_pkce(
    browser: LogtoBrowser, world: World, like_recording: LikeRecording
) -> None:
    reply = await browser.authorize(world.web, **NO_PKCE, **PLAIN)
    like_recording("50-auth-error-no-pkce", reply)


async def test_unknown_scope_is_ignored(
    browser: LogtoBrowser, world: World, like_recording: LikeRecording
) -> None:
    reply = await browser.authorize(world.web, scope="openid bogus", **PLAIN)
    like_recording("50-auth-error-unknown-scope", reply)


async def test_hints_are_passed_to_the_page(
    browser: LogtoBrowser, world: World, like_recording: LikeRecording
) -> None:
    reply = await browser.authorize(
        world.web,
        first_screen="register",
        login_hint="bob@example.test",
        ui_locales="ko",
        organization_id=world.acme,
        **PLAIN,
    )
    like_recording("50-auth-login-hints", reply, {world.acme: "9rbq6tjabsfx"})


@pytest.mark.parametrize(
    ("parameters", "path"),
    [
        ({"first_screen": "sign_in"}, "/sign-in"),
        ({"first_screen": "register"}, "/register"),
        ({"first_screen": "reset_password"}, "/reset-password"),
        ({"first_screen": "identifier:sign_in"}, "/identifier-sign-in"),
        ({"first_screen": "identifier:register"}, "/identifier-register"),
        ({"first_screen": "single_sign_on"}, "/single-sign-on"),
        ({"interaction_mode": "signUp"}, "/register"),
        ({"interaction_mode": "signIn"}, "/sign-in"),
        ({"interaction_mode": "signUp", "first_screen": "sign_in"}, "/sign-in"),
    ],
)
async def test_first_screen_decides_the_page(
    browser: LogtoBrowser, world: World, parameters: dict[str, str], path: str
) -> None:
    reply = (await browser.authorize(world.web, **parameters)).expect(303)
    assert urlsplit(reply.location).path == path
    assert reply.redirect_parameters["app_id"] == world.web.id


async def test_identifier_is_passed_to_the_identifier_page(browser: LogtoBrowser, world: World) -> None:
    reply = await browser.authorize(world.web, first_screen="identifier:sign_in", identifier="email phone")
    assert reply.redirect_parameters["identifier"] == "email phone"


async def test_all_hints_are_ignored_if_one_is_invalid(browser: LogtoBrowser, world: World) -> None:
    reply = await browser.authorize(world.web, first_screen="nowhere", login_hint="bob@example.test")
    assert urlsplit(reply.expect(303).location).path == "/sign-in"
    assert "login_hint" not in reply.redirect_parameters


async def test_direct_sign_in_leads_to_the_connector(browser: LogtoBrowser, world: World) -> None:
    reply = (await browser.authorize(world.web, direct_sign_in="social:naver")).expect(303)
    assert urlsplit(reply.location).path == "/direct/social/naver"
    assert reply.redirect_parameters["fallback"] == "sign-in"


async def test_posted_request_leads_to_the_sign_in_page(browser: LogtoBrowser, world: World) -> None:
    request = authorization_request(browser.endpoint, world.web, {})
    address, _, query = request.url.partition("?")
    reply = await browser.send(
        "POST", address, data=query, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    for _ in range(2):
        if urlsplit(reply.location).path != "/oidc/auth":
            break
        reply = await browser.send("GET", reply.location)
    assert urlsplit(reply.location).path == "/sign-in"


@pytest.mark.parametrize("separator", [",", None])
async def test_resources_are_repeated_or_separated_by_commas(
    browser: LogtoBrowser, world: World, separator: str | None
) -> None:
    resources = [world.resource, ORGANIZATIONS_RESOURCE]
    value = resources if separator is None else separator.join(resources)
    reply = (await browser.authorize(world.web, resource=value)).expect(303)
    assert urlsplit(reply.location).path == "/sign-in"


async def test_interaction_has_six_cookies(browser: LogtoBrowser, world: World) -> None:
    reply = await browser.authorize(world.web)
    names = {"_interaction", "_interaction_resume", "_logto"}
    assert reply.cookie_names == names | {f"{name}.sig" for name in names}


@pytest.mark.parametrize("name", ["_interaction", "_interaction_resume"])
async def test_interaction_cookies_cannot_be_read_by_scripts(
    browser: LogtoBrowser, world: World, name: str
) -> None:
    line = (await browser.authorize(world.web)).cookie(name).lower()
    assert "httponly" in line
    assert "samesite=lax" in line
    assert "expires=" in line


# --- whole sign-ins


@pytest.mark.parametrize("prompt", [None, "login", "consent"])
async def test_hops_of_a_sign_in_are_as_recorded(
    browser: LogtoBrowser, world: World, prompt: str | None
) -> None:
    callback = await browser.sign_in(world.web, world.alice, prompt=prompt)
    assert_chain_like_recording(f"52-sign-in-prompt-{prompt}", callback.hops, world.as_recorded)


async def test_second_request_in_a_live_session_is_silent(browser: LogtoBrowser, world: World) -> None:
    await browser.sign_in(world.web, world.alice)
    callback = await browser.authorize_silently(world.web)
    assert_chain_like_recording("10-second-authorization-with-session", callback.hops, world.as_recorded)


async def test_hops_of_a_sign_in_to_a_public_application_are_as_recorded(
    browser: LogtoBrowser, world: World
) -> None:
    callback = await browser.sign_in(world.spa, world.alice)
    names = {**world.as_recorded, world.spa.id: "bdjxejx7rwo3xcy5ls1vd"}
    assert_chain_like_recording("33-spa-sign-in", callback.hops, names)


async def test_issuer_does_not_depend_on_the_servers_name_in_the_request(
    server: Server, new_browser: NewBrowser, oidc: Oidc, world: World
) -> None:
    if "://localhost:" not in server.endpoint:
        pytest.skip("the named Logto may have only one host name")
    browser = new_browser()
    browser.endpoint = server.endpoint.replace("://localhost:", "://127.0.0.1:")
    callback = await browser.sign_in(world.web, world.alice)
    recorded = load("57-sign-in-via-127.0.0.1")["chain"]
    assert [hop.status for hop in callback.hops] == [hop["status"] for hop in recorded]
    assert {urlsplit(hop.url).hostname for hop in callback.hops} == {"127.0.0.1"}
    assert callback.parameters["iss"] == oidc.issuer


async def test_callback_has_code_state_and_issuer(browser: LogtoBrowser, world: World, oidc: Oidc) -> None:
    callback = await browser.sign_in(world.web, world.alice)
    assert sorted(callback.parameters) == ["code", "iss", "state"]
    assert callback.parameters["state"] == callback.request.state
    assert callback.parameters["iss"] == oidc.issuer
    assert len(callback.code) == 43


async def test_session_cookie_is_persistent_and_cannot_be_read_by_scripts(
    browser: LogtoBrowser, world: World
) -> None:
    callback = await browser.sign_in(world.web, world.alice)
    line = callback.hops[-1].cookie("_session").lower()
    for attribute in ("httponly", "samesite=lax", "path=/", "expires="):
        assert attribute in line


async def test_prompt_none_succeeds_with_session_and_consent(browser: LogtoBrowser, world: World) -> None:
    await browser.sign_in(world.web, world.alice)
    assert (await browser.authorize_silently(world.web, prompt="none")).code


async def test_prompt_login_asks_again_in_a_live_session(browser: LogtoBrowser, world: World) -> None:
    await browser.sign_in(world.web, world.alice)
    reply = (await browser.authorize(world.web, prompt="login")).expect(303)
    assert urlsplit(reply.location).path == "/sign-in"


async def test_prompt_login_consent_asks_again_and_returns_a_refresh_token(
    browser: LogtoBrowser, oidc: Oidc, world: World
) -> None:
    await browser.sign_in(world.web, world.alice)
    tokens = await oidc.sign_in(browser, world.web, world.alice, prompt="login consent")
    assert tokens.refresh_token


async def test_session_signs_in_to_another_application_without_asking(
    browser: LogtoBrowser, world: World
) -> None:
    await browser.sign_in(world.web, world.alice)
    assert (await browser.authorize_silently(world.spa)).code


async def test_session_of_one_browser_is_unknown_to_another(
    browser: LogtoBrowser, new_browser: NewBrowser, world: World
) -> None:
    await browser.sign_in(world.web, world.alice)
    reply = await new_browser().authorize(world.web, prompt="none")
    assert reply.redirect_parameters["error"] == "login_required"


async def test_one_sign_in_serves_two_tabs(browser: LogtoBrowser, oidc: Oidc, world: World) -> None:
    first = authorization_request(browser.endpoint, world.web, {})
    second = authorization_request(browser.endpoint, world.web, {})
    await browser.send("GET", first.url)
    await browser.send("GET", second.url)
    resume = await browser.prove_password(world.alice)
    told = await browser.follow(resume, CALLBACK)
    assert told["state"] == second.state
    again = await browser.follow(first.url, CALLBACK)
    assert again["state"] == first.state


async def test_sign_in_of_another_person_replaces_the_session(
    browser: LogtoBrowser, oidc: Oidc, world: World, otto: Person
) -> None:
    await browser.sign_in(world.web, world.alice)
    await oidc.sign_in(browser, world.web, otto, prompt="login consent")
    tokens = await oidc.authorize_again(browser, world.web)
    assert tokens.id_token_claims["sub"] == otto.id


async def test_interaction_of_another_browser_cannot_be_resumed(
    browser: LogtoBrowser, new_browser: NewBrowser, world: World
) -> None:
    await browser.authorize(world.web)
    resume = await browser.prove_password(world.alice)
    reply = await new_browser().send("GET", resume)
    assert reply.status == 400
    assert reply.body["code"] == "session.not_found"


async def test_callback_goes_to_the_redirect_uri_of_the_request(
    browser: LogtoBrowser, workshop: Workshop, world: World
) -> None:
    other = "http://localhost:3000/other"
    app = await workshop.application(oidcClientMetadata={"redirectUris": [CALLBACK, other]})
    callback = await browser.sign_in(App(app.id, app.secret, other), world.alice)
    assert callback.hops[-1].location.startswith(f"{other}?")


async def test_the_cookies_of_the_session_are_enough_to_authorize_silently(
    browser: LogtoBrowser, new_browser: NewBrowser, world: World
) -> None:
    """A program that keeps these two cookies can renew a grant without the person's password."""
    signed_in = await browser.sign_in(world.web, world.alice)
    told = {line.split("=", 1)[0]: line for hop in signed_in.hops for line in hop.cookies}
    session = {name: told[name].partition(";")[0].partition("=")[2] for name in ("_session", "_session.sig")}
    program = new_browser()
    program.keep(session)

    callback = await program.authorize_silently(world.web)

    assert callback.code
