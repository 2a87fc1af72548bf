"""Token exchanges that must fail, and what an exchange for an exchanged token tells and hides."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from joserfc import jws
from joserfc.jwk import ECKey

from local_logto import maintenance
from local_logto.crypto.signed_tokens import sign, unverified_claims, unverified_header
from local_logto.oidc.tables import grants, subject_tokens
from unit.management_app import ManagementApp

IMPERSONATION = "urn:logto:token-type:impersonation_token"
PERSONAL_ACCESS_TOKEN = "urn:logto:token-type:personal_access_token"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
ALLOWED = {"allowTokenExchange": True}
RESOURCE = "https://orders.example.test"
MINUTE, HOUR, MARGIN = 60, 3600, 5

Claims = dict[str, Any]


@dataclass(frozen=True)
class Exchanger:
    """A public application that exchanges tokens, and the people as whom it acts."""

    api: ManagementApp
    client_id: str
    ada: str
    eve: str

    async def exchange(self, token: str, kind: str = IMPERSONATION, **form: str) -> tuple[int, Any]:
        """Return the status and the body of an exchange with the scope ``openid`` by default."""
        fields = {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "client_id": self.client_id,
            "subject_token": token,
            "subject_token_type": kind,
            "scope": "openid",
            **form,
        }
        response = await self.api.client.post("/oidc/token", form=fields)
        return response.status_code, await response.get_json()

    async def refused(self, token: str, kind: str = IMPERSONATION, **form: str) -> bool:
        """Return whether the exchange fails with the one error that tells no reason."""
        status, body = await self.exchange(token, kind, **form)
        return (status, body.get("error")) == (400, "invalid_grant")

    async def subject_token(self, user_id: str) -> str:
        token: str = (await self.api.made("/subject-tokens", userId=user_id))["subjectToken"]
        return token

    async def act_as(self, user_id: str, **form: str) -> str:
        """Exchange a new subject token. Returns the access token."""
        status, body = await self.exchange(await self.subject_token(user_id), **form)
        assert status == 200, body
        access_token: str = body["access_token"]
        return access_token

    async def introspected(self, token: str) -> Claims:
        form = {"client_id": self.client_id, "token": token}
        body: Claims = await (await self.api.client.post("/oidc/token/introspection", form=form)).get_json()
        return body

    async def signed(self, **claims: object) -> str:
        """Sign claims about Ada with the provider's own key."""
        issuer = self.api.app.extensions["settings"].issuer
        async with self.api.app.app_context():
            with self.api.store.begin() as connection:
                return sign(connection, {"sub": self.ada, "iss": issuer, "exp": 4_000_000_000, **claims})

    def number_of_grants(self) -> int:
        with self.api.store.begin() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(grants)).scalar_one())


@pytest.fixture
async def exchanger(api: ManagementApp) -> Exchanger:
    app = await api.made("/applications", name="App", type="SPA", customClientMetadata=ALLOWED)
    ada, eve = [(await api.made("/users", username=name))["id"] for name in ("ada", "eve")]
    await api.made("/resources", name="Orders", indicator=RESOURCE)
    return Exchanger(api, app["id"], ada, eve)


def moment_in(seconds: float) -> float:
    """Return the epoch time in so many seconds."""
    return time.time() + seconds


def acting(actor_token: str, kind: str = ACCESS_TOKEN) -> dict[str, str]:
    """Return the parameters that name an actor."""
    return {"actor_token": actor_token, "actor_token_type": kind}


# --- replays


async def test_subject_token_cannot_be_replayed_with_another_type_or_by_another_application(
    api: ManagementApp, exchanger: Exchanger
) -> None:
    token = await exchanger.subject_token(exchanger.ada)
    assert (await exchanger.exchange(token))[0] == 200
    other = await api.made("/applications", name="Other", type="SPA", customClientMetadata=ALLOWED)
    assert await exchanger.refused(token, ACCESS_TOKEN)
    assert await exchanger.refused(token, client_id=other["id"])
    assert exchanger.number_of_grants() == 1


async def test_one_of_two_exchanges_at_once_wins(exchanger: Exchanger) -> None:
    token = await exchanger.subject_token(exchanger.ada)
    replies = await asyncio.gather(exchanger.exchange(token), exchanger.exchange(token))
    assert sorted(status for status, _ in replies) == [200, 400]
    assert exchanger.number_of_grants() == 1


