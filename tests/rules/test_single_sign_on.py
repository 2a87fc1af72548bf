"""No route of an organization that requires single sign-on opens for another sign-in, whatever the role."""

from __future__ import annotations

import pytest
from quart import Quart
from quart.wrappers import Response

from saas_app.rbac.permissions import Carrier
from saas_app.runtime import Runtime
from tests.clients import FRESH, SAME_ORIGIN, Browser
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.single_sign_on.required import PROVIDER, require_single_sign_on
from tests.rules.calls import path_with_rows, unexpected
from tests.rules.routes import TENANT_ROUTES, Route
from tests.tokens import token_of

TITLE = "This organization requires single sign-on"
CODE = '"code": "sso-required"'


@pytest.fixture
async def acme(make: Factory) -> str:
    """An organization whose requirement a test switches on."""
    return await make.organization("Acme", admin=await make.person("Ada"))


@pytest.fixture
async def member(make: Factory, open_browser: OpenBrowser, acme: str) -> Browser:
    """The browser of an admin who has just signed in with a password."""
    browser = await open_browser()
    await browser.sign_in(await make.member(acme, "Alice", "admin"), FRESH)
    return browser


async def call_as(browser: Browser, route: Route, path: str) -> Response:
    headers = {} if route.method == "GET" else SAME_ORIGIN
    response = await browser.app.open(path, method=route.method, headers=headers)
    assert isinstance(response, Response)
    return response


async def test_every_route_refuses_a_member_who_signed_in_another_way(
    make: Factory, runtime: Runtime, acme: str, member: Browser
) -> None:
    await require_single_sign_on(runtime, acme)
    reasons: dict[str, bool] = {}

    async def call(route: Route) -> Response:
        response = await call_as(member, route, await path_with_rows(make, runtime, route, acme))
        reasons[str(route)] = (CODE if route.is_api else TITLE) in await response.get_data(as_text=True)
        return response

    def is_expected(route: Route, response: Response) -> bool:
        return response.status_code == 403 and reasons[str(route)]

    assert await unexpected(TENANT_ROUTES, call, is_expected) == []


async def test_every_route_of_the_api_refuses_a_token_of_a_person(
    make: Factory, app: Quart, runtime: Runtime, acme: str, member: Browser
) -> None:
    tokens = {carrier: await token_of(runtime, member, acme, carrier) for carrier in Carrier}
    await require_single_sign_on(runtime, acme)

    async def call(route: Route) -> Response:
        path, client = await path_with_rows(make, runtime, route, acme), app.test_client()
        guard = route.guard
        assert guard is not None
        carrier = guard.permission.carrier if guard.permission else Carrier.API_TOKEN
        headers = {"Authorization": f"Bearer {tokens[carrier]}"}
        response = await client.open(path, method=route.method, headers=headers)
        assert isinstance(response, Response)
        return response

    def is_expected(_route: Route, response: Response) -> bool:
        return response.status_code == 403

    assert await unexpected([route for route in TENANT_ROUTES if route.is_api], call, is_expected) == []


async def test_no_route_tells_a_stranger_that_single_sign_on_is_required(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime, acme: str
) -> None:
    await require_single_sign_on(runtime, acme)
    person = await make.person("Stranger")
    await make.organization("Own", admin=person)
    stranger, told = await open_browser(person), list[str]()

    async def call(route: Route) -> Response:
        response = await call_as(stranger, route, await path_with_rows(make, runtime, route, acme))
        if PROVIDER in await response.get_data(as_text=True):
            told.append(str(route))
        return response

    def is_expected(_route: Route, response: Response) -> bool:
        return response.status_code == 404

    assert await unexpected(TENANT_ROUTES, call, is_expected) == []
    assert told == []
