"""Requests to the broker that Logto, a provider or an honest browser would not send. Nobody gets anywhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import quote

import pytest
import sqlalchemy as sa
import structlog

from saas_app.db.base import utc_now
from saas_app.identity.vault import fingerprint
from saas_app.logto import ManagementClient
from saas_app.models import SignInAttemptRow
from saas_app.runtime import Runtime
from saas_app.single_sign_on.values import Stage
from tests.clients import FRESH, Browser
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.single_sign_on.company import Company, new_company
from tests.integration.single_sign_on.interaction import Interaction
from tests.integration.single_sign_on.passage import Passage, query_of

ATTEMPT_COOKIE = "workroom_attempt"


@pytest.fixture
async def other(
    connection_on: Company, make: Factory, open_browser: OpenBrowser, runtime: Runtime, browser: Browser
) -> Passage:
    """The way of the same browser through the connection of another company, with the same provider."""
    company = await new_company(make, open_browser, runtime, connection_on.provider)
    await company.connect(Stage.ON)
    return await Passage.begin(company, browser)


# Before the provider

WRONG: dict[str, Mapping[str, str | None]] = {
    "no client": {"client_id": None},
    "another client": {"client_id": "logto-client"},
    "no redirect URI": {"redirect_uri": None},
    "a redirect URI elsewhere": {"redirect_uri": "https://evil.example/callback"},
    "the application's callback": {"redirect_uri": "http://localhost/callback"},
    "no state": {"state": None},
    "no nonce": {"nonce": None},
    "an empty nonce": {"nonce": ""},
    "no response type": {"response_type": None},
    "a token in the browser": {"response_type": "id_token"},
    "a code and a token": {"response_type": "code id_token"},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
async def test_a_request_that_logto_would_not_make_leads_nowhere(
    passage: Passage, changes: Mapping[str, str | None]
) -> None:
    page = await passage.refusal(passage.asked(**changes))

    assert "not a sign-in that Logto began" in page


@pytest.mark.parametrize("tail", ["/", "/../x", "?x=1", "#x", "%2f", "@evil.example", ".evil.example"])
async def test_nothing_can_be_added_to_the_redirect_uri(passage: Passage, tail: str) -> None:
    await passage.refusal(passage.asked(redirect_uri=f"{passage.logto_callback}{tail}"))


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "state", "nonce", "prompt"])
async def test_a_repeated_parameter_leads_nowhere(passage: Passage, name: str) -> None:
    await passage.refusal(f"{passage.asked(prompt='login')}&{name}=again")


async def test_the_redirect_uri_of_another_connector_leads_nowhere(passage: Passage, other: Passage) -> None:
    await passage.refusal(passage.asked(redirect_uri=other.logto_callback))


@pytest.mark.parametrize("name", ["nowhere", "..", "a\x00b", "a'b", "c" * 1000, "é", "%"])
@pytest.mark.parametrize("end", ["authorize", "callback"])
async def test_a_connector_that_does_not_exist_leads_nowhere(passage: Passage, name: str, end: str) -> None:
    path = passage.asked().replace(passage.connector_id, quote(name, safe=""))
    answer = await passage.browser.app.get(path.replace("authorize", end))

    assert answer.status_code in (400, 404)
    assert "Location" not in answer.headers


@pytest.mark.parametrize("headers", [{"Sec-Purpose": "prefetch"}, {"Purpose": "prefetch;prerender"}])
async def test_a_way_that_is_prefetched_can_still_be_opened(
    passage: Passage, headers: dict[str, str]
) -> None:
    back = await passage.depart()

    ahead = await passage.browser.app.get(back, headers=headers)

    assert ahead.status_code == 204
    await passage.code(back)


# Back from the provider


async def test_a_way_back_is_opened_once(passage: Passage) -> None:
    back = await passage.depart()
    await passage.code(back)

    page = await passage.refusal(back)

    assert "already been used" in page


@pytest.mark.parametrize("cookie", ["", "another"])
async def test_a_way_back_in_another_browser_leads_nowhere(
    passage: Passage, open_browser: OpenBrowser, cookie: str
) -> None:
    """Otherwise, the attacker could sign somebody in as themselves, or finish the sign-in of somebody."""
    back = await passage.depart()
    elsewhere = await open_browser()
    elsewhere.app.set_cookie("localhost", ATTEMPT_COOKIE, cookie)

    await elsewhere.get(back, 400)

    await passage.code(back)  # and takes nothing away from the right one


async def test_a_way_back_after_an_hour_leads_nowhere(passage: Passage, runtime: Runtime) -> None:
    back = await passage.depart()
    await expire(runtime, query_of(back)["state"])

    await passage.refusal(back)


async def test_a_way_back_through_another_connection_leads_nowhere(passage: Passage, other: Passage) -> None:
    """Both have the same provider, so the code would count there too."""
    back = await passage.depart()

    await passage.refusal(back.replace(passage.path, other.path))
    await passage.refusal(back)


async def test_a_code_of_the_provider_counts_once(passage: Passage) -> None:
    used = query_of(await passage.depart())
    await passage.code(f"{passage.path}/callback?code={used['code']}&state={used['state']}")
    fresh = query_of(await passage.depart())

    await passage.refusal(f"{passage.path}/callback?code={used['code']}&state={fresh['state']}")


async def test_a_code_of_another_sign_in_at_the_provider_does_not_count(
    passage: Passage, open_browser: OpenBrowser
) -> None:
    """It fits neither the nonce nor the verifier of PKCE."""
    strange = await Passage.begin(passage.company, await open_browser())
    code = query_of(await strange.depart())["code"]
    own = query_of(await passage.depart())

    await passage.refusal(f"{passage.path}/callback?code={code}&state={own['state']}")


async def test_an_answer_that_names_another_provider_does_not_count(passage: Passage) -> None:
    back = query_of(await passage.depart()) | {"iss": "https://evil.example"}
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in back.items())

    page = await passage.refusal(f"{passage.path}/callback?{query}")

    assert "did not come from your organization’s identity provider" in page


async def test_a_provider_that_promises_its_name_has_to_send_it(passage: Passage) -> None:
    passage.company.provider.metadata = {"authorization_response_iss_parameter_supported": True}
    back = query_of(await passage.depart())

    await passage.refusal(f"{passage.path}/callback?code={back['code']}&state={back['state']}")


async def test_an_error_of_the_provider_is_shown_as_text(passage: Passage) -> None:
    state = query_of(await passage.leave())["state"]
    error = quote("<script>alert(1)</script>\u202e<a href='https://evil.example'>Sign in</a>")

    answer = await passage.browser.get(f"{passage.path}/callback?error={error}&state={state}", 400)

    source = str(await answer.get_data(as_text=True))
    assert "&lt;script&gt;alert(1)" in source
    assert "<script>alert" not in source
    assert "href='https://evil" not in source
    assert "\u202e" not in source


async def test_an_error_ends_the_way(passage: Passage) -> None:
    back = await passage.depart()
    state = query_of(back)["state"]
    await passage.refusal(f"{passage.path}/callback?error=access_denied&state={state}")

    await passage.refusal(back)


# From Logto's server


async def test_a_code_is_redeemed_once(passage: Passage) -> None:
    code = await passage.code()
    await passage.claims(code)

    answer = await passage.redeem(code)

    assert (answer.status_code, await answer.get_json()) == (400, {"error": "invalid_grant"})


async def test_a_code_is_redeemed_within_minutes(passage: Passage, runtime: Runtime) -> None:
    code = await passage.code()
    await expire(runtime, code)

    assert (await passage.redeem(code)).status_code == 400


@pytest.mark.parametrize("redirect_uri", ["", "https://evil.example/callback"])
async def test_a_code_for_another_redirect_uri_is_not_redeemed(passage: Passage, redirect_uri: str) -> None:
    assert (await passage.redeem(await passage.code(), redirect_uri=redirect_uri)).status_code == 400


async def test_another_grant_is_not_supported(passage: Passage) -> None:
    answer = await passage.redeem(await passage.code(), grant_type="client_credentials")

    assert (answer.status_code, await answer.get_json()) == (400, {"error": "unsupported_grant_type"})


async def test_a_connector_does_not_redeem_the_code_of_another(passage: Passage, other: Passage) -> None:
    code = await passage.code()

    answer = await other.redeem(code)

    assert answer.status_code == 400
    await passage.claims(code)  # which is not lost by that


@pytest.mark.parametrize("end", ["another connector", "another secret", "nothing", "a dot"])
async def test_without_the_secret_of_the_connector_nothing_is_redeemed(
    passage: Passage, other: Passage, end: str
) -> None:
    code, registration = await passage.code(), passage.company.runtime.registration
    theirs = registration.secret(other.connector_id)
    credentials = {
        "another connector": (other.connector_id, theirs),
        "another secret": (passage.connector_id, theirs),
        "nothing": (passage.connector_id, ""),
        "a dot": (passage.connector_id, f".{registration.secret(passage.connector_id)}"),
    }
    client, secret = credentials[end]

    answer = await passage.redeem(code, client=client, secret=secret)

    assert (answer.status_code, await answer.get_json()) == (401, {"error": "invalid_client"})
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    await passage.claims(code)


@pytest.mark.parametrize("authorization", [None, "Bearer x", "Basic", "Basic !!!", "Basic Og=="])
async def test_credentials_that_are_none_redeem_nothing(passage: Passage, authorization: str | None) -> None:
    form = {"grant_type": "authorization_code", "code": await passage.code()}
    form |= {"client_id": passage.connector_id, "redirect_uri": passage.logto_callback}
    form |= {"client_secret": passage.company.runtime.registration.secret(passage.connector_id)}
    headers = {} if authorization is None else {"Authorization": authorization}

    answer = await passage.browser.app.post(f"{passage.path}/token", form=form, headers=headers)

    assert answer.status_code == 401


async def test_what_was_stored_for_the_browser_is_not_redeemed(passage: Passage) -> None:
    """Whoever knows the secret could choose the cookie of a way, and take its state for a code."""
    passage.browser.app.set_cookie("localhost", ATTEMPT_COOKIE, passage.connector_id)
    state = query_of(await passage.leave())["state"]

    assert (await passage.redeem(state)).status_code == 400


async def test_a_code_does_not_open_the_way_back(passage: Passage) -> None:
    code = await passage.code()
    passage.browser.app.set_cookie("localhost", ATTEMPT_COOKIE, passage.connector_id)

    await passage.refusal(f"{passage.path}/callback?code=x&state={code}")
    await passage.browser.get(f"/callback?code=x&state={code}", 400)


# Secrets


async def leaked(browser: Browser, email: str) -> str:
    """Return what Logto 1.42 shows anybody who tries a code for an address at a company's domain."""
    interaction = await Interaction.begin(browser)
    await interaction.call("PUT", "", {"interactionEvent": "Register"}, 204)
    body = {"identifier": {"type": "email", "value": email}, "interactionEvent": "Register"}
    sent = await interaction.call("POST", "/verification/verification-code", body)
    status, answer = await interaction.answer("POST", "/identification", sent)
    assert (status, answer["code"]) == (422, "session.sso_enabled")
    return json.dumps(answer)


