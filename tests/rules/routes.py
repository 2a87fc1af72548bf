"""The application's routes with their guards, read from the URL map: a new route is covered unasked."""

from __future__ import annotations

from dataclasses import dataclass

from quart import Quart

from saas_app.app import create_app
from saas_app.web.guards import Guard
from tests.settings import bare_settings


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one rule."""

    method: str
    rule: str
    endpoint: str
    arguments: frozenset[str]
    guard: Guard | None

    @property
    def is_tenant(self) -> bool:
        """Whether the route lies below an organization."""
        return "organization_id" in self.arguments

    @property
    def is_api(self) -> bool:
        """Whether it answers programs."""
        return self.rule.startswith("/api/")

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"


def application() -> Quart:
    """Return the application without a Logto or a database behind it, to read its routes."""
    return create_app(bare_settings())


def all_routes() -> list[Route]:
    """Every route of the application."""
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
    # last: who has left finds nothing any more; the API asks nobody to confirm, so after the page
    key=lambda route: (route.rule.endswith("/leave"), route.is_api),
)
