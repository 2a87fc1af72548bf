"""How the rules about routes are asked: an address with rows of its own for each route, and what it says."""

from __future__ import annotations

from typing import Any

from quart.wrappers import Response

from saas_app.db.base import new_uuid, utc_now
from saas_app.email_domains.queries import add_claim
from saas_app.rbac.permissions import ROLE_PERMISSIONS, Role
from saas_app.runtime import Runtime
from saas_app.web.guards import Audience
from tests.factories import Factory
from tests.rules.routes import Route
from tests.rules.rows import make_rows

UNKNOWN_ORGANIZATION = "doesnotexist"


def answers_as_registered(route: Route, role: Role, response: Response) -> bool:
    """Whether a route let this role in, or refused it, as the registry says."""
    assert route.guard is not None
    allowed = {
        Audience.MEMBER: True,
        Audience.PERMISSION: route.guard.permission in ROLE_PERMISSIONS[role],
    }[route.guard.audience]
    if allowed:
        return response.status_code not in (401, 403, 404) and response.status_code < 500
    return response.status_code == 403


async def path_with_rows(make: Factory, runtime: Runtime, route: Route, organization_id: str) -> str:
    """The route's address with rows of its own, so that what deletes one takes nothing from the next."""
    rows = nothing() | await make_rows(make, runtime, organization_id, route.arguments)
    if route.endpoint == "organization_settings.verify_domain":
        async with runtime.work.writing() as db:
            await add_claim(db, organization_id, "example.test", "a token", utc_now())
    return fill(route, {**rows, "organization_id": organization_id})


def nothing() -> dict[str, Any]:
    """Values for a rule's arguments that name nothing there is; :func:`fill` makes up the rest."""
    return {"organization_id": UNKNOWN_ORGANIZATION}


def fill(route: Route, values: dict[str, Any]) -> str:
    """The rule with its arguments filled in. An argument without a value names nothing there is."""
    path = route.rule
    for name in route.arguments:
        path = path.replace(f"<uuid:{name}>", str(values.get(name) or new_uuid()))
        for converter in ("", "string:"):
            path = path.replace(f"<{converter}{name}>", str(values.get(name, "unknown")))
    assert "<" not in path, path
    return path
