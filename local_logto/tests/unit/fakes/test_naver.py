"""The fake Naver, compared with Naver's documentation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from local_logto.fakes.naver import CLIENT_ID, CLIENT_SECRET, FakeNaver, NaverAccount, fake_naver

CALLBACK = "http://localhost:3001/callback/naver0000001"
ASKED = {"client_id": CLIENT_ID, "redirect_uri": CALLBACK, "response_type": "code", "state": "st a&te"}
SUJIN = NaverAccount("naver-sujin", "sujin@naver.example", "Sujin", "https://images.example/sujin.png")


@pytest.fixture
async def naver() -> AsyncIterator[FakeNaver]:
    async with fake_naver(callbacks=frozenset({CALLBACK})) as running:
        running.account = SUJIN
        yield running


@pytest.fixture
async def client(naver: FakeNaver) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(naver.base_url) as opened:
        yield opened


async def decide(client: aiohttp.ClientSession, decision: str) -> dict[str, str]:
    """Decide on the consent page. Returns the parameters of the callback."""
    form = {**ASKED, "decision": decision}
    async with client.post("/oauth2.0/authorize", data=form, allow_redirects=False) as answer:
        return comes_back(answer)


def comes_back(answer: aiohttp.ClientResponse) -> dict[str, str]:
    assert answer.status == 302
    target = urlsplit(answer.headers["location"])
    assert target._replace(query="").geturl() == CALLBACK
    return dict(parse_qsl(target.query))


async def exchange(client: aiohttp.ClientSession, code: str, **change: str) -> tuple[int, dict[str, Any]]:
    form = {
        "code": code, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
        "redirect_uri": CALLBACK, "grant_type": "authorization_code", **change,
    }  # fmt: skip
    async with client.post("/oauth2.0/token", data=form) as answer:
        return answer.status, await answer.json()


async def profile(client: aiohttp.ClientSession, **headers: str) -> tuple[int, dict[str, Any]]:
    async with client.post("/v1/nid/me", headers=headers) as answer:
        return answer.status, await answer.json()


async def test_page_asks_for_consent_once(client: aiohttp.ClientSession) -> None:
    async with client.get("/oauth2.0/authorize", params=ASKED) as page:
        text = await page.text()
    assert page.status == 200
    assert 'value="st a&amp;te"' in text
    assert ">Agree</button>" in text

    agreed = await decide(client, "agree")
    assert agreed["state"] == "st a&te"

    async with client.get("/oauth2.0/authorize", params=ASKED, allow_redirects=False) as second:
        assert set(comes_back(second)) == {"code", "state"}


async def test_canceling_returns_an_error(client: aiohttp.ClientSession) -> None:
    assert await decide(client, "cancel") == {
        "error": "access_denied", "error_description": "Canceled By User", "state": "st a&te",
    }  # fmt: skip


@pytest.mark.parametrize("change", [{"client_id": "other"}, {"redirect_uri": CALLBACK + "x"}])
async def test_unknown_application_or_callback_is_not_redirected(
    client: aiohttp.ClientSession, change: dict[str, str]
) -> None:
    asked = {**ASKED, **change}
    async with client.get("/oauth2.0/authorize", params=asked, allow_redirects=False) as page:
        assert (page.status, "location" in page.headers) == (400, False)


async def test_code_is_exchanged_for_a_token_that_reads_the_profile(client: aiohttp.ClientSession) -> None:
    code = (await decide(client, "agree"))["code"]
    status, token = await exchange(client, code)

    assert status == 200
    assert (token["token_type"], token["expires_in"]) == ("bearer", "3600")
    assert await profile(client, Authorization=f"Bearer {token['access_token']}") == (
        200,
        {
            "resultcode": "00",
            "message": "success",
            "response": {
                "id": "naver-sujin",
                "nickname": "Sujin",
                "profile_image": "https://images.example/sujin.png",
                "email": "sujin@naver.example",
            },
        },
    )


async def test_profile_omits_what_was_not_consented_to(
    naver: FakeNaver, client: aiohttp.ClientSession
) -> None:
    naver.account = NaverAccount("naver-shy")
    _, token = await exchange(client, (await decide(client, "agree"))["code"])

    _, answer = await profile(client, Authorization=f"Bearer {token['access_token']}")
    assert answer["response"] == {"id": "naver-shy"}


async def test_code_is_valid_once(client: aiohttp.ClientSession) -> None:
    code = (await decide(client, "agree"))["code"]
    await exchange(client, code)

    refusal = {"error": "invalid_request", "error_description": "no valid data in session"}
    assert await exchange(client, code) == (200, refusal)


async def test_wrong_secret_is_an_error_with_status_200(client: aiohttp.ClientSession) -> None:
    code = (await decide(client, "agree"))["code"]

    refusal = {"error": "invalid_request", "error_description": "wrong client id / client secret pair"}
    assert await exchange(client, code, client_secret="wrong") == (200, refusal)


async def test_codes_and_tokens_expire(naver: FakeNaver, client: aiohttp.ClientSession) -> None:
    code = (await decide(client, "agree"))["code"]
    _, token = await exchange(client, (await decide(client, "agree"))["code"])
    naver.expire()

    assert (await exchange(client, code))[1]["error_description"] == "no valid data in session"
    refusal = (401, {"resultcode": "024", "message": "Authentication failed"})
    assert await profile(client, Authorization=f"Bearer {token['access_token']}") == refusal


async def test_profile_requires_a_header(client: aiohttp.ClientSession) -> None:
    refusal = {"resultcode": "028", "message": "Authentication header not exists"}
    assert await profile(client) == (401, refusal)
