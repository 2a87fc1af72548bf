"""The schema of the JSON API, from the code: routes, models, guards. OpenAPI 3.1.

A route's guard tells its security and its refusals, so neither can be forgotten or go stale.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from quart import Quart
from quart_schema import Info, QuartSchema, Tag
from quart_schema.openapi import OpenAPIProvider
from werkzeug.routing import UUIDConverter
from werkzeug.routing.converters import BaseConverter
from werkzeug.routing.rules import Rule

from saas_app.rbac.permissions import Carrier, permissions_carried_by
from saas_app.web.guards import Audience, Guard
from saas_app.web.json_api.idempotency import REPEATABLE
from saas_app.web.json_api.models import Problem
from saas_app.web.json_api.preconditions import CHANGES_VERSION
from saas_app.web.json_api.responses import ANSWERS

API_PREFIX: Final = "/api/v1"
SCHEMA_PATH: Final = "/api/openapi.json"
VERSION: Final = "1.0.0"

_MEANINGS: Final = {
    400: "The request cannot be understood: a query parameter, the cursor or the JSON is malformed.",
    401: "No credential, or a token that is not accepted; `WWW-Authenticate` says which.",
    403: "The token does not carry the permission; `decision` says step by step why.",
    404: "No such thing, or nothing the caller may know of.",
    409: "It does not fit how things stand now.",
    412: "`If-Match` is not the current version. Nothing was changed.",
    413: "The body is larger than 1 MB.",
    415: "The body is not `application/json`.",
    422: "Well-formed, but a field breaks a rule; `errors` names it.",
    428: "An edit needs `If-Match`.",
    429: "Too many requests; `Retry-After` says when to come again.",
    503: "Logto is not reachable just now; `Retry-After` says when to come again.",
}

_SECURITY_SCHEMES: Final[dict[Carrier, tuple[str, str]]] = {
    Carrier.API_TOKEN: (
        "apiToken",
        "A JWT of Logto's for this API resource, asked for with `resource` and `organization_id`.",
    ),
    Carrier.ORGANIZATION_TOKEN: (
        "organizationToken",
        "A JWT of Logto's for the organization, asked for with `organization_id` alone.",
    ),
}


class _Provider(OpenAPIProvider):
    """Only the API's routes, each with what its guard, body and preconditions may answer."""

    def schema(self) -> dict[str, Any]:
        document = super().schema()
        document["paths"] = dict(sorted(document["paths"].items()))
        components = document["components"]
        components["schemas"]["Problem"] = Problem.model_json_schema()
        components["schemas"] = dict(sorted(components["schemas"].items()))
        components["securitySchemes"] = {
            name: {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": f"{told} Scopes: {_scopes(carrier)}.",
            }
            for carrier, (name, told) in _SECURITY_SCHEMES.items()
        }
        return document

    def generate_rules(self) -> Iterable[Rule]:
        rules = (rule for rule in super().generate_rules() if rule.rule.startswith(API_PREFIX + "/"))
        return sorted(rules, key=lambda rule: (rule.rule, rule.endpoint))

    def build_paths(self, rule: Rule) -> tuple[dict[str, Any], dict[str, Any]]:
        paths, components = super().build_paths(rule)
        view = self._app.view_functions[rule.endpoint]
        for operations in paths.values():
            for operation in operations.values():
                _complete(operation, view)
        return paths, components

    def build_request_body(self, model: Any, source: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        body, components = super().build_request_body(model, source)
        return body, components | _name_schemas(body)

    def build_response_object(self, model: Any, headers_model: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        answer, components = super().build_response_object(model, headers_model)
        return answer, components | _name_schemas(answer)

    def build_path_parameter(self, name: str, converter: BaseConverter) -> dict[str, Any]:
        parameter: dict[str, Any] = super().build_path_parameter(name, converter)
        if isinstance(converter, UUIDConverter):
            parameter["schema"] = {"type": "string", "format": "uuid"}
        return parameter

    def operation_id(self, method: str, path: str, func: Any) -> str | None:
        return str(func.__name__)


def init(app: Quart) -> None:
    """Let quart-schema validate and describe; its own pages load from elsewhere and stay off."""
    QuartSchema(
        app,
        openapi_path=None,
        info=Info(
            title="Workroom API",
            version=VERSION,
            description="Projects, tasks, members and the audit trail of an organization, for programs.",
        ),
        tags=[
            Tag("projects", description="Projects and their tasks"),
            Tag("members", description="People and machines of the organization, and invitations"),
            Tag("audit", description="Who did what"),
            Tag("access", description="Who am I, and what may I do"),
        ],
        conversion_preference="pydantic",
        openapi_provider_class=_Provider,
    )


def build_schema(app: Quart) -> dict[str, Any]:
    """The OpenAPI document of the application."""
    document: dict[str, Any] = app.extensions["QUART_SCHEMA"].openapi_provider.schema()
    return document


def _name_schemas(described: dict[str, Any]) -> dict[str, Any]:
    """Put a body's schema among the components under its model's name, and refer to it from here."""
    named = {}
    for content in described["content"].values():
        schema = content["schema"]
        named[schema["title"]] = schema
        content["schema"] = {"$ref": f"#/components/schemas/{schema['title']}"}
    return named


def _scopes(carrier: Carrier) -> str:
    return ", ".join(f"`{permission.value}`" for permission in permissions_carried_by(carrier))


def _complete(operation: dict[str, Any], view: Any) -> None:
    guard: Guard = view.guard
    operation["security"] = _security(guard)
    if guard.permission is not None:
        operation["x-permission"] = guard.permission.value
    _add_headers(operation, view)
    for status in sorted(_refusals(operation, guard) | getattr(view, ANSWERS, frozenset())):
        operation["responses"][status] = _problem(status) if status >= 400 else {"description": "Done."}
    operation["responses"] = {str(status): told for status, told in sorted(operation["responses"].items())}


def _security(guard: Guard) -> list[dict[str, list[str]]]:
    if guard.permission is not None:
        name, _ = _SECURITY_SCHEMES[guard.permission.carrier]
        return [{name: [guard.permission.value]}]
    if guard.audience is Audience.PUBLIC:
        return []
    return [{name: []} for name, _ in _SECURITY_SCHEMES.values()]


def _refusals(operation: dict[str, Any], guard: Guard) -> frozenset[int]:
    statuses = {429}
    if guard.audience is not Audience.PUBLIC:
        statuses |= {401, 503}
    if guard.permission is not None:
        statuses.add(403)
    places = {parameter["in"] for parameter in operation["parameters"]}
    if "path" in places:
        statuses.add(404)
    if "query" in places:
        statuses.add(400)
    if "requestBody" in operation:
        operation["requestBody"]["required"] = True
        statuses |= {400, 413, 415, 422}
    return frozenset(statuses)


def _add_headers(operation: dict[str, Any], view: Any) -> None:
    parameters = list(operation["parameters"])
    if getattr(view, CHANGES_VERSION, False):
        parameters.append(_header("If-Match", "The ETag of the version that is changed", required=True))
    if getattr(view, REPEATABLE, False):
        parameters.append(
            _header("Idempotency-Key", "The same key brings the same answer, and nothing happens twice")
        )
    operation["parameters"] = parameters


def _header(name: str, told: str, *, required: bool = False) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
    return {"name": name, "in": "header", "description": told, "required": required, "schema": schema}


def _problem(status: int) -> dict[str, Any]:
    return {
        "description": _MEANINGS[status],
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
