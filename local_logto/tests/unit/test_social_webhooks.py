"""Webhook events of a sign-in through a social provider."""

from __future__ import annotations

import pytest

from unit.social_app import CONNECTOR, NO_REQUIREMENT, OFFERED, SocialApp
from unit.webhook_listener import Listener

EVENTS = ["PostRegister", "PostSignIn", "User.Created", "User.Data.Updated"]


@pytest.fixture
async def app(app: SocialApp, listener: Listener) -> SocialApp:
    await listener.register(app.logto.store, *EVENTS)
    await app.logto.configure(**OFFERED, **NO_REQUIREMENT)
    return app


async def test_event_of_a_new_account_includes_its_identity(app: SocialApp, listener: Listener) -> None:
    assert (await app.round_trip()).status_code == 303
    bodies = await listener.receive_all("User.Created", "PostRegister")
    created = bodies["User.Created"]["data"]
    assert created["primaryEmail"] == "sujin@naver.example"
    assert created["identities"]["naver"]["userId"] == "naver-sujin"
    assert bodies["PostRegister"]["userId"] == created["id"]


async def test_linking_an_identity_sends_a_change_of_the_account(app: SocialApp, listener: Listener) -> None:
    user_id = await app.logto.add_user("sujin", primary_email="sujin@naver.example")
    await app.round_trip()
    assert listener.deliveries.empty()
    await app.logto.post(f"/social/link/{CONNECTOR}", {})
    bodies = await listener.receive_all("PostSignIn", "User.Data.Updated")
    assert bodies["User.Data.Updated"]["data"]["id"] == user_id
    assert bodies["User.Data.Updated"]["data"]["identities"]["naver"]["userId"] == "naver-sujin"


async def test_second_sign_in_sends_no_change_of_the_account(app: SocialApp, listener: Listener) -> None:
    await app.logto.add_user("sujin", identities={"naver": {"userId": "naver-sujin"}})
    await app.round_trip()
    await listener.receive_all("PostSignIn")
    assert listener.deliveries.empty()
