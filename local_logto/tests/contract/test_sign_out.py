"""The end of a session: sign-out pages, revocation, introspection, back-channel logout."""

from __future__ import annotations

from urllib.parse import urlsplit

import jwt
import pytest

from contract.client import Form, LogtoBrowser, Reply, decode
from contract.fixtures import LikeRecording, NewBrowser, SignIn
from contract.listener import Listener
from contract.management import Workshop
from contract.oidc import Oidc, Tokens
from contract.people import AFTER_SIGN_OUT, Person
from contract.recordings import load
from contract.world import World

END_SESSION = "/oidc/session/end"


async def end_session(browser: LogtoBrowser, **parameters: str) -> Reply:
    """Request the sign-out and submit the form that the page submits by itself."""
    page = (await browser.send("GET", END_SESSION, params=parameters)).expect(200)
    return await browser.submit(Form(page.body))


# --- RP-initiated logout


async def test_sign_out_returns_the_recorded_page(
    browser: LogtoBrowser, oidc: Oidc, world: World, like_recording: LikeRecording
) -> None:
    await browser.sign_in(world.web, world.alice)
    reply = await browser.send(
        "GET",
        END_SESSION,
        params={"client_id": world.web.id, "post_logout_redirect_uri": AFTER_SIGN_OUT},
    )
    like_recording("84-session-end", reply)
    assert reply.cookie_names == {"_session", "_session.sig"}


async def test_page_is_a_form_that_submits_itself(browser: LogtoBrowser, world: World) -> None:
    await browser.sign_in(world.web, world.alice)
    page = (await browser.send("GET", END_SESSION, params={"client_id": world.web.id})).body
    form = Form(page)
    assert urlsplit(form.action).path == "/oidc/session/end/confirm"
    assert form.fields["logout"] == "yes"
    assert form.fields["xsrf"]
    assert form.submits_itself


async def test_sign_out_ends_at_the_registered_address(browser: LogtoBrowser, world: World) -> None:
    await browser.sign_in(world.web, world.alice)
    reply = await end_session(browser, client_id=world.web.id, post_logout_redirect_uri=AFTER_SIGN_OUT)
    assert reply.expect(303).location == AFTER_SIGN_OUT


async def test_state_is_passed_to_the_registered_address(browser: LogtoBrowser, world: World) -> None:
    await browser.sign_in(world.web, world.alice)
    reply = await end_session(
        browser, client_id=world.web.id, post_logout_redirect_uri=AFTER_SIGN_OUT, state="xyz"
    )
    assert reply.expect(303).location == f"{AFTER_SIGN_OUT}?state=xyz"


async def test_id_token_can_name_the_application(
    browser: LogtoBrowser, oidc: Oidc, world: World, like_recording: LikeRecording
) -> None:
    tokens = await oidc.sign_in(browser, world.web, world.alice)
    hint = tokens.reply.body["id_token"]
    parameters = {"id_token_hint": hint, "post_logout_redirect_uri": AFTER_SIGN_OUT, "state": "xyz"}
    page = await browser.send("GET", END_SESSION, params=parameters)
    like_recording("56-logout-id-token-hint", page)
    reply = await browser.submit(Form(page.body))
    assert reply.expect(303).location == f"{AFTER_SIGN_OUT}?state=xyz"


async def test_unregistered_address_is_refused(
    browser: LogtoBrowser, world: World, like_recording: LikeRecording
) -> None:
    await browser.sign_in(world.web, world.alice)
    parameters = {"client_id": world.web.id, "post_logout_redirect_uri": "http://evil.test/"}
    reply = await browser.send("GET", END_SESSION, params=parameters)
    like_recording("56-logout-bad-post-logout-uri", reply)


async def test_address_without_an_application_is_ignored(browser: LogtoBrowser, world: World) -> None:
    await browser.sign_in(world.web, world.alice)
    reply = await end_session(browser, post_logout_redirect_uri=AFTER_SIGN_OUT)
    assert urlsplit(reply.expect(303).location).path == "/oidc/session/end/success"


async def test_sign_out_without_parameters_is_as_recorded(
    browser: LogtoBrowser, world: World, like_recording: LikeRecording
) -> None:
    await browser.sign_in(world.web, world.alice)
    like_recording("56-logout-no-params", await browser.send("GET", END_SESSION))


@pytest.mark.parametrize("name", ["web", "spa"])
async def test_session_ends_for_every_application(browser: LogtoBrowser, world: World, name: str) -> None:
    await browser.sign_in(world.web, world.alice)
    await end_session(browser, client_id=world.web.id)
    reply = await browser.authorize(world.web if name == "web" else world.spa, prompt="none")
    assert reply.redirect_parameters["error"] == "login_required"


async def test_opening_the_page_ends_nothing(browser: LogtoBrowser, world: World) -> None:
    await browser.sign_in(world.web, world.alice)
    await browser.send("GET", END_SESSION, params={"client_id": world.web.id})
    assert (await browser.authorize_silently(world.web, prompt="none")).code


