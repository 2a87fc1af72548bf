"""The schema of the JSON API, from the code: routes, models, guards. OpenAPI 3.1.

A route's guard tells its security and its refusals, so neither can be forgotten or go stale.
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
from saas_app.web.guards import Audience, Guard
from saas_app.web.json_api import openapi_parts as parts
from saas_app.web.json_api.examples import BODIES, PARAMETERS
from saas_app.web.json_api.idempotency import REPEATABLE
from saas_app.web.json_api.preconditions import CHANGES_VERSION
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
    """Only the API's routes, each with what its guard, body and preconditions may answer."""

    def schema(self) -> dict[str, Any]:
        document = super().schema()
        schemas = {**document["components"]["schemas"], **parts.problem_schemas()}
        _forget_titles(schemas)
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
        # quart-schema 0.25 drops what stands between two arguments, so the path is made here
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
    """Let quart-schema validate and describe; its own pages load from elsewhere and stay off.

    ``tags``: the groups of operations, in the order in which a reader meets them.
    """
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


def _forget_titles(schemas: dict[str, Any]) -> None:
    """Drop the titles pydantic makes of field names: they say nothing that the names do not."""
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
    """The docstring's first sentence is the summary; what the guard asks for ends the description."""
    summary, _, more = operation["summary"].partition(". ")
    operation["summary"] = summary.removesuffix(".")
    told = [more, operation["description"].strip(), _asked_for(guard)]
    operation["description"] = "\n\n".join(filter(None, told))
    for parameter in operation["parameters"]:
        parameter["schema"] = _given(parameter["schema"])
        if not parameter.get("description"):
            parameter["description"] = PARAMETERS.get(parameter["name"], "")


def _given(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a parameter that is there: one that is left out is None in Python, never null here."""
    told = {name: value for name, value in schema.items() if name != "title"}
    choices = [choice for choice in told.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) != 1:
        return told
    del told["anyOf"], told["default"]
    return {**choices[0], **told}


def _asked_for(guard: Guard) -> str:
    if guard.permission is not None:
        roles = ", ".join(role.value for role in roles_granting(guard.permission))
        return (
            f"Permission: `{guard.permission.value}`, in the "
            f"{guard.permission.carrier.value}. Roles that grant it: {roles}."
        )
    if guard.audience is Audience.MEMBER:
        return "For every member and API client of the organization."
    return "For every authenticated caller."


def _security(guard: Guard) -> list[dict[str, list[str]]]:
    """What a caller may come with. Each entry is enough."""
    if guard.permission is not None:
        scopes = [guard.permission.value]
        return [{parts.SCHEME_OF[guard.permission.carrier]: scopes}, {parts.SESSION: scopes}]
    return [{name: []} for name in (*parts.SCHEME_OF.values(), parts.SESSION)]


def _refusals(operation: dict[str, Any]) -> frozenset[int]:
    statuses = {401, 429, 503}
    places = {parameter["in"] for parameter in operation["parameters"]}
    if "path" in places:
        statuses |= {403, 404}  # 403 also without a permission: a second factor, a call from another site
    if "query" in places:
        statuses.add(400)
    if "requestBody" in operation:
        statuses |= {400, 413, 415, 422}
    return frozenset(statuses)


def _add_responses(operation: dict[str, Any], view: Any) -> None:
    responses: dict[int, Any] = dict(operation["responses"])
    for status in _refusals(operation) | getattr(view, ANSWERS, frozenset()):
        told = parts.problem_reference(status) if status >= 400 else {"description": "Done."}
        responses.setdefault(status, told)
    for status, response in responses.items():
        if status < 400:
            response["headers"] = {**response.get("headers", {}), **parts.header_references(*_sent(view))}
    operation["responses"] = {str(status): responses[status] for status in sorted(responses)}


def _sent(view: Any) -> list[str]:
    """The headers of a success: what the view declares, and what its kind brings along."""
    sent = list(getattr(view, SENDS, ()))
    if getattr(view, REPEATABLE, False):
        sent.append("Idempotency-Replayed")
    return sent


def _add_request_headers(operation: dict[str, Any], view: Any) -> None:
    parameters = list(operation["parameters"])
    if (if_match := getattr(view, CHANGES_VERSION, None)) is not None:
        told = 'The `ETag` of the version to change, including quotes: `"3"`'
        required = if_match == "required"
        parameters.append(_header("If-Match", told, _ENTITY_TAGS, required=required))
    if getattr(view, REPEATABLE, False):
        told = (
            "A key of your choice. A repeated request with the same key returns the same "
            "response and has no further effect"
        )
        parameters.append(_header("Idempotency-Key", told, _KEY))
    operation["parameters"] = parameters


def _header(name: str, told: str, text: dict[str, Any], *, required: bool = False) -> dict[str, Any]:
    schema = {"type": "string", **text}
    return {"name": name, "in": "header", "description": told, "required": required, "schema": schema}
