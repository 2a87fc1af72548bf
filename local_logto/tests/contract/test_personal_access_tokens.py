"""Personal access tokens: how they are created, listed, renamed, deleted and exchanged."""

from __future__ import annotations

import asyncio
import time

import pytest

from contract.client import decode
from contract.conftest import Server
from contract.exchanges import (
    ACCESS_TOKEN,
    ALLOWED,
    IMPERSONATION,
    PERSONAL_ACCESS_TOKEN,
    TARGETS,
    Customer,
    Exchanger,
    form_for,
    recorded_scopes,
)
from contract.fixtures import LikeRecording
from contract.management import ManagementApi, Workshop, quoted
from contract.oidc import Oidc
from contract.people import Person
from contract.personal_tokens import PersonalTokens, tokens_of
from contract.world import World


def in_an_hour() -> int:
    return int(time.time() * 1000) + 3_600_000


@pytest.fixture
def tokens(api: ManagementApi, customer: Customer) -> PersonalTokens:
    return tokens_of(api, customer.person.id)


@pytest.fixture
async def laptop(tokens: PersonalTokens) -> str:
    """The value of a token that does not expire."""
    return await tokens.value("laptop")


# --- created and listed


async def test_token_is_created_as_recorded(tokens: PersonalTokens, like_recording: LikeRecording) -> None:
    reply = await tokens.create("laptop")
    like_recording("330-create", reply)
    assert reply.body["value"].startswith("pat_")
    assert len(reply.body["value"]) == 36


async def test_token_that_expires_is_created_as_recorded(
    tokens: PersonalTokens, like_recording: LikeRecording
) -> None:
    expires_at = in_an_hour()
    reply = await tokens.create("short", expiresAt=expires_at)
    like_recording("330-create-short", reply)
    assert reply.body["expiresAt"] == expires_at


async def test_token_without_a_name_is_refused_as_recorded(
    api: ManagementApi, tokens: PersonalTokens, like_recording: LikeRecording
) -> None:
    like_recording("330-create-no-name", await api.post(tokens.path, {}))


async def test_token_with_an_empty_name_is_refused(tokens: PersonalTokens) -> None:
    assert (await tokens.create("")).refusal == (400, "guard.invalid_input")


async def test_token_that_has_expired_is_refused_as_recorded(
    tokens: PersonalTokens, like_recording: LikeRecording
) -> None:
    like_recording("330-create-past", await tokens.create("past", expiresAt=1000))


@pytest.mark.usefixtures("laptop")
async def test_name_is_used_once_as_recorded(tokens: PersonalTokens, like_recording: LikeRecording) -> None:
    like_recording("330-create-same-name", await tokens.create("laptop"))


@pytest.mark.usefixtures("laptop")
async def test_name_can_be_used_by_another_person(api: ManagementApi, otto: Person) -> None:
    (await tokens_of(api, otto.id).create("laptop")).expect(201)


async def test_token_of_an_unknown_person_is_refused_as_recorded(
    api: ManagementApi, like_recording: LikeRecording
) -> None:
    unknown = tokens_of(api, "nosuchuser00")
    like_recording("330-create-unknown-user", await unknown.create("x"))
    like_recording("330-list-unknown-user", await unknown.list())


async def test_list_shows_the_values_every_time(
    tokens: PersonalTokens, laptop: str, like_recording: LikeRecording
) -> None:
    short = await tokens.value("short", expiresAt=in_an_hour())
    for _ in range(2):
        listed = await tokens.list()
        like_recording("330-list", listed)
        assert {entry["name"]: entry["value"] for entry in listed.body} == {"laptop": laptop, "short": short}


# --- renamed and deleted


async def test_token_is_renamed_as_recorded(
    tokens: PersonalTokens, laptop: str, like_recording: LikeRecording
) -> None:
    reply = await tokens.rename("laptop", "laptop 2")
    like_recording("330-rename", reply)
    assert (reply.body["name"], reply.body["value"]) == ("laptop 2", laptop)