async def test_subject_token_is_stored_only_as_a_hash(exchanger: Exchanger) -> None:
    token = await exchanger.subject_token(exchanger.ada)
    with exchanger.api.store.begin() as connection:
        [row] = connection.execute(sa.select(subject_tokens)).all()
    assert token not in str(row)


# --- expired tokens


async def test_subject_token_is_valid_for_ten_minutes_and_then_deleted(exchanger: Exchanger) -> None:
    early, late = [await exchanger.subject_token(exchanger.ada) for _ in range(2)]
    with time_machine.travel(moment_in(10 * MINUTE - MARGIN)):
        assert (await exchanger.exchange(early))[0] == 200
    with time_machine.travel(moment_in(10 * MINUTE + MARGIN)):
        assert await exchanger.refused(late)
        maintenance.purge(exchanger.api.store)
    with exchanger.api.store.begin() as connection:
        assert connection.execute(sa.select(subject_tokens)).all() == []


@pytest.mark.parametrize("target", [{}, {"resource": RESOURCE}], ids=["opaque", "jwt"])
async def test_access_token_counts_as_subject_until_it_expires(
    exchanger: Exchanger, target: dict[str, str]
) -> None:
    token = await exchanger.act_as(exchanger.ada, **target)
    assert (await exchanger.exchange(token, ACCESS_TOKEN))[0] == 200
    with time_machine.travel(moment_in(HOUR + MARGIN)):
        assert await exchanger.refused(token, ACCESS_TOKEN)


async def test_expired_access_token_is_no_actor(exchanger: Exchanger) -> None:
    actor = acting(await exchanger.act_as(exchanger.eve))
    assert (await exchanger.exchange(await exchanger.subject_token(exchanger.ada), **actor))[0] == 200
    with time_machine.travel(moment_in(HOUR + MARGIN)):
        exchanger.api.token = await exchanger.api.new_token()
        assert await exchanger.refused(await exchanger.subject_token(exchanger.ada), **actor)


async def test_personal_access_token_is_refused_after_its_end(
    api: ManagementApp, exchanger: Exchanger
) -> None:
    ends = int(moment_in(HOUR) * 1000)
    made = await api.made(f"/users/{exchanger.ada}/personal-access-tokens", name="laptop", expiresAt=ends)
    with time_machine.travel(moment_in(HOUR - MARGIN)):
        assert (await exchanger.exchange(made["value"], PERSONAL_ACCESS_TOKEN))[0] == 200
    with time_machine.travel(moment_in(HOUR + MARGIN)):
        assert await exchanger.refused(made["value"], PERSONAL_ACCESS_TOKEN)


# --- actors and chains


async def test_actor_of_a_chain_is_the_person_of_the_last_token(exchanger: Exchanger) -> None:
    """An exchanged token as the actor's: nothing tells that somebody else acted as that person."""
    actor = acting(await exchanger.act_as(exchanger.eve))
    as_ada = await exchanger.act_as(exchanger.ada, **actor)
    as_eve = await exchanger.act_as(exchanger.eve, **acting(as_ada))
    assert (await exchanger.introspected(as_eve))["act"] == {"sub": exchanger.ada}


@pytest.mark.parametrize("target", [{}, {"resource": RESOURCE}], ids=["opaque", "jwt"])
async def test_actor_is_lost_when_an_exchanged_token_is_exchanged_again(
    exchanger: Exchanger, target: dict[str, str]
) -> None:
    """As in Logto. A program that allows exchanges must not take a missing actor for the person."""
    actor = acting(await exchanger.act_as(exchanger.eve))
    first = await exchanger.act_as(exchanger.ada, **actor, **target)
    _, body = await exchanger.exchange(first, ACCESS_TOKEN)
    introspected = await exchanger.introspected(body["access_token"])
    assert introspected["sub"] == exchanger.ada
    assert "act" not in introspected


@pytest.mark.parametrize(
    "claims", [{"client_id": "c", "scope": "openid"}, {"aud": "c"}], ids=["access", "id"]
)
async def test_jwt_is_no_actor(exchanger: Exchanger, claims: Claims) -> None:
    actor = acting(await exchanger.signed(**claims))
    assert await exchanger.refused(await exchanger.subject_token(exchanger.ada), **actor)


@pytest.mark.parametrize("kind", [IMPERSONATION, PERSONAL_ACCESS_TOKEN, "urn:nope", ""])
async def test_actor_token_of_another_type_is_refused(exchanger: Exchanger, kind: str) -> None:
    actor = acting(await exchanger.act_as(exchanger.eve), kind)
    assert await exchanger.refused(await exchanger.subject_token(exchanger.ada), **actor)


