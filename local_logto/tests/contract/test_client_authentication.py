"""Client authentication at the token endpoint: the accepted ways and the refusals."""

from __future__ import annotations

from dataclasses import replace

import aiohttp
import pytest

from contract.fixtures import LikeRecording, SignIn
from contract.management import ManagementApi, Workshop
from contract.oidc import Authentication, Oidc, Tokens
from contract.people import App
from contract.world import ORGANIZATIONS_SCOPE, World

NO_GRANT = {"grant_type": "refresh_token", "refresh_token": "x" * 43}


def wrong_secret(app: App) -> App:
    return replace(app, secret="wrong")


@pytest.mark.parametrize("authentication", ["basic", "post"])
async def test_secret_is_accepted_in_header_and_in_body(
    oidc: Oidc, alice: Tokens, authentication: Authentication
) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": alice.refresh_token}
    assert (await oidc.token(alice.app, authentication, **form)).status == 200


async def test_wrong_secret_in_the_header_gets_a_challenge(
    oidc: Oidc, world: World, like_recording: LikeRecording
) -> None:
    reply = await oidc.token(wrong_secret(world.web), "basic", **NO_GRANT)
    like_recording("21-error-wrong-secret-basic", reply)
    assert reply.headers["WWW-Authenticate"].startswith("Basic ")


async def test_wrong_secret_in_the_body_gets_no_challenge(
    oidc: Oidc, world: World, like_recording: LikeRecording
) -> None:
    reply = await oidc.token(wrong_secret(world.web), "post", **NO_GRANT)
    like_recording("21-error-wrong-secret-post", reply)
    assert "WWW-Authenticate" not in reply.headers


async def test_confidential_application_must_send_its_secret(
    oidc: Oidc, world: World, like_recording: LikeRecording
) -> None:
    like_recording("21-error-no-secret", await oidc.token(App(world.web.id), **NO_GRANT))


async def test_unknown_application_is_named_in_the_error(oidc: Oidc, like_recording: LikeRecording) -> None:
    like_recording("21-error-unknown-client", await oidc.token(App("nope", "secret"), "post", **NO_GRANT))


async def test_request_without_any_credentials_is_invalid(oidc: Oidc) -> None:
    reply = (await oidc.token(None, **NO_GRANT)).expect(400)
    assert reply.body["error"] == "invalid_request"
    assert reply.body["error_description"] == "no client authentication mechanism provided"


async def test_two_ways_to_authenticate_at_once_are_refused(oidc: Oidc, world: World) -> None:
    secret = world.web.secret or ""
    reply = await oidc.token(world.web, **NO_GRANT, client_id=world.web.id, client_secret=secret)
    assert reply.expect(400).body["error"] == "invalid_request"
    assert reply.body["error_description"] == (
        "client authentication must only be provided using one mechanism"
    )


async def test_header_and_body_must_name_the_same_application(oidc: Oidc, world: World) -> None:
    reply = (await oidc.token(world.web, **NO_GRANT, client_id=world.spa.id)).expect(400)
    assert (reply.body["error"], reply.body["error_description"]) == ("invalid_request", "client_id mismatch")


async def test_same_application_in_header_and_body_is_accepted(oidc: Oidc, alice: Tokens) -> None:
    reply = await oidc.renew(alice, client_id=alice.app.id)
    assert reply.status == 200


@pytest.mark.parametrize("header", ["Basic", "Basic bm9jb2xvbg==", "Basic a b c"])
async def test_malformed_header_is_an_invalid_request(oidc: Oidc, header: str) -> None:
    reply = await oidc.send("POST", "/oidc/token", data=NO_GRANT, headers={"Authorization": header})
    assert reply.expect(400).body["error"] == "invalid_request"
    assert reply.body["error_description"] == "invalid authorization header value format"


async def test_percent_encoded_credentials_are_decoded(oidc: Oidc, alice: Tokens) -> None:
    secret = alice.app.secret or ""
    encoded = f"%{ord(secret[0]):02X}{secret[1:]}"
    reply = await oidc.refresh(replace(alice.app, secret=encoded), alice.refresh_token)
    assert reply.status == 200


async def test_public_application_needs_only_its_id(oidc: Oidc, world: World, sign_in: SignIn) -> None:
    tokens = await sign_in(world.alice, world.spa)
    assert (await oidc.renew(tokens)).status == 200


@pytest.fixture
async def robot(workshop: Workshop) -> App:
    return await workshop.application("MachineToMachine")


@pytest.fixture
async def second_secret(api: ManagementApi, robot: App) -> App:
    """The robot, authenticated by its second secret."""
    added = (await api.post(f"/applications/{robot.id}/secrets", {"name": "second"})).expect(201).body
    return replace(robot, secret=added["value"])


async def test_every_secret_works(oidc: Oidc, robot: App, second_secret: App) -> None:
    for app in (robot, second_secret):
        reply = await oidc.token(app, grant_type="client_credentials")
        assert reply.body["error"] == "invalid_target", "authenticated, but requested nothing"


async def test_deleted_secret_is_refused(oidc: Oidc, api: ManagementApi, second_secret: App) -> None:
    (await api.delete(f"/applications/{second_secret.id}/secrets/second")).expect(204)
    reply = await oidc.token(second_secret, grant_type="client_credentials")
    assert reply.expect(401).body["error"] == "invalid_client"


async def test_deleted_application_is_unknown(oidc: Oidc, api: ManagementApi, robot: App) -> None:
    (await api.delete(f"/applications/{robot.id}")).expect(204)
    reply = (await oidc.token(robot, grant_type="client_credentials")).expect(400)
    assert reply.body["error_description"] == f"invalid client {robot.id}"


async def test_unsupported_grant_is_refused(oidc: Oidc, world: World, like_recording: LikeRecording) -> None:
    like_recording("21-error-unsupported-grant", await oidc.token(world.web, grant_type="password"))


async def test_missing_grant_type_is_named(oidc: Oidc, world: World, like_recording: LikeRecording) -> None:
    like_recording("21-error-no-grant-type", await oidc.token(world.web, refresh_token="x"))


async def test_json_body_is_read_like_a_form(
    oidc: Oidc, world: World, sign_in: SignIn, like_recording: LikeRecording
) -> None:
    scope = f"openid profile offline_access {ORGANIZATIONS_SCOPE}"
    tokens = await sign_in(world.alice, scope=scope, nonce=None)
    form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
    headers = {"Authorization": aiohttp.encode_basic_auth(world.web.id, world.web.secret or "")}
    reply = await oidc.send("POST", "/oidc/token", json=form, headers=headers)
    like_recording("53-token-json-body", reply)


@pytest.mark.parametrize("path", ["/oidc/token/revocation", "/oidc/token/introspection"])
async def test_revocation_and_introspection_require_the_same_authentication(
    oidc: Oidc, world: World, path: str
) -> None:
    reply = (await oidc.post(path, {"token": "x"}, wrong_secret(world.web))).expect(401)
    assert reply.body["error"] == "invalid_client"
