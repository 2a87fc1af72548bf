"""What webhooks are told of a sign-in through a social provider."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from local_logto.fakes.naver import NaverAccount
from local_logto.store import new_id, now_ms
from local_logto.webhooks import hooks
from unit.social_app import CONNECTOR, OFFERED, SocialApp, social_app
from unit.webhook_listener import Listener, listening

EVENTS = ["PostRegister", "PostSignIn", "User.Created", "User.Data.Updated"]


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    async with listening() as listener:
        yield listener


@pytest.fixture
async def app(tmp_path: Path, listener: Listener) -> AsyncIterator[SocialApp]:
    async with social_app(tmp_path) as running:
        running.naver.account = NaverAccount("naver-sujin", "sujin@naver.example", "Sujin")
        hook = {"id": new_id(), "name": "all", "events": EVENTS, "config": {"url": listener.url}}
        hook |= {"signing_key": "key", "enabled": True, "created_at": now_ms()}
        async with running.logto.store.begin() as connection:
            await connection.execute(hooks.insert().values(**hook))
        sign_up = {"identifiers": [], "password": False, "verify": False}
        await running.logto.configure(**OFFERED, signUp=sign_up)
        yield running


async def told(listener: Listener, *events: str) -> dict[str, dict[str, Any]]:
    """The next deliveries by event; they must be of exactly these, in any order."""
    bodies = [await listener.next() for _ in events]
    assert sorted(body["event"] for body in bodies) == sorted(events)
    return {body["event"]: body for body in bodies}


async def test_new_account_is_told_with_its_identity(app: SocialApp, listener: Listener) -> None:
    assert (await app.round_trip()).status_code == 303
    bodies = await told(listener, "User.Created", "PostRegister")
    created = bodies["User.Created"]["data"]
    assert created["primaryEmail"] == "sujin@naver.example"
    assert created["identities"]["naver"]["userId"] == "naver-sujin"
    assert bodies["PostRegister"]["userId"] == created["id"]


async def test_linked_identity_is_told_as_a_change(app: SocialApp, listener: Listener) -> None:
    user_id = await app.logto.add_user("sujin", primary_email="sujin@naver.example")
    await app.round_trip()
    assert listener.deliveries.empty()
    await app.logto.post(f"/social/link/{CONNECTOR}", {})
    bodies = await told(listener, "PostSignIn", "User.Data.Updated")
    assert bodies["User.Data.Updated"]["data"]["id"] == user_id
    assert bodies["User.Data.Updated"]["data"]["identities"]["naver"]["userId"] == "naver-sujin"


async def test_second_sign_in_changes_nothing(app: SocialApp, listener: Listener) -> None:
    await app.logto.add_user("sujin", identities={"naver": {"userId": "naver-sujin"}})
    await app.round_trip()
    await told(listener, "PostSignIn")
    assert listener.deliveries.empty()
