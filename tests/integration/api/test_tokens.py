"""Rejected bearer tokens: forged, expired, outdated, or of others. Each kind gets its own response."""

from __future__ import annotations

import time
from typing import Any

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec
from quart import Quart
from quart.wrappers import Response

from saas_app.config import Settings
from saas_app.identity.membership_changes import note_change
from saas_app.rbac.permissions import Carrier, Permission, Role
from saas_app.runtime import Runtime
from tests.factories import Factory
from tests.integration.bearer import ApiClient, MachineClient, Mint, NewClient, PersonClient
from tests.served import APP_URL
from tests.tokens import scopes_of, tenant_of


async def _get(app: Quart, organization_id: str, token: str) -> Response:
    path = f"/api/v1/organizations/{organization_id}/projects"
    response = await app.test_client().get(path, headers={"Authorization": f"Bearer {token}"})
    assert isinstance(response, Response)
    return response


async def test_a_genuine_token_is_accepted(app: Quart, make: Factory, mint: Mint) -> None:
    organization_id = await make.organization()
    assert (await _get(app, organization_id, mint(organization_id))).status_code == 200


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"aud": "https://other.example"}, "not issued for this API"),
        ({"aud": ["https://api.workroom.example"]}, "not issued for this API"),
        ({"iss": "https://evil.example/oidc"}, "Invalid issuer"),
        ({"exp": int(time.time()) - 3600}, "expired"),
        ({"nbf": int(time.time()) + 3600}, "not yet valid"),
        ({"iat": int(time.time()) + 3600}, "not yet valid"),
        ({"header": {"kid": "unheard-of"}}, "does not publish"),
        ({"header": {"typ": "JWT"}}, "not a token of this type"),
        ({"header": {"alg": "ES256"}, "key": ec.generate_private_key(ec.SECP256R1())}, "algorithm"),
        ({"header": {"alg": "none"}, "key": ""}, "algorithm"),
        ({"header": {"alg": "HS256"}, "key": "x" * 40}, "algorithm"),
        ({"key": ec.generate_private_key(ec.SECP384R1())}, "Signature verification failed"),
        ({"organization_id": None}, "not for an organization"),
        ({"sub": None}, "sub"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else str(value),
)
async def test_a_forged_or_outdated_token_is_rejected_with_a_reason(
    app: Quart, make: Factory, mint: Mint, changes: dict[str, Any], says: str
) -> None:
    organization_id = await make.organization()
    token = mint(organization_id, **changes)
    refused = await _get(app, organization_id, token)
    assert refused.status_code == 401
    problem = await refused.get_json()
    assert problem["code"] == "invalid-token"
    assert says in problem["detail"]
    challenge = refused.headers["WWW-Authenticate"]
    assert challenge.startswith('Bearer error="invalid_token", error_description="')
    assert f'resource_metadata="{APP_URL}/.well-known/oauth-protected-resource"' in challenge
    assert token not in str(problem) + challenge


@pytest.mark.parametrize(
    "changes",
    [
        {"sub": "a\x00b"},
        {"sub": "a\ud800"},
        {"sub": "x" * 65},
        {"sub": "somebody\n"},
        {"client_id": "a\x00"},
        {"client_id": 7},
        {"scope": ["projects:read"]},
        {"organizations": "all"},
        {"organizations": ["a\x00"]},
        {"organization_roles": [{"admin": True}]},
        {"organization_roles": "admin"},
        {"iat": "1"},
        {"iat": -1e300},
        {"exp": 1e300},
        {"exp": True},
        {"nbf": []},
        {"sid": 7},
    ],
    ids=str,
)
async def test_a_correctly_signed_token_with_a_malformed_claim_is_rejected(
    app: Quart, make: Factory, mint: Mint, changes: dict[str, Any]
) -> None:
    organization_id = await make.organization()
    assert (await _get(app, organization_id, mint(organization_id, **changes))).status_code == 401


@pytest.mark.parametrize("name", ["A\x00da", "A\ud800da", 7, {"a": "b"}, "x" * 2000])
async def test_a_token_with_a_malformed_name_is_accepted(
    app: Quart, make: Factory, mint: Mint, name: Any
) -> None:
    organization_id = await make.organization()
    odd = mint(organization_id, name=name, username=name, email=name, picture=name)
    assert (await _get(app, organization_id, odd)).status_code == 200


@pytest.mark.parametrize("token", ["", "not-a-jwt", "a.b.c", "é", "x" * 20_000])
async def test_a_string_that_is_no_token_is_rejected(app: Quart, make: Factory, token: str) -> None:
    refused = await _get(app, await make.organization(), token)
    assert refused.status_code == 401
    assert (await refused.get_json())["code"] == "invalid-token"


