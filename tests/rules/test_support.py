"""Support access reaches exactly the routes that declare it, whatever the member may do there."""

from __future__ import annotations

import pytest
from quart.wrappers import Response

from saas_app.models import Outcome
from saas_app.rbac.permissions import Permission
from saas_app.rbac.support import SUPPORT_READ, SUPPORT_WRITE
from saas_app.runtime import Runtime
from saas_app.web.guards import Callers, Guard
from tests.clients import FRESH, SAME_ORIGIN, Browser
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.records import events_of
from tests.integration.support.conftest import SUPPORT
from tests.integration.support.rows import act, allow_support
from tests.rules.calls import path_with_rows, unexpected
from tests.rules.routes import TENANT_ROUTES, Route

EVERYTHING = " ".join(permission.value for permission in Permission)


@pytest.fixture
async def acme(make: Factory) -> str:
    """An organization with an admin."""
    return await make.organization("Acme", admin=await make.person("Ada"))


@pytest.fixture
async def agent(make: Factory, open_browser: OpenBrowser, runtime: Runtime) -> Browser:
    """A signed-in agent, whose sign-in is fresh."""
    browser = await open_browser()
    team = runtime.settings.support_organization_id
    await browser.sign_in(await make.member(team, "Sam", SUPPORT), FRESH)
    return browser


def guard_of(route: Route) -> Guard:
    assert route.guard is not None
    return route.guard


@pytest.mark.parametrize("route", TENANT_ROUTES, ids=str)
def test_support_reaches_no_route_that_needs_more_than_it_can_have(route: Route) -> None:
    guard = guard_of(route)
    if guard.for_support:
        assert not guard.complete
        assert not guard.fresh
        assert guard.callers is Callers.MEMBER or guard.permission in SUPPORT_WRITE


def test_besides_permissions_only_the_overview_is_marked() -> None:
    marked = [
        route
        for route in TENANT_ROUTES
        if guard_of(route).for_support and guard_of(route).callers is Callers.MEMBER
    ]
    assert [route.rule for route in marked] == ["/o/<organization_id>/"]


def test_support_never_manages_members_clients_or_the_organization_and_never_exports_or_deletes() -> None:
    assert {Permission.PROJECTS_WRITE} == SUPPORT_WRITE - SUPPORT_READ
    assert {permission for permission in SUPPORT_READ if not permission.value.endswith(":read")} == set()


def test_no_file_is_exported_and_no_list_is_changed_at_once() -> None:
    reached = [route.rule for route in TENANT_ROUTES if guard_of(route).for_support]
    assert not [rule for rule in reached if "export" in rule or "/bulk" in rule]


async def test_each_route_answers_an_agent_as_it_declares(
    make: Factory, runtime: Runtime, acme: str, agent: Browser
) -> None:
    """The tokens with both names carry every permission there is, as if Logto had granted them."""
    await allow_support(runtime, acme, writes=True)

    async def call(route: Route) -> Response:
        path = await path_with_rows(make, runtime, route, acme)
        await allow_support(runtime, acme, writes=True)
        await act(runtime, agent, acme, writes=True, scopes_organization=EVERYTHING, scopes_api=EVERYTHING)
        response = await agent.app.open(path, method=route.method, headers=SAME_ORIGIN)
        assert isinstance(response, Response)
        return response

    def is_expected(route: Route, response: Response) -> bool:
        if guard_of(route).for_support:
            return response.status_code not in (401, 403) and response.status_code < 500
        return response.status_code == 403

    assert await unexpected(TENANT_ROUTES, call, is_expected) == []


async def test_every_event_and_every_denial_has_both_names(
    make: Factory, runtime: Runtime, acme: str, agent: Browser
) -> None:
    await allow_support(runtime, acme, writes=True)

    for route in TENANT_ROUTES:
        path = await path_with_rows(make, runtime, route, acme)
        await allow_support(runtime, acme, writes=True)
        await act(runtime, agent, acme, writes=True, scopes_organization=EVERYTHING, scopes_api=EVERYTHING)
        form = {"name": "Rover", "title": "Test", "status": "done"}
        await agent.app.open(path, method=route.method, headers=SAME_ORIGIN, form=form)

    events = await events_of(runtime, acme)
    assert not [event for event in events if event.actor_id == "some-member"]
    acted = [event for event in events if event.actor_name == "Sam Whitfield"]
    assert {event.outcome for event in acted} == set(Outcome)
    assert {(event.behalf_id, event.behalf_name) for event in acted} == {("some-member", "Carol Okafor")}
