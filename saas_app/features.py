"""The features of the product, one per line. A feature is a package with ``pages``, ``api``, or both.

These modules define their routes as ``blueprint``, or as ``blueprints`` if there are several. The ``TAG`` of
an ``api`` groups its operations in the OpenAPI document. The menu is in :mod:`saas_app.web.navigation`.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any, Final

from quart import Blueprint
from quart_schema import Tag

FEATURES: Final = (
    "organizations",
    "projects",
    "members",
    "access_requests",
    "invitations",
    "api_clients",
    "audit",
    "accounts",
    "notifications",
    "support",
    "single_sign_on",
    "webhooks",
    "search",
    "lab",
)


def blueprints() -> Iterator[Blueprint]:
    """Yield the blueprints of all features, those of the API first."""
    for module in (*_modules("api"), *_modules("pages")):
        yield from getattr(module, "blueprints", None) or (module.blueprint,)


def tags() -> list[Tag | dict[Any, Any]]:
    """Return the groups of operations in the OpenAPI document, in the order of the features."""
    return [module.TAG for module in _modules("api") if hasattr(module, "TAG")]


def _modules(room: str) -> Iterator[ModuleType]:
    for feature in FEATURES:
        name = f"saas_app.{feature}.{room}"
        if find_spec(name) is not None:
            yield import_module(name)
