"""Providers that fail while somebody signs in, and secrets that stay secret when they do."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable

import pytest
import structlog
from local_logto.fakes.openid import FakeOpenId

from saas_app.single_sign_on.broker.provider_sign_in import IssuerRefused, ProviderRefused, ProviderSignIn
from saas_app.single_sign_on.checked_hosts import IssuerFault
from saas_app.single_sign_on.visits import ProviderVisits
from tests.integration.single_sign_on.provider_sign_in.conftest import Journey

pytestmark = pytest.mark.one_database

DISCOVERY = "/.well-known/openid-configuration"


@pytest.mark.parametrize("path", [DISCOVERY, "/jwks", "/token", "/me"])
async def test_a_provider_that_hangs_is_given_up(journey: Journey, path: str) -> None:
    returned = await journey.go()
    journey.provider.answer_slowly(path=path)
    sign_in = ProviderSignIn(ProviderVisits(allows_private=True, timeout=1.0))

    with pytest.raises(IssuerRefused, match="did not respond in time") as refused:
        async with asyncio.timeout(5):
            await sign_in.come_back(journey.client, returned)

    assert refused.value.kind == IssuerFault.TIMEOUT
    assert journey.paths[-1] == path


async def test_nobody_waits_for_a_departure_that_hangs(journey: Journey) -> None:
    journey.provider.answer_slowly()
    sign_in = ProviderSignIn(ProviderVisits(allows_private=True, timeout=1.0))

    with pytest.raises(IssuerRefused, match="did not respond in time"):
        async with asyncio.timeout(5):
            await sign_in.depart(journey.client, redirect_uri="https://app.example.com/", state="s")


@pytest.mark.parametrize("path", [DISCOVERY, "/jwks", "/token", "/me"])
async def test_too_large_an_answer_is_not_read(journey: Journey, path: str) -> None:
    returned = await journey.go()
    journey.provider.refuse(200, {"padding": "x" * 257 * 1024}, path=path)

    with pytest.raises(IssuerRefused, match="too large") as refused:
        await journey.sign_in.come_back(journey.client, returned)

    assert refused.value.kind == IssuerFault.TOO_LARGE


@pytest.mark.parametrize("path", ["/token", "/me"])
async def test_no_redirect_is_followed(journey: Journey, path: str) -> None:
    journey.provider.redirect(f"{journey.provider.base_url}/elsewhere", status=307, path=path)

    await journey.refuse()

    assert journey.paths[-1] == path


@pytest.mark.parametrize("body", ["", "<html>", "[]", "{", "[" * 100_000])
async def test_tokens_are_a_json_object(journey: Journey, body: str) -> None:
    journey.provider.refuse(200, body, path="/token")

    assert (await journey.refuse()).kind == "unreadable tokens"


@pytest.mark.parametrize("id_token", [None, 7, ["a.b.c"], {}])
async def test_there_is_always_an_id_token(journey: Journey, id_token: object) -> None:
    journey.provider.tokens = {"id_token": id_token}

    assert (await journey.refuse()).kind == "unreadable id_token"


async def test_an_error_counts_whatever_the_status(journey: Journey) -> None:
    journey.provider.tokens = {"error": "invalid_grant"}

    assert (await journey.refuse()).kind == "token endpoint: invalid_grant"


@pytest.mark.parametrize("status", [201, 400, 401, 500, 503])
async def test_tokens_count_only_if_all_went_well(journey: Journey, status: int) -> None:
    journey.provider.refuse(status, {"id_token": "a.b.c", "access_token": "a"}, path="/token")

    assert (await journey.refuse()).kind == f"token endpoint: status {status}"


async def test_an_unknown_error_is_shown_in_part(journey: Journey) -> None:
    journey.provider.refuse(400, {"error": "AADSTS\x07 " + "x" * 1_000}, path="/token")

    refused = await journey.refuse()

    assert "AADSTS xxx" in refused.reason
    assert len(refused.reason) < 200


# --- Secrets


@pytest.mark.parametrize(
    "fail",
    [
        lambda provider: provider.refuse(400, {"error": "invalid_grant"}, path="/token"),
        lambda provider: provider.answer_malformed(path="/token"),
        lambda provider: provider.drop_connections(path="/token"),
        lambda provider: provider.refuse(200, "x" * 300_000, path="/token"),
        lambda provider: provider.id_token.update(aud="another"),
        lambda provider: provider.userinfo.update(sub="boss"),
        lambda provider: provider.drop_connections(path="/me"),
        lambda provider: provider.tokens.update(access_token="sent in vain\r\n"),
    ],
)
async def test_no_secret_is_in_an_error_or_a_log(
    journey: Journey, caplog: pytest.LogCaptureFixture, fail: Callable[[FakeOpenId], None]
) -> None:
    caplog.set_level(logging.DEBUG)
    returned = await journey.go()
    fail(journey.provider)

    with (
        structlog.testing.capture_logs() as lines,
        pytest.raises((IssuerRefused, ProviderRefused)) as refused,
    ):
        await journey.sign_in.come_back(journey.client, returned)

    error = refused.value
    shown = [str(error), repr(error), error.kind, *traceback.format_exception(error), str(lines), caplog.text]
    for secret in (journey.client.client_secret, returned.code, returned.code_verifier, "sent in vain"):
        assert secret not in "\n".join(shown)


async def test_no_secret_is_shown_by_what_holds_it(journey: Journey) -> None:
    returned = await journey.go()

    shown = repr((journey.client, journey.departure, returned))

    for secret in (journey.client.client_secret, returned.code, returned.code_verifier):
        assert secret not in shown
