"""The OpenAPI 3.1 document of the JSON API, generated from routes, models and guards.

The security and the errors of an operation come from its guard, so they cannot be forgotten or out of date.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from quart import Quart
from quart_schema import Info, QuartSchema, Tag
from quart_schema.openapi import OpenAPIProvider, Server
from werkzeug.routing import UUIDConverter
from werkzeug.routing.converters import BaseConverter
from werkzeug.routing.rules import Rule

from saas_app.rbac.permissions import roles_granting
from saas_app.text.ids import ID_PATTERN
from saas_app.text.languages import SOURCE, speaking
from saas_app.web.guards import Callers, Guard
from saas_app.web.json_api import openapi_parts as parts
from saas_app.web.json_api.examples import BODIES, PARAMETERS
from saas_app.web.json_api.idempotency import REPEATABLE
from saas_app.web.json_api.preconditions import IF_MATCH
from saas_app.web.json_api.responses import ANSWERS, SENDS

API_PREFIX: Final = "/api/v1"
SCHEMA_PATH: Final = "/api/openapi.json"
VERSION: Final = "1.0.0"

_ENTITY_TAGS: Final = {"pattern": r'^(\*|(W/)?"[!#-~]*"(, ?(W/)?"[!#-~]*")*)$'}  # RFC 9110 section 13.1.1
_KEY: Final = {"minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
_ARGUMENT: Final = re.compile(r"<(?:[^:<>]*:)?([^<>]+)>")


_ABOUT: Final = """\
Projects, tasks, members and the audit log of an organization.

* **Authentication**: `Authorization: Bearer` with a token from Logto, or the session of a signed-in browser.
  Each operation says which kind of token it accepts. A token belongs to one organization.
* **Errors** are problem documents (RFC 9457) with a stable `code` and a `request_id`.
* **Lists** are paged with `limit` and `cursor`. The `Link` header and `next_cursor` lead to the next page.
* **Edits** require the version they change: send the `ETag` you read as `If-Match`. It is optional for
  deleting and archiving.
