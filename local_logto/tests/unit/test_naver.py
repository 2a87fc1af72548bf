"""Requests to Naver, byte for byte, and what each reply leads to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import web

from local_logto.connectors.naver import authorization_uri, read_social_user
from local_logto.connectors.registry import Connector
from local_logto.errors import RequestError
from local_logto.fakes.naver import CLIENT_ID, CLIENT_SECRET, FakeNaver, NaverAccount, fake_naver
from local_logto.fakes.server import serving
from local_logto.settings import Settings

CALLBACK = "http://localhost:3001/callback/naver0000001"
CONNECTOR = Connector(
    id="naver0000001",
    connector_id="naver-universal",
    type="Social",
    target="naver",
    config={"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET},
    metadata={},
    sync_profile=False,
    enable_token_storage=False,
)
SUJIN = NaverAccount("naver-sujin", "sujin@naver.example", "수진", "https://images.example/sujin.png")
TOKEN, PROFILE = "/oauth2.0/token", "/v1/nid/me"


@pytest.fixture
async def naver() -> AsyncIterator[FakeNaver]:
    async with fake_naver(callbacks=frozenset({CALLBACK}), auto_agree=True) as running:
        running.account = SUJIN
        yield running


@pytest.fixture
def settings(naver: FakeNaver, tmp_path: Path) -> Settings:
    places = {"naver_base_url": naver.base_url, "naver_api_base_url": naver.base_url}
    return Settings(data_dir=tmp_path, connector_timeout=1, **places)


def give_code(naver: FakeNaver, code: str = "a-code") -> dict[str, Any]:
    """Return the parameters of the callback after a person agreed."""
    naver._codes[code] = naver.account
    return {"code": code, "redirectUri": CALLBACK}


async def refused(settings: Settings, data: dict[str, Any], connector: Connector = CONNECTOR) -> RequestError:
    with pytest.raises(RequestError) as caught:
        await read_social_user(settings, connector, data)
    return caught.value


def test_authorization_uri_has_no_scope(settings: Settings) -> None:
    asked = {"client_id": CLIENT_ID, "redirect_uri": CALLBACK, "response_type": "code", "state": "s&t"}
    uri = authorization_uri(settings, CONNECTOR, state="s&t", redirect_uri=CALLBACK)
    assert uri == f"{settings.naver_base_url}/oauth2.0/authorize?{urlencode(asked)}"


async def test_identity_is_read_with_two_requests(naver: FakeNaver, settings: Settings) -> None:
    user = await read_social_user(settings, CONNECTOR, give_code(naver))
    token, profile = naver.received
    assert (token.method, token.target) == ("POST", TOKEN)
    assert token.header("content-type") == "application/x-www-form-urlencoded"
    assert token.body.decode() == (
        f"code=a-code&client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}"
        "&redirect_uri=http%3A%2F%2Flocalhost%3A3001%2Fcallback%2Fnaver0000001&grant_type=authorization_code"
    )
    assert (profile.method, profile.target, profile.body) == ("POST", PROFILE, b"")
    assert profile.header("authorization").startswith("Bearer ")
    assert user.to_json() == {
        "id": "naver-sujin",
        "avatar": "https://images.example/sujin.png",
        "email": "sujin@naver.example",
        "name": "수진",
        "rawData": {"resultcode": "00", "message": "success", "response": SUJIN.profile},
    }


async def test_code_that_was_encoded_twice_is_decoded(naver: FakeNaver, settings: Settings) -> None:
    data = give_code(naver, "a/code")
    assert (await read_social_user(settings, CONNECTOR, {**data, "code": "a%2Fcode"})).id == "naver-sujin"


async def test_values_that_naver_omits_are_none(naver: FakeNaver, settings: Settings) -> None:
    naver.account = NaverAccount("naver-quiet")
    user = await read_social_user(settings, CONNECTOR, give_code(naver))
    assert (user.email, user.name, user.avatar) == (None, None, None)
    assert set(user.to_json()) == {"id", "rawData"}


async def test_refused_consent_is_reported_without_a_request(naver: FakeNaver, settings: Settings) -> None:
    error = await refused(settings, {"error": "access_denied", "redirectUri": CALLBACK})
    assert (error.status, error.code) == (400, "connector.general")
    assert naver.received == []


async def test_error_with_status_200_is_an_invalid_response(naver: FakeNaver, settings: Settings) -> None:
    wrong = replace(CONNECTOR, config={"clientId": CLIENT_ID, "clientSecret": "wrong"})
    error = await refused(settings, give_code(naver), wrong)
    assert (error.status, error.code) == (400, "connector.invalid_response")
    assert [request.path for request in naver.received] == [TOKEN]


async def test_empty_token_is_refused(naver: FakeNaver, settings: Settings) -> None:
    naver.refuse(200, {"access_token": "", "token_type": "bearer"}, path=TOKEN)
    error = await refused(settings, give_code(naver))
    assert (error.status, error.code) == (401, "connector.social_auth_code_invalid")


async def test_token_that_the_profile_refuses_is_reported(naver: FakeNaver, settings: Settings) -> None:
    naver.refuse(401, {"resultcode": "024", "message": "Authentication failed"}, path=PROFILE)
    error = await refused(settings, give_code(naver))
    assert (error.status, error.code) == (401, "connector.social_invalid_access_token")


@pytest.mark.parametrize("path", [TOKEN, PROFILE])
async def test_malformed_reply_is_refused_and_not_shown(
    naver: FakeNaver, settings: Settings, path: str
) -> None:
    naver.answer_malformed(path=path)
    error = await refused(settings, give_code(naver))
    assert (error.status, error.code, error.data) == (400, "connector.invalid_response", None)


@pytest.mark.parametrize("path", [TOKEN, PROFILE])
async def test_failing_naver_is_reported(naver: FakeNaver, settings: Settings, path: str) -> None:
    naver.refuse(500, "oops", path=path)
    error = await refused(settings, give_code(naver))
    assert (error.status, error.code) == (400, "connector.general")
    assert error.data == {"statusCode": 500, "body": "oops"}


async def test_secret_is_not_sent_to_the_target_of_a_redirect(naver: FakeNaver, settings: Settings) -> None:
    naver.refuse(307, path=TOKEN)
    assert (await refused(settings, give_code(naver))).code == "connector.general"
    assert len(naver.received) == 1


async def test_dropped_connection_is_reported(naver: FakeNaver, settings: Settings) -> None:
    naver.drop_connections()
    assert (await refused(settings, give_code(naver))).code == "connector.general"


@pytest.mark.parametrize("path", [TOKEN, PROFILE])
async def test_slow_naver_is_given_up_after_the_timeout(
    naver: FakeNaver, settings: Settings, path: str
) -> None:
    naver.answer_slowly(path=path)
    async with asyncio.timeout(5):
        error = await refused(settings, give_code(naver))
    assert (error.code, error.data) == ("connector.general", {"name": "TimeoutError", "code": "ETIMEDOUT"})


class SlowNaver(FakeNaver):
    """A Naver that answers each of the two calls within the timeout, but not both together."""

    async def _token(self, request: web.Request) -> web.Response:
        await asyncio.sleep(0.6)
        return await super()._token(request)

    async def _profile(self, request: web.Request) -> web.Response:
        await asyncio.sleep(0.6)
        return await super()._profile(request)


async def test_both_requests_share_one_timeout(settings: Settings) -> None:
    async with serving(SlowNaver()) as naver:
        places = {"naver_base_url": naver.base_url, "naver_api_base_url": naver.base_url}
        error = await refused(settings.model_copy(update=places), give_code(naver))
        assert error.code == "connector.general"
        assert [request.path for request in naver.received] == [TOKEN, PROFILE]


async def test_connector_without_its_secret_sends_no_request(naver: FakeNaver, settings: Settings) -> None:
    error = await refused(settings, give_code(naver), replace(CONNECTOR, config={"clientId": CLIENT_ID}))
    assert (error.status, error.code) == (400, "connector.invalid_config")
    assert naver.received == []
