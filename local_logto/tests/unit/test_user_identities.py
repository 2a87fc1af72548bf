"""The identities of an account in the Management API: linked, read, replaced, unlinked."""

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


async def test_identity_is_set_read_replaced_and_removed(api: ManagementApp) -> None:
    path = f"/users/{await make_person(api, 'sujin')}/identities/naver"
    made = await api.call("PUT", path, IDENTITY)
    assert (made.status, made.body) == (201, {"naver": IDENTITY})
    assert (await api.get(path)).body == {"identity": IDENTITY}
    replaced = await api.call("PUT", path, {"userId": "naver-other"})
    assert (replaced.status, replaced.body) == (200, {"naver": {"userId": "naver-other"}})
    removed = await api.call("DELETE", path)
    assert (removed.status, removed.body["username"], removed.body["identities"]) == (200, "sujin", {})


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_missing_identity_is_named(api: ManagementApp, method: str) -> None:
    answer = await api.call(method, f"/users/{await make_person(api, 'sujin')}/identities/naver")
    assert answer.refusal == (404, "user.identity_not_exist")


@pytest.mark.parametrize(
    ("method", "target"), [("GET", "/naver"), ("PUT", "/naver"), ("DELETE", "/naver"), ("POST", "")]
)
async def test_unknown_person_has_no_identities(api: ManagementApp, method: str, target: str) -> None:
    body = {"PUT": IDENTITY, "POST": {"connectorId": "unknown", "connectorData": {}}}.get(method)
    answer = await api.call(method, f"/users/unknown/identities{target}", body)
    assert answer.refusal == (404, "entity.not_found")


async def test_identity_belongs_to_one_account(api: ManagementApp) -> None:
    first, second = await make_person(api, "sujin"), await make_person(api, "other")
    await api.call("PUT", f"/users/{first}/identities/naver", IDENTITY)
    again = await api.call("PUT", f"/users/{first}/identities/naver", IDENTITY)
    assert again.status == 200
    taken = await api.call("PUT", f"/users/{second}/identities/naver", IDENTITY)
    assert taken.refusal == (422, "user.identity_already_in_use")
    assert (await api.get(f"/users/{second}")).body["identities"] == {}


async def test_connector_is_asked_who_came_back(api: ManagementApp, naver: FakeNaver) -> None:
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


async def test_identities_are_for_bearers_of_a_token(api: ManagementApp) -> None:
    path = f"/users/{await make_person(api, 'sujin')}/identities/naver"
    assert (await api.call("PUT", path, IDENTITY, token="")).status == 401
