"""API clients managed by a program: each secret is sent once."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from quart import Quart

from saas_app.config import Settings
from saas_app.db.base import utc_now
from saas_app.logto import ManagementClient
from saas_app.models import IdempotencyKey
from saas_app.rbac.permissions import Carrier, Permission, Role
from saas_app.runtime import Runtime
from tests.clients import Machine
from tests.factories import Factory
from tests.integration.bearer import ApiClient, MachineClient, Mint, NewClient, PersonClient
from tests.tokens import machine_token, scopes_of

PATH = "/api-clients"


@pytest.fixture
async def admin(new_client: NewClient) -> ApiClient:
    """A client with an organization token of an admin."""
    return await new_client("admin", Carrier.ORGANIZATION_TOKEN)


async def test_a_new_client_comes_with_its_secret_and_where_to_use_it(
    admin: ApiClient, settings: Settings
) -> None:
    answer = await admin.call("POST", PATH, 201, json={"name": " Nightly  "})

    assert answer.headers["Cache-Control"] == "no-store"
    made = await answer.get_json()
    assert (made["name"], made["organization_id"]) == ("Nightly", admin.organization_id)
    assert made["resource"] == settings.api_resource
    assert made["scope"].split() == scopes_of(Role.INTEGRATION)
    assert made["token_endpoint"] == f"{settings.logto_endpoint}/oidc/token"


@pytest.fixture
async def nightly(admin: ApiClient) -> Machine:
    """An API client that was created through the API."""
    made = await admin.json("POST", PATH, 201, json={"name": "Nightly"})
    return Machine(made["id"], made["secret"])


async def test_a_client_is_listed_without_its_secret(admin: ApiClient, nightly: Machine) -> None:
    listed = await admin.json("GET", PATH)

    (client,) = listed["items"]
    assert (client["id"], client["name"], client["created_by"]) == (nightly.id, "Nightly", "Ada")
    assert (client["roles"], client["secrets"], client["rotated_at"]) == (["integration"], 1, None)
    assert nightly.secret not in str(listed)


@pytest.mark.parametrize("days", [30, 30.0])  # in JSON, both are the same whole number
async def test_a_client_gets_the_role_and_the_lifetime_that_were_asked_for(
    admin: ApiClient, days: float
) -> None:
    wanted = {"name": "Report", "role": "reader", "description": "Monthly", "expires_in_days": days}
    made = await admin.json("POST", PATH, 201, json=wanted)
    rotated = await admin.json("POST", f"{PATH}/{made['id']}/rotate?expires_in_days=7")

    (client,) = (await admin.json("GET", PATH))["items"]
    assert made["scope"] == rotated["scope"] == "projects:read"
    assert made["expires_at"] > rotated["expires_at"]
    assert client["secret_expires_at"][:16] == rotated["expires_at"][:16]
    assert (client["roles"], client["description"], client["last_used_at"]) == (["reader"], "Monthly", None)


async def test_a_client_gets_the_permissions_that_were_asked_for(admin: ApiClient) -> None:
    wanted = {"name": "Report", "permissions": ["projects:write", "audit:read"]}
    made = await admin.json("POST", PATH, 201, json=wanted)

    (client,) = (await admin.json("GET", PATH))["items"]
    assert client["permissions"] == made["permissions"] == ["audit:read", "projects:read", "projects:write"]
    assert (made["scope"], made["organization_scope"]) == ("projects:read projects:write", "audit:read")
    assert client["roles"] == ["audit-reader", "integration"]


async def test_without_a_lifetime_a_secret_expires_after_90_days(admin: ApiClient) -> None:
    made = await admin.json("POST", PATH, 201, json={"name": "Report"})
    rotated = await admin.json("POST", f"{PATH}/{made['id']}/rotate")

    for answer in (made, rotated):
        left = datetime.fromisoformat(answer["expires_at"]) - utc_now()
        assert timedelta(days=89) < left <= timedelta(days=90)


async def test_a_secret_that_never_expires_must_be_asked_for(admin: ApiClient) -> None:
    made = await admin.json("POST", PATH, 201, json={"name": "Report", "expires_in_days": "never"})
    rotated = await admin.json("POST", f"{PATH}/{made['id']}/rotate?expires_in_days=never")

    (client,) = (await admin.json("GET", PATH))["items"]
    assert (made["expires_at"], rotated["expires_at"], client["secret_expires_at"]) == (None, None, None)


@pytest.mark.parametrize("wrong", ["0", "4000", "soon", "", "null"])
async def test_a_lifetime_that_is_none_leaves_the_secret(
    admin: ApiClient, nightly: Machine, wrong: str, management: ManagementClient
) -> None:
    refused = await admin.json("POST", f"{PATH}/{nightly.id}/rotate?expires_in_days={wrong}", 400)

    assert "expires_in_days: must be a number of days from 1 to 3,650, or never" in refused["detail"]
    (secret,) = await management.list_secrets(nightly.id)
    assert secret.value == nightly.secret


@pytest.mark.parametrize(
    "wrong",
    [
        {"permissions": []},
        {"permissions": ["organization:delete"]},
        {"permissions": ["projects:read", "projects:*"]},
        {"permissions": "projects:read"},
        {"permissions": ["projects:read"], "role": "reader"},
        {"expires_in_days": None},
        {"expires_in_days": "soon"},
        {"role": "admin"},
        {"role": "owner"},
        {"expires_in_days": 0},
        {"expires_in_days": 1.5},
        {"expires_in_days": 4000},
        {"description": "x" * 201},
    ],
)
async def test_what_a_client_cannot_have_is_refused(admin: ApiClient, wrong: dict[str, object]) -> None:
    refused = await admin.json("POST", PATH, 422, json={"name": "Robot", **wrong})

    assert {name.partition(".")[0] for name in refused["errors"]} <= set(wrong)
    assert refused["errors"]
    assert (await admin.json("GET", PATH))["total"] == 0


async def test_rotating_returns_a_new_secret_that_works(
    admin: ApiClient, nightly: Machine, settings: Settings
) -> None:
    rotated = await admin.json("POST", f"{PATH}/{nightly.id}/rotate")

    assert rotated["secret"] != nightly.secret
    assert rotated["old_secrets_left"] == 0
    await machine_token(settings, Machine(nightly.id, rotated["secret"]), admin.organization_id)
    assert (await admin.json("GET", PATH))["items"][0]["rotated_at"] is not None


async def test_a_revoked_client_is_refused_and_no_longer_listed(
    admin: ApiClient, nightly: Machine, as_machine: MachineClient
) -> None:
    robot = await as_machine(nightly, admin.organization_id)
    await robot.json("POST", "/projects", 201, json={"name": "By a robot"})

    await admin.call("DELETE", f"{PATH}/{nightly.id}", 204)

    await robot.call("GET", "/projects", 401)
    assert (await admin.json("GET", PATH))["items"] == []
    assert (await admin.json("DELETE", f"{PATH}/{nightly.id}", 404))["code"] == "api-client-not-found"


async def test_a_repeated_creation_is_not_replayed_because_no_secret_is_stored(
    admin: ApiClient, runtime: Runtime
) -> None:
    headers = {"Idempotency-Key": "once"}
    await admin.call("POST", PATH, 201, json={"name": "Nightly"}, headers=headers)

    again = await admin.json("POST", PATH, 409, json={"name": "Nightly"}, headers=headers)

    assert "with this name" in again["errors"]["name"]
    async with runtime.work.reading(admin.organization_id) as db:
        assert await db.scalar(sa.select(sa.func.count()).select_from(IdempotencyKey)) == 0


async def test_a_client_added_in_logto_is_listed_and_cannot_be_rotated(
    admin: ApiClient, make: Factory
) -> None:
    machine = await make.machine(admin.organization_id)
    (client,) = (await admin.json("GET", PATH))["items"]
    assert [client[name] for name in ("created_by", "created_at", "secrets")] == [None, None, None]
    refused = await admin.json("POST", f"{PATH}/{machine.id}/rotate", 409)
    assert refused["code"] == "api-client-not-only-here"


async def test_revoking_a_client_added_in_logto_does_not_delete_it_there(
    admin: ApiClient, make: Factory
) -> None:
    machine = await make.machine(admin.organization_id)
    await admin.call("DELETE", f"{PATH}/{machine.id}", 204)
    assert await make.management.find_application(machine.id) is not None


async def test_a_client_of_another_organization_is_not_found(
    admin: ApiClient, nightly: Machine, new_client: NewClient
) -> None:
    globex = await new_client("admin", Carrier.ORGANIZATION_TOKEN)
    await globex.call("POST", f"{PATH}/{nightly.id}/rotate", 404)
    await globex.call("DELETE", f"{PATH}/{nightly.id}", 404)
    assert (await admin.json("GET", PATH))["total"] == 1


async def test_a_caller_without_the_permission_is_told_the_missing_scope(
    make: Factory, new_client: NewClient, as_machine: MachineClient
) -> None:
    editor = await new_client("editor", Carrier.ORGANIZATION_TOKEN)
    machine = await make.machine(editor.organization_id)
    for client in (editor, await as_machine(machine, editor.organization_id)):
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


async def test_nobody_creates_a_client_whose_permissions_they_lack(
    make: Factory, as_person: PersonClient
) -> None:
    organization_id = await make.organization("Acme", admin=await make.person())
    role = await make.role(f"key manager {organization_id}", Permission.API_CLIENTS_MANAGE)
    person = await make.member(organization_id, "Sam", role)
    manager = await as_person(person, organization_id, Carrier.ORGANIZATION_TOKEN)
    assert (await manager.json("GET", PATH))["items"] == []

    refused = await manager.json("POST", PATH, 403, json={"name": "Mine"})

    assert "The integration role includes projects:read, which you do not have" in refused["detail"]
    assert refused["decision"]["permission"] == "projects:read"


async def test_api_clients_are_listed_page_by_page(admin: ApiClient) -> None:
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
async def test_a_token_without_the_scope_is_refused_whatever_its_holders_role(
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
