"""Every route declares a guard, and guards allow exactly what the registry says."""

from __future__ import annotations

import pytest
from quart.wrappers import Response

from saas_app.rbac.permissions import ROLE_PERMISSIONS, Role, RoleType
from saas_app.runtime import Runtime
from saas_app.web.guards import Callers, Guard
from tests.clients import FRESH, SAME_ORIGIN, Browser
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.rules.calls import answers_as_registered, fill, is_not_found, nothing, path_with_rows, unexpected
from tests.rules.routes import ROUTES, TENANT_ROUTES, Route
from tests.rules.rows import all_rows, make_rows

ROLES = [role for role in Role if role.type is RoleType.USER]


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_every_route_declares_a_guard(route: Route) -> None:
    assert isinstance(route.guard, Guard), f"{route} ({route.endpoint}) has no guard"


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_exactly_the_routes_below_an_organization_require_membership(route: Route) -> None:
    assert route.guard is not None
    tenant_guards = {Callers.MEMBER, Callers.PERMISSION}
    assert (route.guard.callers in tenant_guards) is route.is_tenant


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_only_reading_signing_in_or_out_a_language_and_signed_requests_are_public(route: Route) -> None:
    assert route.guard is not None
    invited = {f"/invitations/<invitation_id>/{action}" for action in ("begin", "link")}
    for_visitors = {"/sign-out", "/language", "/lab/as/back", *invited}
    if route.guard.callers is Callers.PUBLIC:
        assert route.method == "GET" or route.rule in for_visitors or route.guard.for_programs


def test_only_the_four_routes_that_check_a_signature_or_a_secret_are_exempt_from_csrf() -> None:
    signed = {"/webhooks/logto", "/backchannel-logout", "/notifications/unsubscribe"}
    for_programs = {route.rule for route in ROUTES if route.guard and route.guard.for_programs}
    assert for_programs == signed | {"/sso/<connector_id>/token"}


def test_a_fresh_sign_in_is_required_by_the_form_and_by_its_submission() -> None:
    fresh = {(route.method, route.rule) for route in ROUTES if route.guard and route.guard.fresh}
    delete, support = "/o/<organization_id>/settings/delete", "/o/<organization_id>/support/start"
    wizard = "/o/<organization_id>/single-sign-on"
    steps = {(method, rule) for method, rule in fresh if rule.startswith(f"{wizard}/")}
    pages = {("GET", f"{wizard}/{page}") for page in ("require", "test")}
    assert {step for step in steps if step[0] == "GET"} == pages
    whole = {(method, rule) for method in ("GET", "POST") for rule in (delete, support)}
    assert fresh - steps == whole | {("GET", wizard)}


def test_every_change_of_single_sign_on_requires_a_fresh_sign_in() -> None:
    changes = [route for route in ROUTES if "/single-sign-on" in route.rule and route.method != "GET"]
    assert changes
    assert [str(route) for route in changes if not (route.guard and route.guard.fresh)] == []


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_can_call_exactly_the_routes_that_the_registry_grants(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime, role: Role
) -> None:
    person = await make.person(role.value)
    acme = await make.organization("Acme", **{role.value: person})
    browser = await open_browser()
    await browser.sign_in(person, FRESH)

    async def call(route: Route) -> Response:
        return await _call(browser, route, await path_with_rows(make, runtime, route, acme))

    def is_expected(route: Route, response: Response) -> bool:
        return answers_as_registered(route, role, response)

    assert await unexpected(TENANT_ROUTES, call, is_expected) == []


@pytest.fixture
async def stranger(make: Factory, open_browser: OpenBrowser) -> Browser:
    """The browser of an admin of another organization."""
    person = await make.person("Stranger")
    await make.organization("Own", admin=person)
    return await open_browser(person)


async def test_a_stranger_gets_404_in_another_organization(
    make: Factory, runtime: Runtime, stranger: Browser
) -> None:
    globex = await make.organization("Globex", admin=await make.person("Gail"))

    async def call(route: Route) -> Response:
        return await _call(stranger, route, await path_with_rows(make, runtime, route, globex))

    assert await unexpected(TENANT_ROUTES, call, is_not_found) == []


async def test_a_stranger_gets_404_in_an_unknown_organization(stranger: Browser) -> None:
    async def call(route: Route) -> Response:
        return await _call(stranger, route, fill(route, nothing()))

    assert await unexpected(TENANT_ROUTES, call, is_not_found) == []


async def test_a_member_without_a_role_can_call_only_routes_for_every_member(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    person = await make.person("Roleless")
    acme = await make.organization("Acme", admin=await make.person("Ada"))
    await make.join(acme, person)
    browser = await open_browser(person)

    async def call(route: Route) -> Response:
        return await _call(browser, route, await path_with_rows(make, runtime, route, acme))

    def is_expected(route: Route, response: Response) -> bool:
        assert route.guard is not None
        is_denied = response.status_code == 403
        is_for_members = route.guard.callers is Callers.MEMBER
        return is_denied is not is_for_members and response.status_code < 500

    assert await unexpected(TENANT_ROUTES, call, is_expected) == []


async def test_rows_of_another_organization_are_not_found_under_the_callers_own(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    admin = await make.person("Ada")
    acme = await make.organization("Acme", admin=admin)
    globex = await make.organization("Globex", admin=admin)
    browser = await open_browser(admin)

    async def call(route: Route) -> Response:
        rows = await make_rows(make, runtime, globex, route.arguments)
        return await _call(browser, route, fill(route, {**rows, "organization_id": acme}))

    def is_expected(route: Route, response: Response) -> bool:
        is_checked_after_the_body = route.is_api or "user_id" in route.arguments
        return response.status_code in ((400, 404, 422) if is_checked_after_the_body else (404,))

    with_rows = [
        route
        for route in TENANT_ROUTES
        if any(rows.arguments & route.arguments for rows in all_rows())
        and route.guard
        and route.guard.permission in ROLE_PERMISSIONS[Role.ADMIN] | {None}
    ]
    assert await unexpected(with_rows, call, is_expected) == []


async def test_without_a_session_pages_redirect_to_sign_in_and_the_api_answers_401(
    open_browser: OpenBrowser,
) -> None:
    browser = await open_browser()

    async def call(route: Route) -> Response:
        return await _call(browser, route, fill(route, nothing()))

    def is_expected(route: Route, response: Response) -> bool:
        if route.is_api:
            return response.status_code == 401
        location = response.headers.get("Location", "")
        return response.status_code == 303 and location.startswith("/sign-in")

    guarded = [route for route in ROUTES if route.guard and route.guard.callers is not Callers.PUBLIC]
    assert await unexpected(guarded, call, is_expected) == []


async def _call(browser: Browser, route: Route, path: str) -> Response:
    headers = {} if route.method == "GET" else SAME_ORIGIN
    response = await browser.app.open(path, method=route.method, headers=headers)
    assert isinstance(response, Response)
    return response
