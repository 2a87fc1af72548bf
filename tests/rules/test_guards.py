"""Every route declares its guard, and the ladder answers exactly what the registry says."""

from __future__ import annotations

import pytest
from quart.wrappers import Response

from saas_app.rbac.permissions import Role, RoleType
from saas_app.runtime import Runtime
from saas_app.web.guards import Audience, Guard
from tests.clients import FRESH, SAME_ORIGIN, Browser
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.rules.calls import UNKNOWN_ORGANIZATION, answers_as_registered, fill, nothing, path_with_rows
from tests.rules.routes import ROUTES, TENANT_ROUTES, Route
from tests.rules.rows import all_rows, make_rows

ROLES = [role for role in Role if role.type is RoleType.USER]


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_every_route_declares_a_guard(route: Route) -> None:
    assert isinstance(route.guard, Guard), f"{route} ({route.endpoint}) has no guard"


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_routes_below_an_organization_are_for_its_members_and_only_they_are(route: Route) -> None:
    assert route.guard is not None
    tenant_guards = {Audience.MEMBER, Audience.PERMISSION}
    assert (route.guard.audience in tenant_guards) is route.is_tenant


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_only_get_routes_signing_in_and_out_and_webhooks_are_public(route: Route) -> None:
    assert route.guard is not None
    in_and_out = {"/sign-out", "/invitations/<invitation_id>/begin"}
    if route.guard.audience is Audience.PUBLIC:
        assert route.method == "GET" or route.rule in in_and_out or route.guard.for_programs


def test_routes_for_programs_are_the_two_that_check_a_signature() -> None:
    for_programs = {route.rule for route in ROUTES if route.guard and route.guard.for_programs}
    assert for_programs == {"/webhooks/logto", "/backchannel-logout"}


def test_what_asks_for_a_fresh_sign_in_asks_for_it_in_the_form_and_where_it_is_sent() -> None:
    fresh = {(route.method, route.rule) for route in ROUTES if route.guard and route.guard.fresh}
    delete = "/o/<organization_id>/settings/delete"
    assert fresh == {("GET", delete), ("POST", delete)}


@pytest.mark.parametrize("role", ROLES)
async def test_every_role_may_exactly_what_the_registry_says(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime, role: Role
) -> None:
    person = await make.person(role.value)
    organization_id = await make.organization("Acme", **{role.value: person})
    browser = await open_browser()
    await browser.sign_in(person, FRESH)
    wrong = []
    for route in TENANT_ROUTES:
        response = await _call(browser, route, await path_with_rows(make, runtime, route, organization_id))
        if not answers_as_registered(route, role, response):
            wrong.append(f"{route} as {role}: {response.status_code}")
    assert not wrong


async def test_strangers_find_nothing_in_another_or_unknown_organization(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    stranger = await make.person("Stranger")
    await make.organization("Own", admin=stranger)
    globex = await make.organization("Globex", admin=await make.person("Gail"))
    browser = await open_browser(stranger)
    wrong = []
    for route in TENANT_ROUTES:
        elsewhere = await path_with_rows(make, runtime, route, globex)
        nowhere = fill(route, {**nothing(), "organization_id": UNKNOWN_ORGANIZATION})
        for path in (elsewhere, nowhere):
            response = await _call(browser, route, path)
            if response.status_code != 404:
                wrong.append(f"{route} at {path}: {response.status_code}")
    assert not wrong


async def test_a_member_without_a_role_may_only_what_every_member_may(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    person = await make.person("Roleless")
    organization_id = await make.organization("Acme", admin=await make.person("Ada"))
    await make.join(organization_id, person)
    browser = await open_browser(person)
    wrong = []
    for route in TENANT_ROUTES:
        assert route.guard is not None
        response = await _call(browser, route, await path_with_rows(make, runtime, route, organization_id))
        allowed = route.guard.audience is Audience.MEMBER
        if (response.status_code == 403) is allowed or response.status_code >= 500:
            wrong.append(f"{route}: {response.status_code}")
    assert not wrong


async def test_rows_of_another_organization_are_not_found_under_ones_own(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    admin = await make.person("Ada")
    acme = await make.organization("Acme", admin=admin)
    globex = await make.organization("Globex", admin=admin)
    browser = await open_browser(admin)
    wrong = []
    for route in TENANT_ROUTES:
        if not any(rows.arguments & route.arguments for rows in all_rows()):
            continue
        rows = await make_rows(make, runtime, globex, route.arguments)
        response = await _call(browser, route, fill(route, {**rows, "organization_id": acme}))
        is_malformed = route.is_api or "user_id" in route.arguments  # there, the body is checked first
        refused = (400, 404, 422) if is_malformed else (404,)
        if response.status_code not in refused:
            wrong.append(f"{route}: {response.status_code}")
    assert not wrong


async def test_without_a_session_pages_lead_to_sign_in_and_the_api_answers_401(
    open_browser: OpenBrowser, runtime: Runtime
) -> None:
    browser = await open_browser()
    wrong = []
    for route in ROUTES:
        assert route.guard is not None
        if route.guard.audience is Audience.PUBLIC:
            continue
        response = await _call(browser, route, fill(route, nothing()))
        expected = 401 if route.is_api else 303
        leads_to_sign_in = route.is_api or response.headers.get("Location", "").startswith("/sign-in")
        if response.status_code != expected or not leads_to_sign_in:
            wrong.append(f"{route}: {response.status_code} {response.headers.get('Location')}")
    assert not wrong


async def _call(browser: Browser, route: Route, path: str) -> Response:
    headers = {} if route.method == "GET" else SAME_ORIGIN
    response = await browser.app.open(path, method=route.method, headers=headers)
    assert isinstance(response, Response)
    return response