async def test_unknown_token_is_not_renamed_as_recorded(
    tokens: PersonalTokens, like_recording: LikeRecording
) -> None:
    like_recording("330-rename-unknown", await tokens.rename("nosuch", "y"))


@pytest.mark.usefixtures("laptop")
async def test_token_is_not_renamed_to_a_used_name(
    tokens: PersonalTokens, like_recording: LikeRecording
) -> None:
    await tokens.value("phone")
    like_recording("330-create-same-name", await tokens.rename("phone", "laptop"))
    like_recording("330-rename-unknown", await tokens.rename("nosuch", "laptop"))


async def test_token_keeps_its_name_without_a_current_one(
    api: ManagementApi, tokens: PersonalTokens, laptop: str
) -> None:
    reply = await api.patch(tokens.path, {"name": "laptop"})
    assert reply.expect(200).body["value"] == laptop


@pytest.mark.usefixtures("laptop")
async def test_token_is_deleted_once_as_recorded(
    tokens: PersonalTokens, like_recording: LikeRecording
) -> None:
    like_recording("334-delete", await tokens.delete("laptop"))
    like_recording("334-delete-twice", await tokens.delete("laptop"))


async def test_name_in_the_path_works_as_recorded(
    api: ManagementApi, tokens: PersonalTokens, like_recording: LikeRecording
) -> None:
    await tokens.value("my laptop")
    renamed = await api.patch(f"{tokens.path}/{quoted('my laptop')}", {"name": "short"})
    like_recording("330-rename", renamed)
    like_recording("334-delete-by-name", await api.delete(f"{tokens.path}/short"))


async def test_token_is_renamed_and_deleted_for_its_owner_only(
    api: ManagementApi, tokens: PersonalTokens, laptop: str, otto: Person
) -> None:
    theirs = tokens_of(api, otto.id)
    assert (await theirs.rename("laptop", "mine")).status == 404
    assert (await theirs.delete("laptop")).status == 404
    assert [entry["value"] for entry in (await tokens.list()).body] == [laptop]


# --- exchanged


async def test_token_is_exchanged_as_often_as_wanted(
    exchanger: Exchanger, oidc: Oidc, laptop: str, like_recording: LikeRecording
) -> None:
    reply = await exchanger.exchange(laptop, PERSONAL_ACCESS_TOKEN, scope="openid profile email")
    like_recording("331-exchange-openid", reply)
    like_recording("331-introspect", await oidc.introspect(exchanger.app, reply.body["access_token"]))
    like_recording("331-userinfo", await oidc.userinfo(reply.body["access_token"]))
    again = await exchanger.exchange(laptop, PERSONAL_ACCESS_TOKEN, scope="openid")
    like_recording("331-exchange-twice", again)


@pytest.mark.parametrize("target", TARGETS)
async def test_token_for_a_target_is_as_recorded(
    exchanger: Exchanger,
    customer: Customer,
    laptop: str,
    world: World,
    like_recording: LikeRecording,
    target: str,
) -> None:
    form = form_for(target, customer, world)
    reply = await exchanger.exchange(laptop, PERSONAL_ACCESS_TOKEN, **form)
    like_recording(f"332-exchange-{target}", reply, recorded_scopes(world, "fef215"))
    assert decode(reply.body["access_token"]).claims["sub"] == customer.person.id


async def test_machine_exchanges_a_token_as_recorded(
    api: ManagementApi,
    oidc: Oidc,
    workshop: Workshop,
    customer: Customer,
    laptop: str,
    world: World,
    like_recording: LikeRecording,
) -> None:
    robot = Exchanger(api, oidc, await workshop.application("MachineToMachine", **ALLOWED))
    form = form_for("organization-resource", customer, world)
    reply = await robot.exchange(laptop, PERSONAL_ACCESS_TOKEN, **form)
    like_recording("332-exchange-by-machine", reply, recorded_scopes(world, "fef215"))


