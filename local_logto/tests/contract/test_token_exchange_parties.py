"""Who is who in a token exchange: actors, the tokens that count as subjects, suspended people, and grants."""

from __future__ import annotations

from typing import Any

import pytest

from contract.client import decode
from contract.exchanges import ACCESS_TOKEN, TARGETS, Customer, Exchanger, form_for, recorded_scopes
from contract.fixtures import LikeRecording, SignIn
from contract.management import ManagementApi, Workshop
from contract.oidc import Oidc, Tokens
from contract.people import Person
from contract.world import World

Form = dict[str, str]


@pytest.fixture
def actor(alice: Tokens) -> Form:
    """The parameters that name Alice as the actor."""
    return {"actor_token": alice.access_token, "actor_token_type": ACCESS_TOKEN}


def claims_of(token: str) -> dict[str, Any]:
    return decode(token).claims


# --- actors


@pytest.mark.parametrize("target", TARGETS)
async def test_jwt_names_the_actor_as_recorded(
    exchanger: Exchanger,
    customer: Customer,
    actor: Form,
    world: World,
    like_recording: LikeRecording,
    target: str,
) -> None:
    form = form_for(target, customer, world)
    reply = await exchanger.act_as(customer.person, **form, **actor)
    like_recording(f"324-exchange-actor-{target}", reply, recorded_scopes(world, "6f6f9d"))
    claims = claims_of(reply.body["access_token"])
    assert (claims["sub"], claims["act"]) == (customer.person.id, {"sub": world.alice.id})


async def test_only_introspection_names_the_actor_of_an_opaque_token(
    exchanger: Exchanger,
    oidc: Oidc,
    customer: Customer,
    actor: Form,
    world: World,
    like_recording: LikeRecording,
) -> None:
    reply = await exchanger.act_as(customer.person, scope="openid profile", **actor)
    like_recording("324-exchange-actor", reply)
    token = reply.body["access_token"]
    like_recording("324-userinfo-actor", await oidc.userinfo(token))
    introspected = await oidc.introspect(exchanger.app, token)
    like_recording("324-introspect-actor", introspected)
    assert introspected.body["sub"] == customer.person.id
    assert introspected.body["act"] == {"sub": world.alice.id}


async def test_actor_token_that_is_none_is_refused_as_recorded(
    exchanger: Exchanger, otto: Person, like_recording: LikeRecording
) -> None:
    form = {"actor_token": "garbage", "actor_token_type": ACCESS_TOKEN}
    like_recording("324-exchange-actor-garbage", await exchanger.act_as(otto, scope="openid", **form))


async def test_actor_token_without_a_type_is_refused_as_recorded(
    exchanger: Exchanger, otto: Person, actor: Form, like_recording: LikeRecording
) -> None:
    form = {"actor_token": actor["actor_token"], "scope": "openid"}
    like_recording("324-exchange-actor-no-type", await exchanger.act_as(otto, **form))


async def test_jwt_is_refused_as_actor_token_as_recorded(
    exchanger: Exchanger, oidc: Oidc, otto: Person, alice: Tokens, world: World, like_recording: LikeRecording
) -> None:
    jwt = (await oidc.renew(alice, resource=world.resource)).expect(200).body["access_token"]
    form = {"actor_token": jwt, "actor_token_type": ACCESS_TOKEN, "scope": "openid"}
    like_recording("324-exchange-actor-jwt", await exchanger.act_as(otto, **form))


async def test_actor_token_without_openid_is_refused(
    exchanger: Exchanger, otto: Person, customer: Customer
) -> None:
    plain = (await exchanger.act_as(otto, scope="profile")).expect(200).body["access_token"]
    form = {"actor_token": plain, "actor_token_type": ACCESS_TOKEN, "scope": "openid"}
    assert (await exchanger.act_as(customer.person, **form)).expect(400).body["error"] == "invalid_grant"


async def test_refused_actor_does_not_use_up_the_subject_token(exchanger: Exchanger, otto: Person) -> None:
    token = await exchanger.subject_token(otto)
    form = {"actor_token": "garbage", "actor_token_type": ACCESS_TOKEN}
    (await exchanger.exchange(token, scope="openid", **form)).expect(400)
    (await exchanger.exchange(token, scope="openid")).expect(200)


# --- tokens that count as subjects


async def test_subject_token_may_be_sent_as_an_access_token(
    exchanger: Exchanger, otto: Person, like_recording: LikeRecording
) -> None:
    token = await exchanger.subject_token(otto)
    reply = await exchanger.exchange(token, ACCESS_TOKEN, scope="openid")
    like_recording("325-exchange-access-token-type", reply)
    assert (await exchanger.exchange(token, ACCESS_TOKEN, scope="openid")).status == 400


async def test_access_token_of_another_application_counts_as_recorded(
    exchanger: Exchanger, alice: Tokens, like_recording: LikeRecording
) -> None:
    reply = await exchanger.exchange(alice.access_token, ACCESS_TOKEN, scope="openid profile")
    like_recording("325-exchange-access-token-of-another-application", reply)


async def test_own_access_token_counts_as_recorded(
    exchanger: Exchanger, sign_in: SignIn, otto: Person, like_recording: LikeRecording
) -> None:
    tokens = await sign_in(otto, exchanger.app)
    reply = await exchanger.exchange(tokens.access_token, ACCESS_TOKEN, scope="openid profile")
    like_recording("325-exchange-own-access-token", reply)