async def test_confirmation_requires_the_token_of_its_page(browser: LogtoBrowser, world: World) -> None:
    await browser.sign_in(world.web, world.alice)
    await browser.send("GET", END_SESSION, params={"client_id": world.web.id})
    reply = await browser.send("POST", "/oidc/session/end/confirm", data={"xsrf": "wrong", "logout": "yes"})
    assert reply.status == 400
    assert (await browser.authorize_silently(world.web, prompt="none")).code


async def test_sign_out_does_not_affect_other_browsers(
    browser: LogtoBrowser, new_browser: NewBrowser, world: World
) -> None:
    elsewhere = new_browser()
    for each in (browser, elsewhere):
        await each.sign_in(world.web, world.alice)
    await end_session(browser, client_id=world.web.id)
    assert (await elsewhere.authorize_silently(world.web, prompt="none")).code


async def test_refresh_token_outlives_the_sign_out(browser: LogtoBrowser, oidc: Oidc, world: World) -> None:
    tokens = await oidc.sign_in(browser, world.web, world.alice)
    await end_session(browser, client_id=world.web.id, post_logout_redirect_uri=AFTER_SIGN_OUT)
    assert (await oidc.renew(tokens)).status == 200
    assert (await oidc.userinfo(tokens.access_token)).status == 200


async def test_another_person_can_sign_in_after_the_sign_out(
    browser: LogtoBrowser, oidc: Oidc, world: World, otto: Person
) -> None:
    await browser.sign_in(world.web, world.alice)
    await end_session(browser, client_id=world.web.id)
    tokens = await oidc.sign_in(browser, world.web, otto)
    assert tokens.id_token_claims["sub"] == otto.id


# --- revocation


async def test_grant_ends_with_its_revoked_refresh_token(
    oidc: Oidc, world: World, sign_in: SignIn, like_recording: LikeRecording
) -> None:
    tokens = await sign_in(world.alice)
    like_recording("35-revoke-refresh-token", await oidc.revoke(world.web, tokens.refresh_token))
    refreshed = await oidc.token(
        world.web, "post", grant_type="refresh_token", refresh_token=tokens.refresh_token
    )
    like_recording("35-error-refresh-after-revocation", refreshed)
    assert (await oidc.userinfo(tokens.access_token)).status == 401


async def test_refresh_token_ends_with_a_revoked_access_token(
    oidc: Oidc, world: World, sign_in: SignIn
) -> None:
    tokens = await sign_in(world.alice)
    (await oidc.revoke(world.web, tokens.access_token)).expect(200)
    assert (await oidc.renew(tokens)).status == 400


async def test_jwt_cannot_be_revoked(
    oidc: Oidc, alice: Tokens, world: World, like_recording: LikeRecording
) -> None:
    issued = await oidc.renew(alice, organization_id=world.acme)
    reply = await oidc.revoke(alice.app, issued.body["access_token"])
    like_recording("35-revoke-org-jwt", reply)


async def test_revoking_an_unknown_token_changes_nothing(oidc: Oidc, world: World) -> None:
    assert (await oidc.revoke(world.web, "x" * 43)).status == 200


async def test_another_applications_token_cannot_be_revoked(
    oidc: Oidc, world: World, workshop: Workshop, sign_in: SignIn, like_recording: LikeRecording
) -> None:
    other = await workshop.application()
    tokens = await sign_in(world.alice)
    refused = await oidc.revoke(other, tokens.refresh_token)
    like_recording("442-revoke-refresh-token-of-another-client", refused)
    assert (await oidc.renew(tokens)).status == 200


@pytest.mark.parametrize("path", ["/oidc/token/revocation", "/oidc/token/introspection"])
async def test_missing_token_is_named(oidc: Oidc, world: World, path: str) -> None:
    reply = (await oidc.post(path, {}, world.web)).expect(400)
    assert reply.body["error_description"] == "missing required parameter 'token'"


# --- introspection


async def test_introspected_access_token_is_as_recorded(
    oidc: Oidc, alice: Tokens, like_recording: LikeRecording
) -> None:
    reply = await oidc.introspect(alice.app, alice.access_token)
    like_recording("35-introspect-opaque-at", reply)


async def test_introspected_refresh_token_is_as_recorded(
    oidc: Oidc, alice: Tokens, like_recording: LikeRecording
) -> None:
    reply = await oidc.introspect(alice.app, alice.refresh_token)
    like_recording("35-introspect-refresh-token", reply)
    assert reply.body["exp"] - reply.body["iat"] == 14 * 24 * 3600


async def test_jwt_cannot_be_introspected(
    oidc: Oidc, alice: Tokens, world: World, like_recording: LikeRecording
) -> None:
    issued = await oidc.renew(alice, organization_id=world.acme)
    reply = await oidc.introspect(alice.app, issued.body["access_token"])
    like_recording("35-introspect-org-jwt", reply)


