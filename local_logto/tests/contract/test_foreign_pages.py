"""Requests from a web page of another origin: they are refused before they change anything."""

from __future__ import annotations

import pytest

from contract.client import LogtoBrowser, Reply
from contract.management import Workshop
from contract.oidc import Oidc, Tokens
from contract.people import CALLBACK, App, Person
from contract.world import World

FOREIGN = "https://evil.example"
ALLOWED = "Access-Control-Allow-Origin"


def assert_refused(reply: Reply, app: App, origin: str = FOREIGN) -> None:
    assert reply.expect(400).body["error"] == "invalid_request"
    assert reply.body["error_description"] == f"origin {origin} not allowed for client: {app.id}"
    assert ALLOWED not in reply.headers


async def exchange(oidc: Oidc, app: App, form: dict[str, str], origin: str) -> Reply:
    body = {"client_id": app.id, **({"client_secret": app.secret} if app.secret else {}), **form}
    return await oidc.send("POST", "/oidc/token", data=body, headers={"Origin": origin})


async def test_code_stays_valid_after_a_foreign_page_tried_it(
    oidc: Oidc, browser: LogtoBrowser, world: World, nina: Person
) -> None:
    callback = await browser.sign_in(world.spa, nina, **world.everything)
    form = {
        "grant_type": "authorization_code",
        "code": callback.code,
        "redirect_uri": CALLBACK,
        "code_verifier": callback.request.code_verifier,
    }
    assert_refused(await exchange(oidc, world.spa, form, FOREIGN), world.spa)
    reply = (await exchange(oidc, world.spa, form, "http://localhost:3000")).expect(200)
    assert reply.headers[ALLOWED] == "http://localhost:3000"


@pytest.mark.parametrize("path", ["/oidc/token/introspection", "/oidc/token/revocation"])
async def test_foreign_page_can_neither_read_nor_revoke_a_token(
    oidc: Oidc, world: World, alice: Tokens, path: str
) -> None:
    form = {"client_id": world.web.id, "client_secret": world.web.secret, "token": alice.access_token}
    reply = await oidc.send("POST", path, data=form, headers={"Origin": FOREIGN})
    assert_refused(reply, world.web)
    assert (await oidc.userinfo(alice.access_token)).status == 200


async def test_foreign_page_cannot_read_userinfo(oidc: Oidc, alice: Tokens) -> None:
    headers = {"Authorization": f"Bearer {alice.access_token}", "Origin": FOREIGN}
    assert_refused(await oidc.send("GET", "/oidc/me", headers=headers), alice.app)


@pytest.mark.parametrize(
    ("origin", "is_own"),
    [
        ("https://pages.example", True),  # named by corsAllowedOrigins
        ("https://pr-7.preview.example.com", True),  # fits the redirect URI with a star
        ("https://a.b.preview.example.com", False),
        ("https://pr-7.preview.example.com:8443", False),
        ("http://pr-7.preview.example.com", False),
        ("https://pr-7.preview.example.com.evil.example", False),
        ("null", False),
    ],
)
async def test_allowed_origins_are_those_of_redirect_uris_and_those_configured(
    oidc: Oidc, workshop: Workshop, origin: str, *, is_own: bool
) -> None:
    addresses = {"redirectUris": ["https://*.preview.example.com/*"], "postLogoutRedirectUris": []}
    app = await workshop.application(
        "SPA",
        oidcClientMetadata=addresses,
        customClientMetadata={"corsAllowedOrigins": ["https://pages.example"]},
    )
    reply = await exchange(oidc, app, {"grant_type": "refresh_token", "refresh_token": "x" * 43}, origin)
    if is_own:
        assert reply.expect(400).body["error"] == "invalid_grant"
        assert reply.headers[ALLOWED] == origin
    else:
        assert_refused(reply, app, origin)


async def test_refusal_of_an_unknown_application_can_be_read_by_every_page(oidc: Oidc) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": "x" * 43}
    reply = await exchange(oidc, App("nosuch"), form, FOREIGN)
    assert reply.expect(400).body["error"] == "invalid_client"
    assert reply.headers[ALLOWED] == FOREIGN