async def test_subject_token_is_no_actor(exchanger: Exchanger) -> None:
    actor = acting(await exchanger.subject_token(exchanger.eve))
    assert await exchanger.refused(await exchanger.subject_token(exchanger.ada), **actor)


# --- forged tokens


def signed_by_another_key(token: str, **changes: object) -> str:
    """Return the token with these claims changed, signed by a key that is not the provider's."""
    claims = json.dumps({**(unverified_claims(token) or {}), **changes})
    key = ECKey.generate_key("P-384")
    return jws.serialize_compact(unverified_header(token) or {}, claims, key, algorithms=["ES384"])


def with_another_subject(token: str) -> str:
    """Return the token with its signature and another payload."""
    _, payload, _ = signed_by_another_key(token, sub="somebodyelse").split(".")
    head, _, signature = token.split(".")
    return f"{head}.{payload}.{signature}"


@pytest.mark.parametrize("forge", [signed_by_another_key, with_another_subject])
async def test_forged_jwt_is_refused(exchanger: Exchanger, forge: Callable[[str], str]) -> None:
    token = await exchanger.signed(client_id="c")
    assert (await exchanger.exchange(token, ACCESS_TOKEN))[0] == 200
    assert await exchanger.refused(forge(token), ACCESS_TOKEN)


@pytest.mark.parametrize(
    "claims",
    [{"iss": "https://other.example.test/oidc"}, {"exp": 1}, {"sub": None}, {"sub": "nosuchuser00"}],
    ids=["issuer", "expired", "nobody", "unknown"],
)
async def test_jwt_with_wrong_claims_is_refused(exchanger: Exchanger, claims: Claims) -> None:
    assert await exchanger.refused(await exchanger.signed(**claims), ACCESS_TOKEN)


# --- people who are gone


async def test_no_token_of_a_deleted_person_counts(api: ManagementApp, exchanger: Exchanger) -> None:
    personal = await api.made(f"/users/{exchanger.ada}/personal-access-tokens", name="laptop")
    presented = [
        (await exchanger.subject_token(exchanger.ada), IMPERSONATION),
        (await exchanger.act_as(exchanger.ada), ACCESS_TOKEN),
        (await exchanger.act_as(exchanger.ada, resource=RESOURCE), ACCESS_TOKEN),
        (personal["value"], PERSONAL_ACCESS_TOKEN),
    ]
    as_actor = acting(presented[1][0])
    assert (await api.call("DELETE", f"/users/{exchanger.ada}")).status == 204
    for token, kind in presented:
        assert await exchanger.refused(token, kind)
    assert await exchanger.refused(await exchanger.subject_token(exchanger.eve), **as_actor)


async def test_revoked_token_is_neither_subject_nor_actor(exchanger: Exchanger) -> None:
    token = await exchanger.act_as(exchanger.ada)
    form = {"client_id": exchanger.client_id, "token": token}
    await exchanger.api.client.post("/oidc/token/revocation", form=form)
    assert await exchanger.refused(token, ACCESS_TOKEN)
    assert await exchanger.refused(await exchanger.subject_token(exchanger.eve), **acting(token))


# --- applications that may not exchange


@pytest.mark.parametrize("metadata", [{}, {"allowTokenExchange": False}, {"rotateRefreshToken": True}])
async def test_application_without_the_setting_exchanges_nothing(
    api: ManagementApp, exchanger: Exchanger, metadata: dict[str, bool]
) -> None:
    token = await exchanger.subject_token(exchanger.ada)
    app = await api.made("/applications", name="No", type="SPA", customClientMetadata=metadata)
    status, body = await exchanger.exchange(token, client_id=app["id"])
    assert (status, body["error"]) == (400, "invalid_request")
    assert (await exchanger.exchange(token))[0] == 200


async def test_third_party_can_neither_be_created_with_the_setting_nor_get_it(api: ManagementApp) -> None:
    code = "application.third_party_application_cannot_enable_token_exchange"
    values = {"name": "Stranger", "type": "SPA", "isThirdParty": True}
    created = await api.call("POST", "/applications", {**values, "customClientMetadata": ALLOWED})
    assert created.refusal == (422, code)
    stranger = await api.made("/applications", **values)
    changed = await api.call("PATCH", f"/applications/{stranger['id']}", {"customClientMetadata": ALLOWED})
    assert changed.refusal == (422, code)