async def test_the_secret_that_logto_shows_everybody_is_not_the_companys(
    passage: Passage, browser: Browser, open_browser: OpenBrowser
) -> None:
    """It opens nothing without a code, and the codes stay in the browsers that get them."""
    company = passage.company

    shown = await leaked(await open_browser(), company.address("carol"))

    secret = json.loads(shown)["data"]["ssoConnectors"][0]["config"]["clientSecret"]
    assert secret == company.runtime.registration.secret(passage.connector_id)
    assert company.provider.client_secret not in shown
    guessed = await passage.redeem("guessed", secret=secret)
    assert guessed.status_code == 400


async def test_the_companys_secret_is_nowhere_to_be_seen(
    passage: Passage, management: ManagementClient, runtime: Runtime
) -> None:
    company, secret = passage.company, passage.company.provider.client_secret
    at_logto = (await management._transport.call("GET", f"/sso-connectors/{passage.connector_id}")).body
    with structlog.testing.capture_logs() as lines:
        await passage.claims()
        company.asserts("victor@elsewhere.example")
        page = await passage.refusal(await passage.depart())
        await company.browser.sign_in(company.admin, FRESH)
        wizard = await company.browser.text(f"{company.root}/single-sign-on")
        audit = await company.browser.text(f"{company.root}/audit")
    async with runtime.jobs.reading() as db:
        attempts = list(await db.scalars(sa.select(SignInAttemptRow.payload)))

    for place in (at_logto, lines, page, wizard, audit, attempts, company.runtime.registration):
        assert secret not in str(place)
        assert passage.company.address("carol") not in str(lines)


async def expire(runtime: Runtime, key: str) -> None:
    """Let what is stored under a state or a code expire."""
    row = SignInAttemptRow.state_hash == fingerprint(key)
    async with runtime.jobs.writing() as db:
        past = utc_now() - timedelta(seconds=1)
        await db.execute(sa.update(SignInAttemptRow).where(row).values(expires_at=past))
