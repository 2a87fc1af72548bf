"""The ladder for programs: every kind of caller, with the kind of token that each route asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from quart import Quart
from quart.wrappers import Response

from saas_app.config import Settings
from saas_app.rbac.permissions import ROLE_PERMISSIONS, Carrier, Role, RoleType
from saas_app.runtime import Runtime
from saas_app.web.guards import Audience
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.rules.calls import answers_as_registered, fill, nothing, path_with_rows
from tests.rules.routes import TENANT_ROUTES, Route
from tests.tokens import machine_token, token_of

API_ROUTES = [route for route in TENANT_ROUTES if route.is_api]
Tokens = Mapping[Carrier, str]


@dataclass(frozen=True, slots=True)
class Caller:
    """Calls routes with its own tokens and nothing else: no cookie, no origin."""

    app: Quart
    tokens: Tokens

    async def call(self, route: Route, path: str) -> Response:
        """One call with the token the route asks for; where it asks for none, the API's."""
        assert route.guard is not None
        permission = route.guard.permission
        token = self.tokens[permission.carrier if permission else Carrier.API_TOKEN]
        headers = {"Authorization": f"Bearer {token}"}
        response = await self.app.test_client().open(path, method=route.method, headers=headers)
        assert isinstance(response, Response)
        return response


async def _caller(
    app: Quart,
    make: Factory,
    runtime: Runtime,
    settings: Settings,
    open_browser: OpenBrowser,
    organization_id: str,
    role: Role,
) -> Caller:
    if role.type is RoleType.MACHINE:
        machine = await make.machine(organization_id)
        tokens = {
            carrier: await machine_token(settings, machine, organization_id, carrier) for carrier in Carrier
        }
    else:
        person = await make.person(role.value)
        await make.join(organization_id, person, role)
        browser = await open_browser(person)
        tokens = {carrier: await token_of(runtime, browser, organization_id, carrier) for carrier in Carrier}
    return Caller(app, tokens)


@pytest.mark.parametrize("role", list(Role))
async def test_every_role_may_exactly_what_the_registry_says(
    app: Quart, make: Factory, runtime: Runtime, settings: Settings, open_browser: OpenBrowser, role: Role
) -> None:
    organization_id = await make.organization("Acme", admin=await make.person("boss"))
    caller = await _caller(app, make, runtime, settings, open_browser, organization_id, role)
    wrong = []
    for route in API_ROUTES:
        response = await caller.call(route, await path_with_rows(make, runtime, route, organization_id))
        leaves = route.rule.endswith("/leave") and role.type is RoleType.MACHINE  # is no member to Logto
        if not (answers_as_registered(route, role, response) or (leaves and response.status_code == 404)):
            wrong.append(f"{route} as {role}: {response.status_code}")
    assert not wrong


async def test_a_token_of_one_organization_finds_nothing_in_another_or_unknown_one(
    app: Quart, make: Factory, runtime: Runtime, settings: Settings, open_browser: OpenBrowser
) -> None:
    own = await make.organization("Own", admin=await make.person("boss"))
    globex = await make.organization("Globex", admin=await make.person("Gail"))
    stranger = await _caller(app, make, runtime, settings, open_browser, own, Role.ADMIN)
    wrong = []
    for route in API_ROUTES:
        elsewhere = await path_with_rows(make, runtime, route, globex)
        for path in (elsewhere, fill(route, nothing())):
            response = await stranger.call(route, path)
            if response.status_code != 404:
                wrong.append(f"{route} at {path}: {response.status_code}")
    assert not wrong


async def test_the_wrong_kind_of_token_is_refused_with_the_scope_that_is_missing(
    app: Quart, make: Factory, runtime: Runtime, settings: Settings, open_browser: OpenBrowser
) -> None:
    organization_id = await make.organization("Acme", admin=await make.person("boss"))
    admin = await _caller(app, make, runtime, settings, open_browser, organization_id, Role.ADMIN)
    api, organization = admin.tokens[Carrier.API_TOKEN], admin.tokens[Carrier.ORGANIZATION_TOKEN]
    swapped = Caller(app, {Carrier.API_TOKEN: organization, Carrier.ORGANIZATION_TOKEN: api})
    wrong = []
    for route in API_ROUTES:
        assert route.guard is not None
        if route.guard.audience is not Audience.PERMISSION:
            continue
        response = await swapped.call(route, await path_with_rows(make, runtime, route, organization_id))
        permission = route.guard.permission
        assert permission in ROLE_PERMISSIONS[Role.ADMIN]
        if f'scope="{permission.value}"' not in response.headers.get("WWW-Authenticate", ""):
            wrong.append(f"{route}: {response.status_code}")
    assert not wrong
