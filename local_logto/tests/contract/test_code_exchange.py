"""The authorization code: what it is exchanged for, and when it is refused."""

from __future__ import annotations

import asyncio
import secrets
import time

import pytest

from contract.client import LogtoBrowser, decode
from contract.fixtures import LikeRecording, NewBrowser
from contract.oidc import Oidc
from contract.world import OIDC_SCOPES, World


async def test_exchange_is_as_recorded(
    browser: LogtoBrowser, oidc: Oidc, world: World, like_recording: LikeRecording
) -> None:
    callback = await browser.sign_in(world.web, world.alice, **{**world.everything, "nonce": None})
    like_recording("11-code-exchange", await oidc.exchange(callback))


async def test_exchange_with_the_secret_in_the_body_is_as_recorded(
    browser: LogtoBrowser, oidc: Oidc, world: World, like_recording: LikeRecording
) -> None:
    callback = await browser.sign_in(world.web, world.alice, **{**world.everything, "nonce": None})
    like_recording("11-code-exchange-secret-post", await oidc.exchange(callback, "post"))


async def test_response_lists_only_the_oidc_scopes(browser: LogtoBrowser, oidc: Oidc, world: World) -> None:
    tokens = await oidc.sign_in(browser, world.web, world.alice, **world.everything)
    assert set(tokens.reply.body["scope"].split()) == set(OIDC_SCOPES.split())


async def test_first_access_token_and_refresh_token_are_opaque(
    browser: LogtoBrowser, oidc: Oidc, world: World
) -> None:
    tokens = await oidc.sign_in(browser, world.web, world.alice)
    for token in (tokens.access_token, tokens.refresh_token):
        assert len(token) == 43
        assert "." not in token


@pytest.mark.parametrize(
    ("prompt", "recording"), [(None, "None"), ("login", "login"), ("consent", "consent")]
)
async def test_refresh_token_comes_only_with_prompt_consent(
    browser: LogtoBrowser,
    oidc: Oidc,
    world: World,
    like_recording: LikeRecording,
    prompt: str | None,
    recording: str,
) -> None:
    tokens = await oidc.sign_in(browser, world.web, world.alice, prompt=prompt, nonce="n-0S6")
    like_recording(f"52-token-prompt-{recording}", tokens.reply)
    assert ("refresh_token" in tokens.reply.body) is (prompt == "consent")
    assert ("offline_access" in tokens.reply.body["scope"]) is (prompt == "consent")


async def test_consent_without_offline_access_gives_no_refresh_token(
    browser: LogtoBrowser, oidc: Oidc, world: World
) -> None:
    tokens = await oidc.sign_in(browser, world.web, world.alice, scope="openid profile")
    assert "refresh_token" not in tokens.reply.body


async def test_nonce_is_copied_into_the_id_token(browser: LogtoBrowser, oidc: Oidc, world: World) -> None:
    tokens = await oidc.sign_in(browser, world.web, world.alice)
    assert tokens.id_token_claims["nonce"] == tokens.callback.request.nonce


async def test_id_token_has_auth_time_after_prompt_login(
    browser: LogtoBrowser, oidc: Oidc, world: World
) -> None:
    tokens = await oidc.sign_in(browser, world.web, world.alice, prompt="login")
    assert abs(tokens.id_token_claims["auth_time"] - time.time()) < 300


async def test_id_token_is_valid_for_an_hour_and_names_application_and_issuer(
    browser: LogtoBrowser, oidc: Oidc, world: World
) -> None:
    token = decode((await oidc.sign_in(browser, world.web, world.alice)).reply.body["id_token"])
    assert token.claims["exp"] - token.claims["iat"] == 3600
    assert (token.claims["aud"], token.claims["iss"]) == (world.web.id, oidc.issuer)
    assert sorted(token.header) == ["alg", "kid"]


async def test_organization_id_at_the_exchange_is_ignored(
    browser: LogtoBrowser, oidc: Oidc, world: World
) -> None:
    callback = await browser.sign_in(world.web, world.alice, **world.everything)
    reply = (await oidc.exchange(callback, organization_id=world.acme)).expect(200)
    assert "." not in reply.body["access_token"]


async def test_resource_at_the_exchange_gives_a_token_without_organization(
    browser: LogtoBrowser, oidc: Oidc, world: World
) -> None:
    callback = await browser.sign_in(world.web, world.alice, **world.everything)
    form = {"resource": world.resource, "organization_id": world.acme}
    reply = (await oidc.exchange(callback, **form)).expect(200)
    token = decode(reply.body["access_token"])
    assert token.claims["aud"] == world.resource
    assert token.scopes == {world.read_reports, world.write_reports}
    assert "organization_id" not in token.claims


async def test_exchange_with_a_resource_is_as_recorded(
    browser: LogtoBrowser, oidc: Oidc, world: World, like_recording: LikeRecording
) -> None:
    scope = f"openid profile offline_access urn:logto:scope:organizations {world.read_reports}"
    asked = {"scope": scope, "resource": world.resource, "nonce": None}
    callback = await browser.sign_in(world.web, world.alice, **asked)
    reply = await oidc.exchange(callback, resource=world.resource, organization_id=world.acme)
    like_recording("53-code-exchange-with-resource", reply)


