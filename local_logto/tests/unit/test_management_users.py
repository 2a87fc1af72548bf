"""Finding people, and what suspending or changing them does beyond their row."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from local_logto.oidc.session.op_sessions import OpSession
from local_logto.oidc.tables import grants, op_sessions, tokens
from local_logto.store import now_ms
from unit.management_app import ManagementApp, management_app


@pytest.fixture(scope="module")
async def crowd(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ManagementApp]:
    """A provider with three people, for tests that only look."""
    async with management_app(tmp_path_factory.mktemp("crowd")) as running:
        await three_people(running)
        yield running


async def three_people(api: ManagementApp) -> dict[str, str]:
    """Ada, Ben and Cem; their ids by username."""
    people = (
        {"username": "Ada", "primaryEmail": "ada@first.test", "name": "Ada L"},
        {"username": "ben_", "primaryEmail": "Ben@Second.test", "name": "Ben"},
        {"username": "cem", "primaryPhone": "15550100003", "name": "Cem"},
    )
    return {person["username"]: (await api.made("/users", **person))["id"] for person in people}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"search": "%first%"}, {"Ada"}),
        ({"search": "%da l%"}, {"Ada"}),
        ({"search": "%@second%"}, {"ben_"}),
        ({"search": "%@second%", "isCaseSensitive": "true"}, set()),
        ({"search.username": "%A%", "isCaseSensitive": "true"}, {"Ada"}),
        ({"search.username": "ada", "mode.username": "exact"}, {"Ada"}),
        ({"search.username": "ada", "mode.username": "exact", "isCaseSensitive": "true"}, set()),
        ({"search.primaryEmail": "ben@second.test", "mode.primaryEmail": "exact"}, {"ben_"}),
        ({"search.primary_phone": "1555%"}, {"cem"}),
        (
            {"search.name": "(Ben|Cem)", "mode.name": "similar_to", "isCaseSensitive": "true"},
            {"ben_", "cem"},
        ),
        ({"search.name": "^C.m$", "mode.name": "posix"}, {"cem"}),
        ({"search.name": "Ben", "search.username": "cem", "mode": "exact"}, {"ben_", "cem"}),
        ({"search.name": "Ben", "search.username": "cem", "mode": "exact", "joint": "and"}, set()),
    ],
)
async def test_people_are_found(crowd: ManagementApp, query: dict[str, str], found: set[str]) -> None:
    answer = await crowd.get("/users", **query)
    assert {user["username"] for user in answer.body} == found
    assert answer.headers["Total-Number"] == str(len(found))


@pytest.mark.parametrize(
    "query",
    [
        {"search.shoe": "x"},
        {"search.name": "x", "mode.name": "guess"},
        {"search.name": "x", "joint": "xor"},
        {"search.name": "(", "mode.name": "posix"},
    ],
)
async def test_a_search_nobody_understands_is_refused(crowd: ManagementApp, query: dict[str, str]) -> None:
    answer = await crowd.get("/users", **query)
    assert answer.refusal == (400, "request.invalid_input")


async def test_members_of_an_organization_can_be_left_out(api: ManagementApp) -> None:
    people = await three_people(api)
    organization = (await api.made("/organizations", name="Acme"))["id"]
    await api.made(f"/organizations/{organization}/users", userIds=[people["Ada"]])
    answer = await api.get("/users", excludeOrganizationId=organization)
    assert {user["username"] for user in answer.body} == {"ben_", "cem"}


async def test_null_and_an_empty_text_clear(api: ManagementApp) -> None:
    user = await api.made("/users", username="ada", primaryEmail="ada@first.test", name="Ada")
    changed = await api.call("PATCH", f"/users/{user['id']}", {"primaryEmail": "", "name": None})
    assert (changed.body["primaryEmail"], changed.body["name"]) == (None, None)
    assert changed.body["username"] == "ada"


async def test_an_address_is_taken_in_any_case_but_not_by_oneself(api: ManagementApp) -> None:
    people = await three_people(api)
    answer = await api.call("PATCH", f"/users/{people['Ada']}", {"primaryEmail": "BEN@second.test"})
    assert answer.refusal == (422, "user.email_already_in_use")
    same = await api.call("PATCH", f"/users/{people['Ada']}", {"primaryEmail": "ADA@first.test"})
    assert same.status == 200


async def test_custom_data_is_merged_on_its_own_route_and_replaced_on_the_account(
    api: ManagementApp,
) -> None:
    path = f"/users/{(await api.made('/users', customData={'a': 1, 'b': {'c': 1}}))['id']}"
    merged = await api.call("PATCH", f"{path}/custom-data", {"customData": {"b": 2}})
    assert merged.body == {"a": 1, "b": 2}
    replaced = await api.call("PATCH", path, {"customData": {"z": 0}})
    assert replaced.body["customData"] == {"z": 0}


async def test_a_password_is_verified_and_replaced(api: ManagementApp) -> None:
    path = f"/users/{(await api.made('/users', username='ada', password='First-1-word'))['id']}"
    assert (await api.call("POST", f"{path}/password/verify", {"password": "First-1-word"})).status == 204
    await api.call("PATCH", f"{path}/password", {"password": "Second-2-word"})
    old = await api.call("POST", f"{path}/password/verify", {"password": "First-1-word"})
    assert old.refusal == (422, "session.invalid_credentials")
    assert (await api.get(f"{path}/has-password")).body == {"hasPassword": True}


async def test_suspending_ends_sessions_grants_and_tokens_of_this_person_only(api: ManagementApp) -> None:
    people = await three_people(api)
    for user_id in people.values():
        await _sign_in(api, user_id)
    answer = await api.call("PATCH", f"/users/{people['Ada']}/is-suspended", {"isSuspended": True})
    assert answer.body["isSuspended"] is True
    others = {people["ben_"], people["cem"]}
    async with api.store.begin() as connection:
        for column in (op_sessions.c.user_id, grants.c.user_id):
            assert set((await connection.execute(sa.select(column))).scalars()) == others
        left = (await connection.execute(sa.select(tokens.c.grant_id))).scalars()
        assert set(left) == {f"grant-{user_id}" for user_id in others}


async def test_factors_are_listed_without_their_secrets(api: ManagementApp) -> None:
    path = f"/users/{(await api.made('/users', username='ada'))['id']}/mfa-verifications"
    enrolled = await api.made(path, type="Totp")
    assert len(enrolled["secret"]) == 32
    codes = (await api.made(path, type="BackupCode"))["codes"]
    listed = (await api.get(path)).body
    assert [(entry["type"], entry.get("remainCodes")) for entry in listed] == [
        ("Totp", None),
        ("BackupCode", len(codes)),
    ]
    assert not any("secret" in entry or "codes" in entry for entry in listed)
    assert (await api.call("POST", path, {"type": "Totp"})).code == "user.totp_already_in_use"
    assert (await api.call("DELETE", f"{path}/{listed[0]['id']}")).status == 204
    assert (await api.call("DELETE", f"{path}/{listed[0]['id']}")).status == 404


async def _sign_in(api: ManagementApp, user_id: str) -> None:
    """A session, a grant and a refresh token, as a sign-in leaves them."""
    session = OpSession(user_id=user_id)
    times = {"created_at": now_ms(), "expires_at": now_ms() + 60_000}
    async with api.store.begin() as connection:
        await connection.execute(
            op_sessions.insert().values(
                id_hash=session.cookie_value,
                uid=session.uid,
                user_id=user_id,
                expires_at=times["expires_at"],
            )
        )
        await connection.execute(
            grants.insert().values(id=f"grant-{user_id}", user_id=user_id, client_id="m-default", **times)
        )
        await connection.execute(
            tokens.insert().values(
                value_hash=f"token-{user_id}",
                kind="RefreshToken",
                grant_id=f"grant-{user_id}",
                client_id="m-default",
                payload={},
                **times,
            )
        )