@pytest.mark.parametrize(
    ("recording", "kind"),
    [
        ("333-exchange-as-access-token-type", ACCESS_TOKEN),
        ("333-exchange-as-impersonation-type", IMPERSONATION),
    ],
)
async def test_token_of_another_type_is_refused_as_recorded(
    exchanger: Exchanger, laptop: str, like_recording: LikeRecording, recording: str, kind: str
) -> None:
    like_recording(recording, await exchanger.exchange(laptop, kind, scope="openid"))


async def test_unknown_token_is_refused_as_recorded(
    exchanger: Exchanger, like_recording: LikeRecording
) -> None:
    reply = await exchanger.exchange("pat_nosuch", PERSONAL_ACCESS_TOKEN, scope="openid")
    like_recording("333-exchange-unknown", reply)


async def test_application_without_the_setting_is_refused_as_recorded(
    api: ManagementApi, oidc: Oidc, workshop: Workshop, laptop: str, like_recording: LikeRecording
) -> None:
    app = Exchanger(api, oidc, await workshop.application())
    reply = await app.exchange(laptop, PERSONAL_ACCESS_TOKEN, scope="openid")
    like_recording("333-exchange-not-allowed", reply)


async def test_exchange_without_an_application_is_refused_as_recorded(
    oidc: Oidc, laptop: str, like_recording: LikeRecording
) -> None:
    form = {"subject_token": laptop, "subject_token_type": PERSONAL_ACCESS_TOKEN, "scope": "openid"}
    grant = "urn:ietf:params:oauth:grant-type:token-exchange"
    like_recording("333-exchange-no-client", await oidc.token(None, grant_type=grant, **form))


@pytest.mark.slow_clock
async def test_expired_token_is_listed_and_refused_as_recorded(
    exchanger: Exchanger, tokens: PersonalTokens, laptop: str, server: Server, like_recording: LikeRecording
) -> None:
    """One test for two replies, because it waits for the expiry."""
    lifetime = 2 * server.patience
    short = await tokens.value("short", expiresAt=int((time.time() + lifetime) * 1000))
    await asyncio.sleep(lifetime + server.patience)
    reply = await exchanger.exchange(short, PERSONAL_ACCESS_TOKEN, scope="openid")
    like_recording("333-exchange-expired", reply)
    listed = await tokens.list()
    like_recording("334-list-with-expired", listed)
    assert [entry["value"] for entry in listed.body] == [laptop, short]


async def test_deleted_token_is_refused_and_what_it_was_exchanged_for_stays_valid(
    exchanger: Exchanger, oidc: Oidc, tokens: PersonalTokens, laptop: str, like_recording: LikeRecording
) -> None:
    reply = await exchanger.exchange(laptop, PERSONAL_ACCESS_TOKEN, scope="openid profile email")
    (await tokens.delete("laptop")).expect(204)
    like_recording("334-userinfo-after-delete", await oidc.userinfo(reply.body["access_token"]))
    refused = await exchanger.exchange(laptop, PERSONAL_ACCESS_TOKEN, scope="openid")
    like_recording("334-exchange-deleted", refused)


async def test_suspended_person_loses_what_was_exchanged_and_can_exchange_again(
    api: ManagementApi,
    exchanger: Exchanger,
    oidc: Oidc,
    customer: Customer,
    laptop: str,
    like_recording: LikeRecording,
) -> None:
    reply = await exchanger.exchange(laptop, PERSONAL_ACCESS_TOKEN, scope="openid")
    path = f"/users/{customer.person.id}/is-suspended"
    (await api.patch(path, {"isSuspended": True})).expect(200)
    like_recording("334-userinfo-suspended", await oidc.userinfo(reply.body["access_token"]))
    again = await exchanger.exchange(laptop, PERSONAL_ACCESS_TOKEN, scope="openid")
    like_recording("334-exchange-suspended", again)
    (await api.patch(path, {"isSuspended": False})).expect(200)
    again = await exchanger.exchange(laptop, PERSONAL_ACCESS_TOKEN, scope="openid")
    like_recording("334-exchange-unsuspended", again)