async def test_code_of_a_public_application_needs_no_secret(
    browser: LogtoBrowser, oidc: Oidc, world: World
) -> None:
    tokens = await oidc.sign_in(browser, world.spa, world.alice)
    assert tokens.id_token_claims["aud"] == world.spa.id


async def test_code_without_pkce_is_exchanged_without_a_verifier(
    browser: LogtoBrowser, oidc: Oidc, world: World
) -> None:
    callback = await browser.sign_in(world.web, world.alice, code_challenge=None, code_challenge_method=None)
    assert (await oidc.exchange(callback, code_verifier=None)).status == 200


# --- refusals


async def test_reused_code_is_refused_and_ends_its_grant(
    browser: LogtoBrowser, oidc: Oidc, world: World, like_recording: LikeRecording
) -> None:
    """One test for three replies: the reuse, and what it does to the tokens of the first exchange."""
    callback = await browser.sign_in(world.web, world.alice)
    first = (await oidc.exchange(callback)).expect(200).body
    like_recording("20-error-code-reused", await oidc.exchange(callback))
    refreshed = await oidc.refresh(world.web, first["refresh_token"])
    like_recording("20-error-after-code-reuse-refresh", refreshed)
    like_recording("20-error-after-code-reuse-userinfo", await oidc.userinfo(first["access_token"]))


async def test_one_of_two_concurrent_exchanges_succeeds(
    browser: LogtoBrowser, oidc: Oidc, world: World
) -> None:
    callback = await browser.sign_in(world.web, world.alice)
    replies = await asyncio.gather(*(oidc.exchange(callback) for _ in range(2)))
    assert 200 in [reply.status for reply in replies]


async def test_wrong_verifier_is_refused_and_the_code_stays_valid(
    browser: LogtoBrowser, oidc: Oidc, world: World, like_recording: LikeRecording
) -> None:
    callback = await browser.sign_in(world.web, world.alice, **{**world.everything, "nonce": None})
    wrong = await oidc.exchange(callback, code_verifier=secrets.token_urlsafe(43))
    like_recording("21-error-bad-pkce", wrong)
    like_recording("21-code-after-bad-pkce", await oidc.exchange(callback))


async def test_missing_verifier_is_refused(
    browser: LogtoBrowser, oidc: Oidc, world: World, like_recording: LikeRecording
) -> None:
    callback = await browser.sign_in(world.web, world.alice)
    like_recording("21-error-no-verifier", await oidc.exchange(callback, code_verifier=None))


async def test_unknown_code_is_refused(oidc: Oidc, world: World, like_recording: LikeRecording) -> None:
    form = {"code": "garbage", "redirect_uri": world.web.redirect_uri, "code_verifier": "x" * 43}
    reply = await oidc.token(world.web, grant_type="authorization_code", **form)
    like_recording("21-error-code-garbage", reply)


async def test_other_redirect_uri_is_refused(
    browser: LogtoBrowser, oidc: Oidc, world: World, like_recording: LikeRecording
) -> None:
    callback = await browser.sign_in(world.web, world.alice)
    reply = await oidc.exchange(callback, redirect_uri=f"{world.web.redirect_uri}/x")
    like_recording("21-error-redirect-mismatch", reply)


async def test_code_of_another_application_is_refused(
    browser: LogtoBrowser, oidc: Oidc, world: World
) -> None:
    callback = await browser.sign_in(world.web, world.alice)
    reply = await oidc.exchange(callback, app=world.spa)
    assert reply.expect(400).body["error_description"] == "grant request is invalid"


async def test_missing_code_is_named(oidc: Oidc, world: World) -> None:
    form = {"redirect_uri": world.web.redirect_uri, "code_verifier": "x" * 43}
    reply = (await oidc.token(world.web, grant_type="authorization_code", **form)).expect(400)
    assert reply.body["error"] == "invalid_request"
    assert reply.body["error_description"] == "missing required parameter 'code'"


async def test_one_browser_session_gives_one_grant_for_an_application(
    browser: LogtoBrowser, oidc: Oidc, world: World
) -> None:
    first = await oidc.sign_in(browser, world.web, world.alice)
    second = await oidc.authorize_again(browser, world.web)
    (await oidc.revoke(world.web, first.refresh_token)).expect(200)
    assert (await oidc.renew(second)).status == 400


async def test_each_browser_gets_a_separate_grant(
    browser: LogtoBrowser, new_browser: NewBrowser, oidc: Oidc, world: World
) -> None:
    first = await oidc.sign_in(browser, world.web, world.alice)
    second = await oidc.sign_in(new_browser(), world.web, world.alice)
    (await oidc.revoke(world.web, first.refresh_token)).expect(200)
    assert (await oidc.renew(second)).status == 200