@pytest.mark.parametrize("token", ["garbage", "x" * 43])
async def test_unknown_token_is_inactive(oidc: Oidc, world: World, token: str) -> None:
    reply = (await oidc.introspect(world.web, token)).expect(200)
    assert reply.body == {"active": False}


async def test_revoked_token_is_inactive(oidc: Oidc, world: World, sign_in: SignIn) -> None:
    tokens = await sign_in(world.alice)
    await oidc.revoke(world.web, tokens.refresh_token)
    for token in (tokens.refresh_token, tokens.access_token):
        assert (await oidc.introspect(world.web, token)).body == {"active": False}


# --- back-channel logout


async def delivered_logout_token(listener: Listener) -> str:
    delivery = await listener.next_delivery()
    assert delivery.path == "/bcl"
    assert delivery.headers["content-type"] == "application/x-www-form-urlencoded"
    assert list(delivery.form) == ["logout_token"]
    return delivery.form["logout_token"]


def backchannel(listener: Listener, *, with_session: bool) -> dict[str, object]:
    return {
        "backchannelLogoutUri": f"{listener.address}/bcl",
        "backchannelLogoutSessionRequired": with_session,
    }


async def test_sign_out_sends_the_application_a_logout_token_as_recorded(
    browser: LogtoBrowser, oidc: Oidc, world: World, workshop: Workshop, listener: Listener
) -> None:
    app = await workshop.application(oidcClientMetadata=backchannel(listener, with_session=True))
    tokens = await oidc.sign_in(browser, app, world.alice)
    await end_session(browser, client_id=app.id, post_logout_redirect_uri=AFTER_SIGN_OUT)
    token = await delivered_logout_token(listener)
    deliveries = load("85-received-by-listener")
    recorded = next(item for item in deliveries if item["path"] == "/bcl")["logout_token"]
    ours = decode(token)
    assert sorted(ours.claims) == sorted(recorded["claims"])
    assert {**ours.header, "kid": ""} == {**recorded["header"], "kid": ""}
    assert ours.claims["events"] == recorded["claims"]["events"]
    assert ours.claims["exp"] - ours.claims["iat"] == 120
    assert (ours.claims["aud"], ours.claims["sub"]) == (app.id, world.alice.id)
    assert ours.claims["sid"] == tokens.id_token_claims["sid"]
    keys = jwt.PyJWKSet.from_dict((await oidc.send("GET", "/oidc/jwks")).body)
    key = keys[ours.header["kid"]]
    jwt.decode(token, key, algorithms=["ES384"], audience=app.id, issuer=oidc.issuer)


async def test_logout_token_without_required_session_has_no_sid(
    browser: LogtoBrowser, oidc: Oidc, world: World, workshop: Workshop, listener: Listener
) -> None:
    app = await workshop.application(oidcClientMetadata=backchannel(listener, with_session=False))
    tokens = await oidc.sign_in(browser, app, world.alice)
    assert "sid" not in tokens.id_token_claims
    await end_session(browser, client_id=app.id)
    assert "sid" not in decode(await delivered_logout_token(listener)).claims


async def test_sign_out_notifies_every_application_of_the_session(
    browser: LogtoBrowser, oidc: Oidc, world: World, workshop: Workshop, listener: Listener
) -> None:
    apps = [
        await workshop.application(oidcClientMetadata=backchannel(listener, with_session=True))
        for _ in range(2)
    ]
    await browser.sign_in(apps[0], world.alice)
    second = await oidc.exchange(await browser.authorize_silently(apps[1]))
    await end_session(browser, client_id=apps[0].id)
    told = [decode(await delivered_logout_token(listener)).claims for _ in range(2)]
    assert {claims["aud"] for claims in told} == {apps[0].id, apps[1].id}
    sids = {claims["aud"]: claims["sid"] for claims in told}
    assert sids[apps[0].id] != sids[apps[1].id]
    assert decode(second.expect(200).body["id_token"]).claims["sid"] == sids[apps[1].id]


async def test_id_token_has_no_sid_without_a_back_channel_address(
    browser: LogtoBrowser, oidc: Oidc, world: World, workshop: Workshop
) -> None:
    app = await workshop.application(oidcClientMetadata={"backchannelLogoutSessionRequired": True})
    assert "sid" not in (await oidc.sign_in(browser, app, world.alice)).id_token_claims


async def test_id_token_has_a_sid_where_the_application_requires_it(
    browser: LogtoBrowser, oidc: Oidc, world: World, workshop: Workshop, like_recording: LikeRecording
) -> None:
    app = await workshop.application(
        oidcClientMetadata={
            "backchannelLogoutUri": "http://127.0.0.1:3055/bcl",
            "backchannelLogoutSessionRequired": True,
        }
    )
    tokens = await oidc.sign_in(browser, app, world.alice, nonce=None)
    like_recording("84-token-with-bcl", tokens.reply, {app.id: world.web.id})
    refreshed = await oidc.renew(tokens)
    like_recording("84-refresh-after-logout", refreshed, {app.id: world.web.id})
