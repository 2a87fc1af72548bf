"""Programs that call the API: a person's client with a bearer token, and machines of an organization."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from quart import Quart
from quart.wrappers import Response

from saas_app.config import Settings
from saas_app.identity.management import ManagementClient
from saas_app.identity.principal import SessionPrincipal
from saas_app.rbac.permissions import Carrier, Role, permissions_carried_by
from saas_app.runtime import Runtime
from tests.clients import Browser, Person
from tests.conftest import OpenBrowser

SCOPES = {
    carrier: " ".join(permission.value for permission in permissions_carried_by(carrier))
    for carrier in Carrier
}


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine client with its secret."""

    id: str
    secret: str


@dataclass(frozen=True, slots=True)
class ApiClient:
    """Calls the API of one organization with a token, as any HTTP client does: no cookie, no origin."""

    app: Quart
    organization_id: str
    token: str

    async def call(self, method: str, path: str, expect: int = 200, **options: Any) -> Response:
        """A request below the organization, with the status it must answer."""
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        response = await self.app.test_client().open(
            f"/api/v1/organizations/{self.organization_id}{path}", method=method, headers=headers, **options
        )
        assert isinstance(response, Response)
        body = await response.get_data(as_text=True)
        assert response.status_code == expect, (
            f"{method} {path}: {response.status_code} (not {expect}) {body}"
        )
        return response

    async def json(self, method: str, path: str, expect: int = 200, **options: Any) -> Any:
        """The same, as JSON."""
        return await (await self.call(method, path, expect, **options)).get_json()


PersonClient = Callable[..., Awaitable[ApiClient]]


@pytest.fixture
def as_person(app: Quart, runtime: Runtime, open_browser: OpenBrowser) -> PersonClient:
    """``await as_person(person, organization_id, carrier)``: a client with the person's own token."""

    async def client(person: Person, organization_id: str, carrier: Carrier = Carrier.API_TOKEN) -> ApiClient:
        browser = await open_browser(person)
        return ApiClient(app, organization_id, await token_of(runtime, browser, organization_id, carrier))

    return client


async def token_of(runtime: Runtime, browser: Browser, organization_id: str, carrier: Carrier) -> str:
    """The token that a signed-in browser's session holds for an organization: a genuine one of Logto's."""
    cookie = next(cookie.value for cookie in browser.app.cookie_jar if cookie.name == "workroom_session")
    _, access = await runtime.authorization.get_tenant(str(cookie), organization_id, (carrier,))
    assert isinstance(access.principal, SessionPrincipal)
    api = f"{runtime.settings.api_resource}#{organization_id}"
    audience = api if carrier is Carrier.API_TOKEN else f"urn:logto:organization:{organization_id}"
    token = await runtime.sessions.find_token(access.principal.session_id, audience)
    assert token
    return token


MakeMachine = Callable[[str], Awaitable[Machine]]


@pytest.fixture
def make_machine(management: ManagementClient) -> MakeMachine:
    """``await make_machine(organization_id)``: a machine client with the machine role, made in Logto."""

    async def make(organization_id: str) -> Machine:
        created = await management._body(
            "POST", "/applications", {"name": "Robot", "type": "MachineToMachine"}
        )
        secrets = await management.list_secrets(created["id"])
        path = f"/organizations/{organization_id}/applications"
        await management._body("POST", path, {"applicationIds": [created["id"]]})
        role = next(r for r in await management.list_organization_roles() if r.name == Role.INTEGRATION.value)
        await management._body("POST", f"{path}/{created['id']}/roles", {"organizationRoleIds": [role.id]})
        return Machine(created["id"], secrets[0].value)

    return make


async def machine_token(settings: Settings, machine: Machine, organization_id: str) -> str:
    """A token by client credentials, for our API resource and the organization."""
    form = {
        "grant_type": "client_credentials",
        "resource": settings.api_resource,
        "organization_id": organization_id,
        "scope": SCOPES[Carrier.API_TOKEN],
    }
    headers = {"Authorization": aiohttp.encode_basic_auth(machine.id, machine.secret)}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{settings.logto_endpoint}/oidc/token", data=form, headers=headers) as answer,
    ):
        body = await answer.json()
        assert answer.status == 200, body
        return str(body["access_token"])
