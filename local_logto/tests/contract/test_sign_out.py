"""The end of a session: sign-out pages, revocation, introspection, back-channel logout."""

from __future__ import annotations

from urllib.parse import urlsplit

import jwt
import pytest

from contract.client import Form, LogtoBrowser, Reply, decode
from contract.fixtures import LikeRecording, NewBrowser, SignIn
from contract.listener import Listener
from contract.management import ManagementApi, Workshop
from contract.oidc import Oidc, Tokens
from contract.people import AFTER_SIGN_OUT, CALLBACK
from contract.recordings import load
from contract.world import World

END_SESSION = "/oidc/session/end"


async def end_session(browser: LogtoBrowser, **parameters: str) -> Reply:
    """Ask for the sign-out and submit the form that the page submits by itself."""
    page = (await browser.send("GET", END_SESSION, params=parameters)).expect(200)
    return await browser.submit(Form(page.body))


# --- RP-initiated logout


async def test_sign_out_answers_with_a_page_like_the_recorded_one(
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


async def test_the_page_is_a_form_that_submits_itself(browser: LogtoBrowser, world: World) -> None:
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


async def test_state_travels_to_the_registered_address(browser: LogtoBrowser, world: World) -> None:
    await browser.sign_in(world.web, world.alice)
    reply = await end_session(
        browser, client_id=world.web.id, post_logout_redirect_uri=AFTER_SIGN_OUT, state="xyz"
    )
    assert reply.expect(303).location == f"{AFTER_SIGN_OUT}?state=xyz"


async def test_id_token_names_the_application_as_well(
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


async def test_session_is_over_for_every_application(browser: LogtoBrowser, world: World) -> None:
    await browser.sign_in(world.web, world.alice)
    await end_session(browser, client_id=world.web.id)
    for app in (world.web, world.spa):
        reply = await browser.authorize(app, prompt="none")
        assert reply.redirect_parameters["error"] == "login_required"


async def test_page_alone_ends_nothing(browser: LogtoBrowser, world: World) -> None:
    await browser.sign_in(world.web, world.alice)
    await browser.send("GET", END_SESSION, params={"client_id": world.web.id})
    assert (await browser.authorize_silently(world.web, prompt="none")).code


async def test_confirmation_wants_the_token_of_its_page(browser: LogtoBrowser, world: World) -> None:
    await browser.sign_in(world.web, world.alice)
    await browser.send("GET", END_SESSION, params={"client_id": world.web.id})
    reply = await browser.send("POST", "/oidc/session/end/confirm", data={"xsrf": "wrong", "logout": "yes"})
    assert reply.status == 400
    assert (await browser.authorize_silently(world.web, prompt="none")).code


async def test_sign_out_leaves_other_browsers_alone(
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


async def test_somebody_else_can_sign_in_after_the_sign_out(
    browser: LogtoBrowser, oidc: Oidc, world: World, workshop: Workshop
) -> None:
    bob = await workshop.person("bob")
    await browser.sign_in(world.web, world.alice)
    await end_session(browser, client_id=world.web.id)
    tokens = await oidc.sign_in(browser, world.web, bob)
    assert tokens.id_token_claims["sub"] == bob.id


# --- revocation


async def test_revoked_refresh_token_takes_its_grant_with_it(
    oidc: Oidc, world: World, sign_in: SignIn, like_recording: LikeRecording
) -> None:
    tokens = await sign_in(world.alice)
    like_recording("35-revoke-refresh-token", await oidc.revoke(world.web, tokens.refresh_token))
    refreshed = await oidc.token(
        world.web, "post", grant_type="refresh_token", refresh_token=tokens.refresh_token
    )
    like_recording("35-error-refresh-after-revocation", refreshed)
    assert (await oidc.userinfo(tokens.access_token)).status == 401


async def test_revoked_access_token_takes_the_refresh_token_with_it(
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


async def test_missing_token_is_named(oidc: Oidc, world: World) -> None:
    for path in ("/oidc/token/revocation", "/oidc/token/introspection"):
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
async def test_unknown_token_is_just_inactive(oidc: Oidc, world: World, token: str) -> None:
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


async def test_sign_out_tells_the_application_through_the_back_channel(
    browser: LogtoBrowser,
    oidc: Oidc,
    world: World,
    workshop: Workshop,
    listener: Listener,
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
    browser: LogtoBrowser,
    oidc: Oidc,
    world: World,
    workshop: Workshop,
    listener: Listener,
) -> None:
    app = await workshop.application(oidcClientMetadata=backchannel(listener, with_session=False))
    tokens = await oidc.sign_in(browser, app, world.alice)
    assert "sid" not in tokens.id_token_claims
    await end_session(browser, client_id=app.id)
    assert "sid" not in decode(await delivered_logout_token(listener)).claims


async def test_sign_out_tells_every_application_of_the_session(
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


async def test_session_is_not_named_without_an_address_to_tell(
    browser: LogtoBrowser, oidc: Oidc, world: World, workshop: Workshop
) -> None:
    app = await workshop.application(oidcClientMetadata={"backchannelLogoutSessionRequired": True})
    assert "sid" not in (await oidc.sign_in(browser, app, world.alice)).id_token_claims


async def test_id_token_carries_the_session_when_it_is_required(
    browser: LogtoBrowser,
    oidc: Oidc,
    world: World,
    workshop: Workshop,
    api: ManagementApi,
    like_recording: LikeRecording,
) -> None:
    app = await workshop.application()
    metadata = {
        "redirectUris": [CALLBACK],
        "postLogoutRedirectUris": [AFTER_SIGN_OUT],
        "backchannelLogoutUri": "http://127.0.0.1:3055/bcl",
        "backchannelLogoutSessionRequired": True,
    }
    (await api.patch(f"/applications/{app.id}", {"oidcClientMetadata": metadata})).expect(200)
    tokens = await oidc.sign_in(browser, app, world.alice, nonce=None)
    like_recording("84-token-with-bcl", tokens.reply, {app.id: world.web.id})
    refreshed = await oidc.renew(tokens)
    like_recording("84-refresh-after-logout", refreshed, {app.id: world.web.id})
