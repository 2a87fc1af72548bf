"""The application's routes with their guards, read from the URL map, so that every new route is tested."""

from __future__ import annotations

from dataclasses import dataclass

from quart import Quart

from saas_app.app import create_app
from saas_app.web.guards import Guard
from tests.settings import bare_settings


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one URL rule."""

    method: str
    rule: str
    endpoint: str
    arguments: frozenset[str]
    guard: Guard | None

    @property
    def is_tenant(self) -> bool:
        """Whether the route belongs to an organization."""
        return "organization_id" in self.arguments

    @property
    def is_api(self) -> bool:
        """Whether the route belongs to the API."""
        return self.rule.startswith("/api/")

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"


def application() -> Quart:
    """Return the application without a Logto or a database behind it, to read its routes."""
    return create_app(bare_settings())


def all_routes() -> list[Route]:
    """Return every route of the application."""
    app = application()
    return [
        Route(
            method=method,
            rule=rule.rule,
            endpoint=rule.endpoint,
            arguments=frozenset(rule.arguments),
            guard=getattr(app.view_functions[rule.endpoint], "guard", None),
        )
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


ROUTES = all_routes()
TENANT_ROUTES = sorted(
    (route for route in ROUTES if route.is_tenant),
    # leaving comes last: a former member gets 404 everywhere. The API's route follows the page's, because
    # the page only asks for confirmation
    key=lambda route: (route.rule.endswith("/leave"), route.is_api),
)
