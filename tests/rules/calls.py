"""Calling every route: each on a path with its own rows. Reports responses that differ from the registry."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from quart.wrappers import Response

from saas_app.db.base import new_uuid, utc_now
from saas_app.email_domains.queries import add_claim
from saas_app.rbac.permissions import OPERATOR_PERMISSIONS, ROLE_PERMISSIONS, Role
from saas_app.runtime import Runtime
from saas_app.web.guards import Callers
from tests.factories import Factory
from tests.rules.routes import Route
from tests.rules.rows import make_rows

UNKNOWN_ORGANIZATION = "doesnotexist"


_ON_OWN_ROWS: Final = frozenset(
    {
        "access_requests.show_request",
        "access_requests.withdraw",
        "access_requests_api.get_access_request",
        "access_requests_api.withdraw_access_request",
    }
)
"""Views for every member, each for rows of their own. Other members learn nothing of a row."""


def answers_as_registered(route: Route, role: Role, response: Response) -> bool:
    """Return whether a route allowed or denied this role as the registry says.

    What only the operator's team may do is found nowhere but in its own organization.
    """
    assert route.guard is not None
    if route.guard.permission in OPERATOR_PERMISSIONS & ROLE_PERMISSIONS[role]:
        return response.status_code == 404
    if route.endpoint in _ON_OWN_ROWS and response.status_code == 404:
        return True
    allowed = {
        Callers.MEMBER: True,
        Callers.PERMISSION: route.guard.permission in ROLE_PERMISSIONS[role],
    }[route.guard.callers]
    if allowed:
        return response.status_code not in (401, 403, 404) and response.status_code < 500
    return response.status_code == 403


async def unexpected(
    routes: Iterable[Route],
    call: Callable[[Route], Awaitable[Response]],
    is_expected: Callable[[Route, Response], bool],
) -> list[str]:
    """Call each route and return the routes with an unexpected response, and their statuses."""
    found = []
    for route in routes:
        response = await call(route)
        if not is_expected(route, response):
            found.append(f"{route}: {response.status_code} {response.headers.get('Location', '')}")
    return found


def is_not_found(_route: Route, response: Response) -> bool:
    return response.status_code == 404


async def path_with_rows(make: Factory, runtime: Runtime, route: Route, organization_id: str) -> str:
    """Return a path of the route with new rows, so that routes that delete rows do not affect others."""
    rows = nothing() | await make_rows(make, runtime, organization_id, route.arguments)
    if route.endpoint == "organization_settings.verify_domain":
        async with runtime.jobs.writing() as db:
            await add_claim(db, organization_id, "example.test", "a token", utc_now())
    return fill(route, {**rows, "organization_id": organization_id})


def nothing() -> dict[str, Any]:
    """Return ids that do not exist for a rule's arguments. :func:`fill` adds the rest."""
    return {"organization_id": UNKNOWN_ORGANIZATION}


def fill(route: Route, values: dict[str, Any]) -> str:
    """Return the rule with its arguments filled in. An argument without a value names nothing that exists."""
    path = route.rule
    for name in route.arguments:
        path = path.replace(f"<uuid:{name}>", str(values.get(name) or new_uuid()))
        for converter in ("", "string:"):
            path = path.replace(f"<{converter}{name}>", str(values.get(name, "unknown")))
    assert "<" not in path, path
    return path
