"""Identities of a user in the Management API: how they are linked, read, replaced and removed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from local_logto.fakes.naver import CLIENT_ID, CLIENT_SECRET, FakeNaver, NaverAccount, fake_naver
from unit.management_app import ManagementApp, management_app

IDENTITY = {"userId": "naver-sujin", "details": {"id": "naver-sujin"}}


@pytest.fixture
async def naver() -> AsyncIterator[FakeNaver]:
    async with fake_naver() as running:
        running.account = NaverAccount("naver-sujin", "sujin@naver.example", "Sujin")
        yield running


@pytest.fixture
async def api(tmp_path: Path, naver: FakeNaver) -> AsyncIterator[ManagementApp]:
    places = {"naver_base_url": naver.base_url, "naver_api_base_url": naver.base_url}
    async with management_app(tmp_path, **places) as running:
        yield running


async def make_person(api: ManagementApp, username: str) -> str:
    return str((await api.made("/users", username=username))["id"])


@pytest.fixture
async def path(api: ManagementApp) -> str:
    """The path of the Naver identity of a user who has none."""
    return f"/users/{await make_person(api, 'sujin')}/identities/naver"


@pytest.fixture
async def linked(api: ManagementApp, path: str) -> str:
    """The path of the Naver identity of a user who has one."""
    assert (await api.call("PUT", path, IDENTITY)).status == 201
    return path


async def test_new_identity_is_returned(api: ManagementApp, path: str) -> None:
    made = await api.call("PUT", path, IDENTITY)
    assert (made.status, made.body) == (201, {"naver": IDENTITY})


async def test_identity_can_be_read(api: ManagementApp, linked: str) -> None:
    assert (await api.get(linked)).body == {"identity": IDENTITY}


async def test_identity_can_be_replaced(api: ManagementApp, linked: str) -> None:
    replaced = await api.call("PUT", linked, {"userId": "naver-other"})
    assert (replaced.status, replaced.body) == (200, {"naver": {"userId": "naver-other"}})


async def test_identity_can_be_removed(api: ManagementApp, linked: str) -> None:
    removed = await api.call("DELETE", linked)
    assert (removed.status, removed.body["username"], removed.body["identities"]) == (200, "sujin", {})


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_missing_identity_is_not_found(api: ManagementApp, path: str, method: str) -> None:
    answer = await api.call(method, path)
    assert answer.refusal == (404, "user.identity_not_exist")


@pytest.mark.parametrize(
    ("method", "target"), [("GET", "/naver"), ("PUT", "/naver"), ("DELETE", "/naver"), ("POST", "")]
)
async def test_identities_of_an_unknown_person_are_not_found(
    api: ManagementApp, method: str, target: str
) -> None:
    body = {"PUT": IDENTITY, "POST": {"connectorId": "unknown", "connectorData": {}}}.get(method)
    answer = await api.call(method, f"/users/unknown/identities{target}", body)
    assert answer.refusal == (404, "entity.not_found")


async def test_same_identity_can_be_set_again(api: ManagementApp, linked: str) -> None:
    assert (await api.call("PUT", linked, IDENTITY)).status == 200


@pytest.mark.usefixtures("linked")
async def test_identity_of_another_user_is_refused(api: ManagementApp) -> None:
    other = await make_person(api, "other")
    taken = await api.call("PUT", f"/users/{other}/identities/naver", IDENTITY)
    assert taken.refusal == (422, "user.identity_already_in_use")
    assert (await api.get(f"/users/{other}")).body["identities"] == {}


async def test_identity_is_linked_through_the_connector(api: ManagementApp, naver: FakeNaver) -> None:
    config = {"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET}
    connector = await api.made("/connectors", connectorId="naver-universal", config=config)
    user_id = await make_person(api, "sujin")
    naver._codes["a-code"] = naver.account
    data = {"code": "a-code", "redirectUri": "http://localhost/callback/x"}
    body = {"connectorId": connector["id"], "connectorData": data}
    linked = await api.call("POST", f"/users/{user_id}/identities", body)
    assert linked.status == 200
    assert linked.body["naver"]["userId"] == "naver-sujin"
    assert linked.body["naver"]["details"]["email"] == "sujin@naver.example"
    assert (await api.get(f"/users/{user_id}")).body["primaryEmail"] is None


async def test_identities_require_a_token(api: ManagementApp, path: str) -> None:
    assert (await api.call("PUT", path, IDENTITY, token="")).status == 401