async def test_without_a_token_the_answer_says_where_to_get_one(app: Quart, make: Factory) -> None:
    path = f"/api/v1/organizations/{await make.organization()}/projects"
    refused = await app.test_client().get(path)
    assert refused.status_code == 401
    metadata = f"{APP_URL}/.well-known/oauth-protected-resource"
    assert refused.headers["WWW-Authenticate"] == f'Bearer resource_metadata="{metadata}"'


@pytest.mark.parametrize("carrier", list(Carrier))
async def test_a_token_of_one_organization_finds_nothing_in_another(
    make: Factory, as_person: PersonClient, carrier: Carrier
) -> None:
    person = await make.person()
    acme = await make.organization("Acme", admin=person)
    globex = await make.organization("Globex", admin=person)
    client = await as_person(person, acme, carrier)
    for elsewhere in (globex, "doesnotexist"):
        assert (await client.at(elsewhere).json("GET", "/projects", 404))["code"] == "not-found"


async def test_a_person_whose_membership_changed_is_refused_at_the_next_request(
    make: Factory, as_person: PersonClient, runtime: Runtime
) -> None:
    person = await make.person()
    organization_id = await make.organization("Acme", editor=person)
    client = await as_person(person, organization_id)
    await client.call("GET", "/projects")
    await note_change(runtime.work, organization_id, person.id)
    assert (await client.json("GET", "/projects", 401))["code"] == "invalid-token"


async def test_an_api_client_whose_membership_changed_is_refused_at_the_next_request(
    make: Factory, runtime: Runtime, as_machine: MachineClient
) -> None:
    organization_id = await make.organization()
    machine = await make.machine(organization_id)
    robot = await as_machine(machine, organization_id)
    await robot.call("GET", "/projects")

    await note_change(runtime.work, organization_id, machine.id)

    assert (await robot.json("GET", "/projects", 401))["code"] == "invalid-token"


async def test_a_bearer_token_opens_no_page(new_client: NewClient) -> None:
    client = await new_client("editor")
    headers = {"Authorization": f"Bearer {client.token}"}
    page = await client.app.test_client().get(f"/o/{client.organization_id}/projects", headers=headers)
    assert page.status_code == 303
    assert page.headers["Location"].startswith("/sign-in")


async def test_a_verified_token_is_rejected_once_it_expires(app: Quart, make: Factory, mint: Mint) -> None:
    organization_id = await make.organization()
    token = mint(organization_id)
    assert (await _get(app, organization_id, token)).status_code == 200
    with time_machine.travel(time.time() + 700, tick=False):
        refused = await _get(app, organization_id, token)
    assert refused.status_code == 401
    assert "expired" in (await refused.get_json())["detail"]


async def test_a_scope_counts_only_in_its_own_kind_of_token(
    make: Factory, mint: Mint, runtime: Runtime
) -> None:
    organization_id = await make.organization()
    audience = f"urn:logto:organization:{organization_id}"
    token = mint(organization_id, aud=audience, scope="members:read projects:read")
    tenant = await tenant_of(runtime, token, organization_id)
    assert tenant.granted == {Permission.MEMBERS_READ}


async def _me(client: ApiClient) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {client.token}"}
    answer = await client.app.test_client().get("/api/v1/me", headers=headers)
    me: dict[str, Any] = await answer.get_json()
    return me


async def test_me_describes_a_person(make: Factory, as_person: PersonClient) -> None:
    nora = await make.person("Nora")
    me = await _me(await as_person(nora, await make.organization("Acme", editor=nora)))
    assert (me["type"], me["subject"], me["name"]) == ("person", nora.id, "Nora")


async def test_me_describes_an_api_client(make: Factory, as_machine: MachineClient) -> None:
    organization_id = await make.organization()
    machine = await make.machine(organization_id)

    me = await _me(await as_machine(machine, organization_id))

    assert (me["type"], me["subject"]) == ("machine", machine.id)
    assert me["token"]["organization_id"] == organization_id
    assert me["token"]["scopes"] == scopes_of(Role.INTEGRATION)
    assert me["claims"] is None


async def test_the_resource_metadata_names_the_authorization_server(app: Quart, settings: Settings) -> None:
    answer = await app.test_client().get("/.well-known/oauth-protected-resource")
    document = await answer.get_json()
    assert document["resource"] == settings.api_resource
    assert document["authorization_servers"] == [f"{settings.logto_endpoint}/oidc"]
    assert "projects:read" in document["scopes_supported"]
