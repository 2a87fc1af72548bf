"""Guards of the API: every role, with the kind of token that each route needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import pytest
from quart import Quart
from quart.wrappers import Response

from saas_app.config import Settings
from saas_app.rbac.permissions import ROLE_PERMISSIONS, Carrier, Role, RoleType
from saas_app.runtime import Runtime
from saas_app.web.guards import Callers
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.rules.calls import answers_as_registered, fill, is_not_found, nothing, path_with_rows, unexpected
from tests.rules.routes import TENANT_ROUTES, Route
from tests.tokens import machine_token, token_of

API_ROUTES = [route for route in TENANT_ROUTES if route.is_api]
Tokens = Mapping[Carrier, str]


@dataclass(frozen=True, slots=True)
class Caller:
    """A program that calls routes with its tokens only: no cookie, no origin."""

    app: Quart
    tokens: Tokens

    async def call(self, route: Route, path: str) -> Response:
        """Call a route with the kind of token it needs, or with the API token if it needs no permission."""
        assert route.guard is not None
        permission = route.guard.permission
        token = self.tokens[permission.carrier if permission else Carrier.API_TOKEN]
        headers = {"Authorization": f"Bearer {token}"}
        response = await self.app.test_client().open(path, method=route.method, headers=headers)
        assert isinstance(response, Response)
        return response


MakeCaller = Callable[[str, Role], Awaitable[Caller]]


@pytest.fixture
def make_caller(
    app: Quart, make: Factory, runtime: Runtime, settings: Settings, open_browser: OpenBrowser
) -> MakeCaller:
    """Make a caller with this role in an organization."""

    async def tokens_of(organization_id: str, role: Role) -> Tokens:
        if role.type is RoleType.MACHINE:
            machine = await make.machine(organization_id, role=role)
            return {c: await machine_token(settings, machine, organization_id, c) for c in Carrier}
        browser = await open_browser(await make.member(organization_id, role.value, role))
        return {c: await token_of(runtime, browser, organization_id, c) for c in Carrier}

    async def make_one(organization_id: str, role: Role) -> Caller:
        return Caller(app, await tokens_of(organization_id, role))

    return make_one


@pytest.fixture
async def acme(make: Factory) -> str:
    return await make.organization("Acme", admin=await make.person("boss"))


@pytest.mark.parametrize("role", list(Role))
async def test_each_role_can_call_exactly_the_routes_that_the_registry_grants(
    make: Factory, runtime: Runtime, make_caller: MakeCaller, acme: str, role: Role
) -> None:
    caller = await make_caller(acme, role)

    async def call(route: Route) -> Response:
        return await caller.call(route, await path_with_rows(make, runtime, route, acme))

    def is_expected(route: Route, response: Response) -> bool:
        if route.rule.endswith("/leave") and role.type is RoleType.MACHINE:
            return response.status_code == 404  # Logto does not count a machine as a member
        return answers_as_registered(route, role, response)

    assert await unexpected(API_ROUTES, call, is_expected) == []


async def test_a_token_of_one_organization_gets_404_in_another(
    make: Factory, runtime: Runtime, make_caller: MakeCaller, acme: str
) -> None:
    stranger = await make_caller(acme, Role.ADMIN)
    globex = await make.organization("Globex", admin=await make.person("Gail"))

    async def call(route: Route) -> Response:
        return await stranger.call(route, await path_with_rows(make, runtime, route, globex))

    assert await unexpected(API_ROUTES, call, is_not_found) == []


async def test_a_token_of_one_organization_gets_404_in_an_unknown_one(
    make_caller: MakeCaller, acme: str
) -> None:
    stranger = await make_caller(acme, Role.ADMIN)

    async def call(route: Route) -> Response:
        return await stranger.call(route, fill(route, nothing()))

    assert await unexpected(API_ROUTES, call, is_not_found) == []


async def test_a_token_of_the_wrong_carrier_is_denied_with_the_missing_scope(
    app: Quart, make: Factory, runtime: Runtime, make_caller: MakeCaller, acme: str
) -> None:
    admin = await make_caller(acme, Role.ADMIN)
    api, organization = admin.tokens[Carrier.API_TOKEN], admin.tokens[Carrier.ORGANIZATION_TOKEN]
    swapped = Caller(app, {Carrier.API_TOKEN: organization, Carrier.ORGANIZATION_TOKEN: api})

    async def call(route: Route) -> Response:
        return await swapped.call(route, await path_with_rows(make, runtime, route, acme))

    def names_the_scope(route: Route, response: Response) -> bool:
        assert route.guard is not None
        permission = route.guard.permission
        assert permission in ROLE_PERMISSIONS[Role.ADMIN]
        return f'scope="{permission.value}"' in response.headers.get("WWW-Authenticate", "")

    with_permission = [
        route for route in API_ROUTES if route.guard and route.guard.callers is Callers.PERMISSION
    ]
    assert await unexpected(with_permission, call, names_the_scope) == []
