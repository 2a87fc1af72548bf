"""The refresh token: what it returns, when it rotates, and what happens when an old one is reused."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from contract.client import decode
from contract.conftest import Server
from contract.fixtures import LikeRecording, SignIn
from contract.management import ManagementApi, Workshop
from contract.oidc import Oidc, Tokens
from contract.people import App, Person
from contract.world import OIDC_SCOPES, World

PAST_LEEWAY = 3.3  # seconds after which a rotated refresh token counts as stolen


async def short_lived(workshop: Workshop, seconds: int, **settings: object) -> App:
    """Register an application whose refresh tokens expire after these seconds."""
    metadata = {"refreshTokenTtl": seconds, "alwaysIssueRefreshToken": True, **settings}
    return await workshop.application(customClientMetadata=metadata)


# --- what comes back


async def test_plain_refresh_is_as_recorded(
    oidc: Oidc, world: World, sign_in: SignIn, like_recording: LikeRecording
) -> None:
    tokens = await sign_in(world.alice, nonce=None)
    reply = await oidc.renew(tokens)
    like_recording("15-opaque-token-by-refresh", reply)


async def test_refreshed_id_token_has_the_nonce(oidc: Oidc, alice: Tokens) -> None:
    reply = (await oidc.renew(alice)).expect(200)
    assert decode(reply.body["id_token"]).claims["nonce"] == alice.callback.request.nonce


async def test_scope_openid_returns_an_id_token_with_only_the_subject(
    oidc: Oidc, world: World, sign_in: SignIn, like_recording: LikeRecording
) -> None:
    tokens = await sign_in(world.alice, nonce=None)
    reply = await oidc.renew(tokens, scope="openid")
    like_recording("15-id-token-scope-openid", reply)


async def test_scope_without_openid_returns_no_id_token(oidc: Oidc, alice: Tokens) -> None:
    reply = (await oidc.renew(alice, scope="profile")).expect(200)
    assert "id_token" not in reply.body
    assert reply.body["refresh_token"] == alice.refresh_token


async def test_claims_of_omitted_scopes_are_missing(oidc: Oidc, alice: Tokens) -> None:
    reply = (await oidc.renew(alice, scope="openid email")).expect(200)
    claims = decode(reply.body["id_token"]).claims
    assert "email" in claims
    assert "username" not in claims


async def test_narrowed_scope_does_not_affect_the_next_refresh(oidc: Oidc, alice: Tokens) -> None:
    await oidc.renew(alice, scope="openid")
    reply = (await oidc.renew(alice)).expect(200)
    assert set(reply.body["scope"].split()) == set(OIDC_SCOPES.split())


async def test_empty_organization_id_counts_as_absent(oidc: Oidc, alice: Tokens) -> None:
    reply = (await oidc.renew(alice, organization_id="")).expect(200)
    assert "." not in reply.body["access_token"]


# --- refusals


@pytest.mark.parametrize(
    ("token", "recording"),
    [("garbage", "21-error-refresh-garbage"), ("G" * 43, "21-error-refresh-garbage-43")],
)
async def test_unknown_refresh_token_is_refused(
    oidc: Oidc, world: World, like_recording: LikeRecording, token: str, recording: str
) -> None:
    like_recording(recording, await oidc.refresh(world.web, token))


async def test_missing_refresh_token_is_named(
    oidc: Oidc, world: World, like_recording: LikeRecording
) -> None:
    like_recording("21-error-refresh-missing", await oidc.token(world.web, grant_type="refresh_token"))


async def test_scope_beyond_the_grant_is_refused_and_named(
    oidc: Oidc, alice: Tokens, like_recording: LikeRecording
) -> None:
    reply = await oidc.renew(alice, scope="openid custom_data")
    like_recording("21-error-scope-not-granted", reply)


async def test_refresh_token_of_another_application_is_refused(
    oidc: Oidc, alice: Tokens, workshop: Workshop, like_recording: LikeRecording
) -> None:
    other = await workshop.application()
    reply = await oidc.token(other, "post", grant_type="refresh_token", refresh_token=alice.refresh_token)
    like_recording("54-error-other-client", reply)


async def test_refresh_token_works_after_refusals(oidc: Oidc, world: World, sign_in: SignIn) -> None:
    tokens = await sign_in(world.alice)
    bad: list[dict[str, str]] = [
        {"scope": "openid custom_data"},
        {"organization_id": world.other},
        {"resource": "https://unknown.example.test"},
    ]
    for form in bad:
        assert (await oidc.renew(tokens, **form)).status in (400, 403)
    assert (await oidc.renew(tokens)).status == 200


async def test_suspension_revokes_refresh_tokens_for_good(
    oidc: Oidc, api: ManagementApi, sign_in: SignIn, otto: Person, like_recording: LikeRecording
) -> None:
    tokens = await sign_in(otto)
    path = f"/users/{otto.id}/is-suspended"
    assert (await api.patch(path, {"isSuspended": True})).expect(200).body["lastSignInAt"]
    like_recording("36-error-refresh-suspended", await oidc.renew(tokens))
    (await api.patch(path, {"isSuspended": False})).expect(200)
    like_recording("36-error-refresh-unsuspended", await oidc.renew(tokens))


async def test_deleted_person_cannot_refresh(
    oidc: Oidc, api: ManagementApi, sign_in: SignIn, otto: Person
) -> None:
    tokens = await sign_in(otto)
    (await api.delete(f"/users/{otto.id}")).expect(204)
    reply = (await oidc.renew(tokens)).expect(400)
    assert reply.body["error"] == "invalid_grant"


# --- rotation


async def test_confidential_application_keeps_its_refresh_token(
    oidc: Oidc, world: World, sign_in: SignIn, like_recording: LikeRecording
) -> None:
    """One flow of three refreshes, as they were recorded."""
    tokens = await sign_in(world.alice, nonce=None)
    for number in (1, 2, 3):
        reply = await oidc.token(
            world.web, "post", grant_type="refresh_token", refresh_token=tokens.refresh_token
        )
        like_recording(f"30-traditional-refresh-{number}", reply)
        assert reply.body["refresh_token"] == tokens.refresh_token


async def test_eight_concurrent_refreshes_return_the_same_refresh_token(
    oidc: Oidc, world: World, sign_in: SignIn
) -> None:
    tokens = await sign_in(world.alice)
    replies = await asyncio.gather(*(oidc.renew(tokens) for _ in range(8)))
    assert [reply.status for reply in replies] == [200] * 8
    assert {reply.body["refresh_token"] for reply in replies} == {tokens.refresh_token}
    assert len({reply.body["access_token"] for reply in replies}) == 8


async def test_application_can_turn_rotation_off(
    oidc: Oidc, workshop: Workshop, world: World, sign_in: SignIn
) -> None:
    app = await short_lived(workshop, 60, rotateRefreshToken=False)
    tokens = await sign_in(world.alice, app)
    reply = await oidc.renew(tokens)
    assert reply.body["refresh_token"] == tokens.refresh_token


async def test_public_application_gets_a_new_refresh_token_at_every_use(
    oidc: Oidc, world: World, sign_in: SignIn, like_recording: LikeRecording
) -> None:
    tokens = await sign_in(world.alice, world.spa, nonce=None)
    first = await oidc.renew(tokens)
    like_recording("33-spa-refresh-1", first, {world.spa.id: "bdjxejx7rwo3xcy5ls1vd"})
    assert first.body["refresh_token"] != tokens.refresh_token
    second = await oidc.refresh(world.spa, first.body["refresh_token"])
    assert second.body["refresh_token"] not in (tokens.refresh_token, first.body["refresh_token"])


async def test_rotated_token_returns_another_valid_one_within_three_seconds(
    oidc: Oidc, world: World, sign_in: SignIn, like_recording: LikeRecording
) -> None:
    tokens = await sign_in(world.alice, world.spa, nonce=None)
    first = (await oidc.renew(tokens)).expect(200)
    again = await oidc.renew(tokens)
    like_recording("33-spa-old-within-3s", again)
    for token in {first.body["refresh_token"], again.body["refresh_token"]}:
        assert (await oidc.refresh(world.spa, token)).status == 200


async def test_eight_concurrent_uses_return_eight_tokens_to_a_public_application(
    oidc: Oidc, world: World, sign_in: SignIn
) -> None:
    tokens = await sign_in(world.alice, world.spa)
    fresh = await assert_crowd_gets_different_tokens(oidc, world.spa, tokens)
    for token in fresh:
        assert (await oidc.refresh(world.spa, token)).status == 200


@pytest.mark.slow_clock
async def test_rotated_token_ends_the_grant_after_three_seconds(
    oidc: Oidc, world: World, sign_in: SignIn, like_recording: LikeRecording
) -> None:
    """One test for three replies, because the wait is long."""
    tokens = await sign_in(world.alice, world.spa)
    fresh = (await oidc.renew(tokens)).expect(200).body
    await asyncio.sleep(PAST_LEEWAY)
    like_recording("33-error-spa-old-after-3s", await oidc.renew(tokens))
    like_recording("33-error-spa-new-after-reuse", await oidc.refresh(world.spa, fresh["refresh_token"]))
    like_recording("31-userinfo-after-reuse", await oidc.userinfo(fresh["access_token"]))


@pytest.mark.slow_clock
async def test_token_is_rotated_after_seventy_percent_of_its_lifetime_and_then_expires(
    oidc: Oidc,
    server: Server,
    workshop: Workshop,
    world: World,
    sign_in: SignIn,
    like_recording: LikeRecording,
) -> None:
    """One test for a whole lifetime, because the waits are long."""
    lifetime = 10 + 4 * int(server.patience)
    app = await short_lived(workshop, lifetime)
    rotated, crowded, unused = await asyncio.gather(
        sign_in(world.alice, app, nonce=None), sign_in(world.alice, app), sign_in(world.alice, app)
    )
    young = (await oidc.renew(rotated)).expect(200)
    assert young.body["refresh_token"] == rotated.refresh_token

    await asyncio.sleep(0.7 * lifetime + server.patience / 5)  # Logto counts whole seconds
    fresh = await assert_crowd_gets_different_tokens(oidc, app, crowded)
    form: dict[str, Any] = {"grant_type": "refresh_token", "refresh_token": rotated.refresh_token}
    first = await oidc.token(app, "post", **form)
    like_recording("31-traditional-refresh-past-70pct", first, {app.id: world.web.id})
    assert first.body["refresh_token"] != rotated.refresh_token
    again = await oidc.token(app, "post", **form)
    like_recording("31-old-token-within-3s", again, {app.id: world.web.id})
    assert again.body["refresh_token"] not in (rotated.refresh_token, first.body["refresh_token"])

    await asyncio.sleep(0.3 * lifetime + 0.2)
    late = await oidc.token(app, "post", grant_type="refresh_token", refresh_token=unused.refresh_token)
    like_recording("34-error-really-expired", late)
    assert [(await oidc.refresh(app, token)).status for token in fresh] == [200] * len(fresh)


async def assert_crowd_gets_different_tokens(oidc: Oidc, app: App, tokens: Tokens) -> set[str]:
    """Refresh eight times at once with a token that is due. Returns the eight new refresh tokens."""
    replies = await asyncio.gather(*(oidc.renew(tokens) for _ in range(8)))
    fresh = {reply.expect(200).body["refresh_token"] for reply in replies}
    assert len(fresh) == 8
    assert tokens.refresh_token not in fresh
    return fresh