* **Creations** with an `Idempotency-Key` happen once, even if the request is repeated within 24 hours.
* **Bodies** are JSON of at most 1 MB. Unknown fields are rejected.
"""


class _Provider(OpenAPIProvider):
    """Describes the API's routes, with the responses of their guards, bodies and preconditions."""

    def schema(self) -> dict[str, Any]:
        document = super().schema()
        schemas = {**document["components"]["schemas"], **parts.problem_schemas()}
        _remove_titles(schemas)
        document["info"]["license"] = {"name": "MIT", "identifier": "MIT"}
        document["components"] = {
            "schemas": schemas,
            "responses": parts.problem_responses(),
            "headers": parts.headers(),
            "securitySchemes": parts.security_schemes(),
        }
        return document

    def generate_rules(self) -> Iterable[Rule]:
        rules = (rule for rule in super().generate_rules() if rule.rule.startswith(API_PREFIX + "/"))
        return sorted(rules, key=lambda rule: (rule.rule, rule.endpoint))

    def build_paths(self, rule: Rule) -> tuple[dict[str, Any], dict[str, Any]]:
        # quart-schema 0.25 drops the text between two arguments, so the path is built here
        path, (built, components) = _ARGUMENT.sub(r"{\1}", rule.rule), super().build_paths(rule)
        operations = next(iter(built.values()))
        view = self._app.view_functions[rule.endpoint]
        for operation in operations.values():
            _complete(operation, view)
        return {path: operations}, components

    def build_request_body(self, model: Any, source: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        body, components = super().build_request_body(model, source)
        named = _name_schemas(body)
        body["required"] = True
        for name, content in zip(named, body["content"].values(), strict=True):
            if name in BODIES:
                content["example"] = BODIES[name]
        return body, components | named

    def build_response_object(self, model: Any, headers_model: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        answer, components = super().build_response_object(model, headers_model)
        if "next_cursor" in model.model_fields:
            answer["headers"] = parts.header_references("Link")
        return answer, components | _name_schemas(answer)

    def build_path_parameter(self, name: str, converter: BaseConverter) -> dict[str, Any]:
        parameter: dict[str, Any] = super().build_path_parameter(name, converter)
        if isinstance(converter, UUIDConverter):
            parameter["schema"] = {"type": "string", "format": "uuid"}
        else:
            parameter["schema"] = {"type": "string", "pattern": f"^{ID_PATTERN}$"}
        return parameter

    def operation_id(self, method: str, path: str, func: Any) -> str | None:
        return str(func.__name__)


def init(app: Quart, tags: list[Tag | dict[Any, Any]]) -> None:
    """Set up quart-schema to describe the API. Its own pages load from other sites and are disabled.

    Responses are written by :mod:`saas_app.web.json_api.validation`. quart-schema would convert every
    response of the application again. ``tags`` are the groups of operations, in the order in which they are
    shown.
    """
    make_response = app.make_response
    QuartSchema(
        app,
        openapi_path=None,
        info=Info(
            title="Workroom API",
            version=VERSION,
            summary="The Workroom API",
            description=_ABOUT,
        ),
        servers=[Server("/", description="The installation that serves this document")],
        tags=tags,
        conversion_preference="pydantic",
        openapi_provider_class=_Provider,
    )
    app.make_response = make_response  # type: ignore[method-assign]


def build_schema(app: Quart) -> dict[str, Any]:
    """Return the OpenAPI document of the application. It is in English, whoever reads it."""
    with speaking(SOURCE):
        document: dict[str, Any] = app.extensions["QUART_SCHEMA"].openapi_provider.schema()
    return document


def _name_schemas(described: dict[str, Any]) -> dict[str, Any]:
    """Replace the schemas of a body by references, and return them by the names of their models."""
    named = {}
    for content in described["content"].values():
        schema = content["schema"]
        named[schema["title"]] = schema
        content["schema"] = {"$ref": f"#/components/schemas/{schema['title']}"}
    return named


def _remove_titles(schemas: dict[str, Any]) -> None:
    """Remove the titles that pydantic derives from field names."""
    for schema in schemas.values():
        for field in schema.get("properties", {}).values():
            field.pop("title", None)


def _complete(operation: dict[str, Any], view: Any) -> None:
    guard: Guard = view.guard
    operation["security"] = _security(guard)
    if guard.permission is not None:
        operation["x-permission"] = guard.permission.value
    _describe(operation, guard)
    _add_request_headers(operation, view)
    _add_responses(operation, view)


def _describe(operation: dict[str, Any], guard: Guard) -> None:
    """Use the docstring's first sentence as the summary, and add the guard's requirements to the rest."""
    summary, _, more = operation["summary"].partition(". ")
    operation["summary"] = summary.removesuffix(".")
    paragraphs = [more, operation["description"].strip(), _requirement(guard)]
    operation["description"] = "\n\n".join(filter(None, paragraphs))
    for parameter in operation["parameters"]:
        parameter["schema"] = _not_null(parameter["schema"])
        if not parameter.get("description"):
            parameter["description"] = PARAMETERS.get(parameter["name"], "")


def _not_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Remove null from the schema of a parameter: None in Python means that it is missing."""
    untitled = {name: value for name, value in schema.items() if name != "title"}
    choices = [choice for choice in untitled.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) != 1:
        return untitled
    del untitled["anyOf"], untitled["default"]
    return {**choices[0], **untitled}


def _requirement(guard: Guard) -> str:
    if guard.permission is not None:
        roles = ", ".join(role.value for role in roles_granting(guard.permission))
        return (
            f"Permission: `{guard.permission.value}`, in the "
            f"{guard.permission.carrier.value}. Roles that grant it: {roles}."
        )
    if guard.callers is Callers.MEMBER:
        return "For every member and API client of the organization."
    return "For every authenticated caller."


def _security(guard: Guard) -> list[dict[str, list[str]]]:
    """Return the accepted credentials. Each entry alone is enough."""
    if guard.permission is not None:
        scopes = [guard.permission.value]
        return [{parts.SCHEME_OF[guard.permission.carrier]: scopes}, {parts.SESSION: scopes}]
    return [{name: []} for name in (*parts.SCHEME_OF.values(), parts.SESSION)]


def _error_statuses(operation: dict[str, Any]) -> frozenset[int]:
    statuses = {401, 429, 503}
    places = {parameter["in"] for parameter in operation["parameters"]}
    if "path" in places:
        statuses |= {
            403,
            404,
        }  # 403 without a permission: a second factor is required, or the call comes from another site
    if "query" in places:
        statuses.add(400)
    if "requestBody" in operation:
        statuses |= {400, 413, 415, 422}
    return frozenset(statuses)


def _add_responses(operation: dict[str, Any], view: Any) -> None:
    responses: dict[int, Any] = dict(operation["responses"])
    for status in _error_statuses(operation) | getattr(view, ANSWERS, frozenset()):
        response = parts.problem_reference(status) if status >= 400 else {"description": "Done."}
        responses.setdefault(status, response)
    for status, response in responses.items():
        if status < 400:
            response["headers"] = {**response.get("headers", {}), **parts.header_references(*_sent(view))}
    operation["responses"] = {str(status): responses[status] for status in sorted(responses)}


def _sent(view: Any) -> list[str]:
    """Return the headers of a successful response: those that the view and its decorators declare."""
    sent = list(getattr(view, SENDS, ()))
    if getattr(view, REPEATABLE, False):
        sent.append("Idempotency-Replayed")
    return sent


def _add_request_headers(operation: dict[str, Any], view: Any) -> None:
    parameters = list(operation["parameters"])
    if (if_match := getattr(view, IF_MATCH, None)) is not None:
        description = 'The `ETag` of the version to change, including quotes: `"3"`'
        required = if_match == "required"
        parameters.append(_header("If-Match", description, _ENTITY_TAGS, required=required))
    if getattr(view, REPEATABLE, False):
        description = (
            "A key of your choice. A repeated request with the same key returns the same "
            "response and has no further effect"
        )
        parameters.append(_header("Idempotency-Key", description, _KEY))
    operation["parameters"] = parameters


def _header(name: str, description: str, text: dict[str, Any], *, required: bool = False) -> dict[str, Any]:
    schema = {"type": "string", **text}
    return {"name": name, "in": "header", "description": description, "required": required, "schema": schema}