async def test_id_token_counts_as_recorded(
    exchanger: Exchanger, alice: Tokens, like_recording: LikeRecording
) -> None:
    id_token = alice.reply.body["id_token"]
    reply = await exchanger.exchange(id_token, ACCESS_TOKEN, scope="openid profile")
    like_recording("325-exchange-id-token-as-subject", reply)


async def test_jwt_access_token_counts_as_recorded(
    exchanger: Exchanger, oidc: Oidc, alice: Tokens, world: World, like_recording: LikeRecording
) -> None:
    jwt = (await oidc.renew(alice, resource=world.resource)).expect(200).body["access_token"]
    form = {"resource": world.resource, "scope": world.read_reports}
    reply = await exchanger.exchange(jwt, ACCESS_TOKEN, **form)
    like_recording("325-exchange-jwt-access-token", reply, recorded_scopes(world, "fef215"))


async def test_refresh_token_does_not_count_as_recorded(
    exchanger: Exchanger, alice: Tokens, like_recording: LikeRecording
) -> None:
    reply = await exchanger.exchange(alice.refresh_token, ACCESS_TOKEN, scope="openid profile")
    like_recording("325-exchange-refresh-token-as-subject", reply)


async def test_token_of_a_machine_does_not_count(
    exchanger: Exchanger, oidc: Oidc, workshop: Workshop, world: World
) -> None:
    robot = await workshop.application("MachineToMachine")
    own = await oidc.token(robot, grant_type="client_credentials", resource=world.resource)
    reply = await exchanger.exchange(own.expect(200).body["access_token"], ACCESS_TOKEN, scope="openid")
    assert reply.expect(400).body["error"] == "invalid_grant"


# --- suspended people


async def test_suspended_person_can_be_impersonated_as_recorded(
    api: ManagementApi,
    exchanger: Exchanger,
    oidc: Oidc,
    customer: Customer,
    world: World,
    like_recording: LikeRecording,
) -> None:
    suspended = {"isSuspended": True}
    (await api.patch(f"/users/{customer.person.id}/is-suspended", suspended)).expect(200)
    like_recording("325-exchange-suspended-user", await exchanger.act_as(customer.person, scope="openid"))
    opaque = (await exchanger.act_as(customer.person, scope="openid profile")).body["access_token"]
    like_recording("327-userinfo-of-suspended-user-by-exchange", await oidc.userinfo(opaque))
    form = {"organization_id": customer.organization, "scope": world.read_members}
    reply = await exchanger.act_as(customer.person, **form)
    recording = "327-organization-token-of-suspended-user-by-exchange"
    like_recording(recording, reply, recorded_scopes(world, "fef215"))


# --- grants


async def test_exchange_leaves_a_grant_and_no_session(
    api: ManagementApi, exchanger: Exchanger, otto: Person, like_recording: LikeRecording
) -> None:
    (await exchanger.act_as(otto, scope="openid profile")).expect(200)
    grants = await api.get(f"/users/{otto.id}/grants")
    like_recording("328-grants-after-exchange", grants)
    assert [grant["payload"]["openid"] for grant in grants.body["grants"]] == [{"scope": "openid profile"}]
    like_recording("328-sessions-after-exchange", await api.get(f"/users/{otto.id}/sessions"))


async def test_grant_names_the_scopes_of_a_token_for_an_api(
    api: ManagementApi, exchanger: Exchanger, customer: Customer, world: World
) -> None:
    form = {"resource": world.resource, "scope": f"{world.read_reports} {world.write_reports}"}
    (await exchanger.act_as(customer.person, **form)).expect(200)
    [grant] = (await api.get(f"/users/{customer.person.id}/grants")).expect(200).body["grants"]
    assert grant["payload"]["resources"] == {world.resource: world.read_reports}
    assert "openid" not in grant["payload"]


async def test_token_ends_with_its_grant_as_recorded(
    api: ManagementApi, exchanger: Exchanger, oidc: Oidc, otto: Person, like_recording: LikeRecording
) -> None:
    token = (await exchanger.act_as(otto, scope="openid profile")).expect(200).body["access_token"]
    [grant] = (await api.get(f"/users/{otto.id}/grants")).expect(200).body["grants"]
    like_recording("328-grant-delete", await api.delete(f"/users/{otto.id}/grants/{grant['id']}"))
    like_recording("328-userinfo-after-grant-delete", await oidc.userinfo(token))


async def test_exchanged_token_is_revoked_as_recorded(
    exchanger: Exchanger, oidc: Oidc, otto: Person, like_recording: LikeRecording
) -> None:
    token = (await exchanger.act_as(otto, scope="openid profile")).expect(200).body["access_token"]
    like_recording("326-revoke", await oidc.revoke(exchanger.app, token))
    like_recording("326-userinfo-revoked", await oidc.userinfo(token))


async def test_refused_exchange_leaves_no_grant(
    api: ManagementApi, exchanger: Exchanger, otto: Person, world: World
) -> None:
    (await exchanger.act_as(otto, organization_id=world.other)).expect(403)
    assert (await api.get(f"/users/{otto.id}/grants")).expect(200).body == {"grants": []}
