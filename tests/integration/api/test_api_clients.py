"""Machine clients, managed by a program: its secrets go over the wire once."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from quart import Quart

from saas_app.config import Settings
from saas_app.models import IdempotencyKey
from saas_app.rbac.permissions import Carrier, Permission, Role
from saas_app.runtime import Runtime
from tests.clients import Machine
from tests.factories import Factory
from tests.integration.api.conftest import ApiClient, Mint, PersonClient
from tests.integration.members.conftest import join_as
from tests.tokens import machine_token, scopes_of

PATH = "/api-clients"


async def an_admin(make: Factory, as_person: PersonClient, name: str = "Acme") -> ApiClient:
    person = await make.person("Ada")
    organization_id = await make.organization(name, admin=person)
    return await as_person(person, organization_id, Carrier.ORGANIZATION_TOKEN)


async def test_a_client_is_made_listed_rotated_and_revoked(
    make: Factory, app: Quart, settings: Settings, as_person: PersonClient
) -> None:
    admin = await an_admin(make, as_person)
    answer = await admin.call("POST", PATH, 201, json={"name": " Nightly  "})
    assert answer.headers["Cache-Control"] == "no-store"
    made = await answer.get_json()
    assert (made["name"], made["organization_id"]) == ("Nightly", admin.organization_id)
    assert made["resource"] == settings.api_resource
    assert made["scope"].split() == scopes_of(Role.INTEGRATION)
    assert made["token_endpoint"] == f"{settings.logto_endpoint}/oidc/token"
    machine = Machine(made["id"], made["secret"])
    token = await machine_token(settings, machine, admin.organization_id)
    robot = ApiClient(app, admin.organization_id, token)
    await robot.json("POST", "/projects", 201, json={"name": "By a robot"})

    listed = await admin.json("GET", PATH)
    (client,) = listed["items"]
    assert (client["id"], client["name"], client["created_by"]) == (made["id"], "Nightly", "Ada")
    assert (client["roles"], client["secrets"], client["rotated_at"]) == (["integration"], 1, None)
    assert made["secret"] not in str(listed)

    rotated = await admin.json("POST", f"{PATH}/{made['id']}/rotate")
    assert rotated["secret"] != made["secret"]
    assert rotated["old_secrets_left"] == 0
    await machine_token(settings, Machine(made["id"], rotated["secret"]), admin.organization_id)
    assert (await admin.json("GET", PATH))["items"][0]["rotated_at"] is not None

    await admin.call("DELETE", f"{PATH}/{made['id']}", 204)
    await robot.call("GET", "/projects", 401)
    assert (await admin.json("GET", PATH))["items"] == []
    assert (await admin.json("DELETE", f"{PATH}/{made['id']}", 404))["code"] == "api-client-not-found"


async def test_no_secret_is_kept_for_a_repeated_request(
    make: Factory, as_person: PersonClient, runtime: Runtime
) -> None:
    admin = await an_admin(make, as_person)
    headers = {"Idempotency-Key": "once"}
    await admin.call("POST", PATH, 201, json={"name": "Nightly"}, headers=headers)
    again = await admin.json("POST", PATH, 409, json={"name": "Nightly"}, headers=headers)
    assert "with this name" in again["errors"]["name"]
    async with runtime.work.reading(admin.organization_id) as db:
        assert await db.scalar(sa.select(sa.func.count()).select_from(IdempotencyKey)) == 0


async def test_a_machine_added_in_logto_is_listed_as_such_and_only_taken_out(
    make: Factory, as_person: PersonClient
) -> None:
    admin = await an_admin(make, as_person)
    machine = await make.machine(admin.organization_id)
    (client,) = (await admin.json("GET", PATH))["items"]
    assert [client[name] for name in ("created_by", "created_at", "secrets")] == [None, None, None]
    path = f"{PATH}/{machine.id}"
    assert (await admin.json("POST", f"{path}/rotate", 409))["code"] == "api-client-not-only-here"
    await admin.call("DELETE", path, 204)
    assert await make.management.find_application(machine.id) is not None


async def test_a_client_of_another_organization_is_not_found(make: Factory, as_person: PersonClient) -> None:
    acme, globex = await an_admin(make, as_person), await an_admin(make, as_person, "Globex")
    made = await acme.json("POST", PATH, 201, json={"name": "Nightly"})
    await globex.call("POST", f"{PATH}/{made['id']}/rotate", 404)
    await globex.call("DELETE", f"{PATH}/{made['id']}", 404)
    assert (await acme.json("GET", PATH))["total"] == 1


async def test_who_may_not_is_told_the_scope(
    make: Factory, app: Quart, settings: Settings, as_person: PersonClient
) -> None:
    person = await make.person()
    organization_id = await make.organization("Acme", editor=person)
    editor = await as_person(person, organization_id, Carrier.ORGANIZATION_TOKEN)
    machine = await make.machine(organization_id)
    robot = ApiClient(app, organization_id, await machine_token(settings, machine, organization_id))
    for client in (editor, robot):
        for method, path, body in (
            ("GET", PATH, None),
            ("POST", PATH, {"name": "Mine"}),
            ("POST", f"{PATH}/{machine.id}/rotate", None),
            ("DELETE", f"{PATH}/{machine.id}", None),
        ):
            refused = await client.call(method, path, 403, json=body)
            assert "insufficient_scope" in refused.headers["WWW-Authenticate"]
            assert "api-clients:manage" in refused.headers["WWW-Authenticate"]
    assert [secret.value for secret in await make.management.list_secrets(machine.id)] == [machine.secret]


async def test_nobody_makes_a_program_that_reaches_further_than_they_do(
    make: Factory, as_person: PersonClient
) -> None:
    scopes = {scope.name: scope.id for scope in await make.management.list_organization_scopes()}
    person = await make.person()
    organization_id = await make.organization("Acme", admin=await make.person())
    name = f"key manager {organization_id}"
    role = await make.management.create_organization_role(name, "Manages clients", "User")
    await make.management.replace_role_scopes(role.id, [scopes[Permission.API_CLIENTS_MANAGE.value]])
    await join_as(make, organization_id, person, name)
    manager = await as_person(person, organization_id, Carrier.ORGANIZATION_TOKEN)
    assert (await manager.json("GET", PATH))["items"] == []
    refused = await manager.json("POST", PATH, 403, json={"name": "Mine"})
    assert "The role integration includes projects:read, which you do not have" in refused["detail"]
    assert refused["decision"]["permission"] == "projects:read"


async def test_pages_of_the_list_follow_each_other(make: Factory, as_person: PersonClient) -> None:
    admin = await an_admin(make, as_person)
    for number in range(3):
        await admin.call("POST", PATH, 201, json={"name": f"Client {number}"})
    first = await admin.call("GET", f"{PATH}?limit=2")
    page = await first.get_json()
    assert (len(page["items"]), page["total"]) == (2, 3)
    assert page["next_cursor"] in first.headers["Link"]
    rest = await admin.json("GET", f"{PATH}?limit=2&cursor={page['next_cursor']}")
    assert (len(rest["items"]), rest["next_cursor"]) == (1, None)
    assert len({item["id"] for item in page["items"] + rest["items"]}) == 3


@pytest.mark.parametrize("scope", ["members:read", ""])
async def test_a_token_without_the_scope_opens_nothing_whatever_its_holder_may(
    make: Factory, app: Quart, mint: Mint, scope: str
) -> None:
    person = await make.person("Ada")
    organization_id = await make.organization("Acme", admin=person)
    audience = f"urn:logto:organization:{organization_id}"
    token = mint(organization_id, aud=audience, organization_id=None, sub=person.id, scope=scope)
    narrow = ApiClient(app, organization_id, token)
    assert (await narrow.json("POST", PATH, 403, json={"name": "Mine"}))["code"] == "permission-denied"
    await narrow.call("POST", f"{PATH}/any/rotate", 403)
    await narrow.call("DELETE", f"{PATH}/any", 403)
