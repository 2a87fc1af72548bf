"""Users in the Management API: searching, changing, suspending, and second factors."""

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
    """A provider with three people, for tests that only read."""
    async with management_app(tmp_path_factory.mktemp("crowd")) as running:
        await three_people(running)
        yield running


async def three_people(api: ManagementApp) -> dict[str, str]:
    """Create Ada, Ben and Cem. Returns their ids by username."""
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
async def test_malformed_search_is_refused(crowd: ManagementApp, query: dict[str, str]) -> None:
    answer = await crowd.get("/users", **query)
    assert answer.refusal == (400, "request.invalid_input")


async def test_members_of_an_organization_can_be_excluded(api: ManagementApp) -> None:
    people = await three_people(api)
    organization = (await api.made("/organizations", name="Acme"))["id"]
    await api.made(f"/organizations/{organization}/users", userIds=[people["Ada"]])
    answer = await api.get("/users", excludeOrganizationId=organization)
    assert {user["username"] for user in answer.body} == {"ben_", "cem"}


async def test_null_and_an_empty_text_clear_a_value(api: ManagementApp) -> None:
    user = await api.made("/users", username="ada", primaryEmail="ada@first.test", name="Ada")
    changed = await api.call("PATCH", f"/users/{user['id']}", {"primaryEmail": "", "name": None})
    assert (changed.body["primaryEmail"], changed.body["name"]) == (None, None)
    assert changed.body["username"] == "ada"


async def test_address_of_another_user_is_refused_in_any_case(api: ManagementApp) -> None:
    people = await three_people(api)
    answer = await api.call("PATCH", f"/users/{people['Ada']}", {"primaryEmail": "BEN@second.test"})
    assert answer.refusal == (422, "user.email_already_in_use")


async def test_case_of_ones_own_address_can_change(api: ManagementApp) -> None:
    people = await three_people(api)
    same = await api.call("PATCH", f"/users/{people['Ada']}", {"primaryEmail": "ADA@first.test"})
    assert same.status == 200


@pytest.fixture
async def path(api: ManagementApp) -> str:
    """The path of a user with a password and custom data."""
    data = {"a": 1, "b": {"c": 1}}
    user = await api.made("/users", username="ada", password="First-1-word", customData=data)
    return f"/users/{user['id']}"


async def test_custom_data_is_merged_on_its_own_route(api: ManagementApp, path: str) -> None:
    merged = await api.call("PATCH", f"{path}/custom-data", {"customData": {"b": 2}})
    assert merged.body == {"a": 1, "b": 2}


async def test_custom_data_is_replaced_on_the_route_of_the_user(api: ManagementApp, path: str) -> None:
    replaced = await api.call("PATCH", path, {"customData": {"z": 0}})
    assert replaced.body["customData"] == {"z": 0}


async def test_right_password_is_verified(api: ManagementApp, path: str) -> None:
    assert (await api.call("POST", f"{path}/password/verify", {"password": "First-1-word"})).status == 204
    assert (await api.get(f"{path}/has-password")).body == {"hasPassword": True}


async def test_old_password_is_not_verified_after_a_change(api: ManagementApp, path: str) -> None:
    await api.call("PATCH", f"{path}/password", {"password": "Second-2-word"})
    old = await api.call("POST", f"{path}/password/verify", {"password": "First-1-word"})
    assert old.refusal == (422, "session.invalid_credentials")


async def test_suspension_ends_only_this_persons_sessions_grants_and_tokens(api: ManagementApp) -> None:
    people = await three_people(api)
    for user_id in people.values():
        _sign_in(api, user_id)
    answer = await api.call("PATCH", f"/users/{people['Ada']}/is-suspended", {"isSuspended": True})
    assert answer.body["isSuspended"] is True
    others = {people["ben_"], people["cem"]}
    with api.store.begin() as connection:
        for column in (op_sessions.c.user_id, grants.c.user_id):
            assert set(connection.execute(sa.select(column)).scalars()) == others
        left = connection.execute(sa.select(tokens.c.grant_id)).scalars()
        assert set(left) == {f"grant-{user_id}" for user_id in others}


@pytest.fixture
async def factors(api: ManagementApp, path: str) -> str:
    """The path of the second factors of a user with an authenticator app."""
    enrolled = await api.made(f"{path}/mfa-verifications", type="Totp")
    assert len(enrolled["secret"]) == 32
    return f"{path}/mfa-verifications"


async def test_factors_are_listed_without_their_secrets(api: ManagementApp, factors: str) -> None:
    codes = (await api.made(factors, type="BackupCode"))["codes"]
    listed = (await api.get(factors)).body
    assert [(entry["type"], entry.get("remainCodes")) for entry in listed] == [
        ("Totp", None),
        ("BackupCode", len(codes)),
    ]
    assert not any("secret" in entry or "codes" in entry for entry in listed)


async def test_second_authenticator_app_is_refused(api: ManagementApp, factors: str) -> None:
    assert (await api.call("POST", factors, {"type": "Totp"})).code == "user.totp_already_in_use"


async def test_factor_is_deleted_once(api: ManagementApp, factors: str) -> None:
    [factor] = (await api.get(factors)).body
    statuses = [(await api.call("DELETE", f"{factors}/{factor['id']}")).status for _ in range(2)]
    assert statuses == [204, 404]


def _sign_in(api: ManagementApp, user_id: str) -> None:
    """Store a session, a grant and a refresh token, as a sign-in does."""
    session = OpSession(user_id=user_id)
    times = {"created_at": now_ms(), "expires_at": now_ms() + 60_000}
    with api.store.begin() as connection:
        connection.execute(
            op_sessions.insert().values(
                id_hash=session.cookie_value,
                uid=session.uid,
                user_id=user_id,
                expires_at=times["expires_at"],
            )
        )
        connection.execute(
            grants.insert().values(id=f"grant-{user_id}", user_id=user_id, client_id="m-default", **times)
        )
        connection.execute(
            tokens.insert().values(
                value_hash=f"token-{user_id}",
                kind="RefreshToken",
                grant_id=f"grant-{user_id}",
                client_id="m-default",
                payload={},
                **times,
            )
        )
