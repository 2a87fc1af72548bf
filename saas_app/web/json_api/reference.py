"""The reference that ``/api/docs`` shows, read from the OpenAPI document.

Types are written as in TypeScript, and limits by their names in JSON Schema: both read the same in every
language. The document's own texts stay English.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup, escape

from saas_app.rbac.permissions import Carrier
from saas_app.text.translation import _
from saas_app.web.json_api.openapi_parts import ON_EVERY_RESPONSE, SCHEME_OF, SESSION

SCHEMAS_PATH: Final = "/api/docs/schemas"

_METHODS: Final = ("get", "post", "put", "patch", "delete")  # in the order in which they are shown
_CODE: Final = re.compile(r"``?([^`]+)``?")
_SCHEMA_LINK: Final = Markup('<a href="{0}#schema-{1}">{1}</a>')
_ITEMS: Final = Markup("{}[]")
_UNION_ITEMS: Final = Markup("({})[]")
_AS_CODE: Final = Markup("<code>{}</code>")
_ARGUMENT: Final = re.compile(r"{(\w+)}")
_LIMITS: Final = ("default", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")
_LABELS: Final[Mapping[str, str]] = {
    SCHEME_OF[Carrier.API_TOKEN]: _("API-resource token"),
    SCHEME_OF[Carrier.ORGANIZATION_TOKEN]: _("organization token"),
    SESSION: _("browser session"),
}
_VARIABLES: Final = {
    "organization_id": "ORGANIZATION"
}  # as in docs/api.md; others are named like the argument
_IN_COMMANDS: Final = {"If-Match": '"3"'}  # headers without which the request is rejected


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter of an operation, or a property of a schema. ``place`` is empty for a property."""

    name: str
    type: Markup
    is_required: bool
    description: Markup
    limits: tuple[str, ...]
    choices: tuple[str, ...]
    default: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Body:
    """What a request sends: its type, and an example as JSON."""

    type: Markup
    example: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful response. ``type`` is empty without a body. Headers of every response are left out."""

    status: str
    description: Markup
    type: Markup
    headers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Credential:
    """A security scheme. ``label`` is its name for people."""

    name: str
    label: str
    description: Markup


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. ``command`` is a call with curl; its variables are those of docs/api.md."""

    id: str
    method: str
    path: str
    summary: str
    paragraphs: tuple[Markup, ...]
    permission: str
    credentials: tuple[Credential, ...]
    parameters: tuple[Field, ...]
    body: Body | None
    answers: tuple[Answer, ...]
    problems: tuple[str, ...]
    command: str


@dataclass(frozen=True, slots=True)
class Group:
    """The operations with one tag."""

    name: str
    description: Markup
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Schema:
    """A model. An enumeration has a ``type`` instead of fields."""

    name: str
    description: Markup
    fields: tuple[Field, ...]
    type: Markup


@dataclass(frozen=True, slots=True)
class Problem:
    """An error response: its status, its meaning, and an example of each code."""

    status: str
    meaning: Markup
    examples: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reference:
    """The whole document."""

    version: str
    groups: tuple[Group, ...]
    credentials: tuple[Credential, ...]
    problems: tuple[Problem, ...]
    headers: tuple[Field, ...]
    schemas: tuple[Schema, ...]


def read_reference(document: Mapping[str, Any]) -> Reference:
    """Return what the page shows of an OpenAPI document."""
    components = document["components"]
    credentials = {
        name: Credential(name, _LABELS[name], _text(scheme["description"]))
        for name, scheme in components["securitySchemes"].items()
    }
    operations = list(_operations(document, credentials))
    return Reference(
        version=document["info"]["version"],
        groups=tuple(
            Group(
                tag["name"],
                _text(tag["description"]),
                tuple(operation for name, operation in operations if name == tag["name"]),
            )
            for tag in document["tags"]
        ),
        credentials=tuple(credentials.values()),
        problems=tuple(_problem(response) for response in components["responses"].items()),
        headers=tuple(_header(header) for header in components["headers"].items()),
        schemas=tuple(
            _schema(name, schema, components["schemas"])
            for name, schema in sorted(components["schemas"].items())
        ),
    )


def _operations(
    document: Mapping[str, Any], credentials: Mapping[str, Credential]
) -> Iterator[tuple[str, Operation]]:
    """Yield each operation with the name of its tag."""
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method in sorted(methods, key=_METHODS.index):
            operation = methods[method]
            parameters = tuple(_parameter(described, schemas) for described in operation["parameters"])
            body = _body(operation.get("requestBody"))
            responses = operation["responses"].items()
            yield (
                operation["tags"][0],
                Operation(
                    id=operation["operationId"],
                    method=method.upper(),
                    path=path,
                    summary=operation["summary"],
                    paragraphs=tuple(map(_text, operation["description"].split("\n\n"))),
                    permission=operation.get("x-permission", ""),
                    credentials=tuple(credentials[name] for entry in operation["security"] for name in entry),
                    parameters=parameters,
                    body=body,
                    answers=tuple(_answer(*response) for response in responses if response[0] < "400"),
                    problems=tuple(status for status in operation["responses"] if status >= "400"),
                    command=_command(method.upper(), path, parameters, body),
                ),
            )


def _body(described: Mapping[str, Any] | None) -> Body | None:
    if described is None:
        return None
    content = described["content"]["application/json"]
    return Body(_type(content["schema"]), _json(content["example"]))


def _answer(status: str, response: Mapping[str, Any]) -> Answer:
    schemas = [content["schema"] for content in response.get("content", {}).values()]
    headers = tuple(name for name in response.get("headers", ()) if name not in ON_EVERY_RESPONSE)
    return Answer(status, _text(response["description"]), _type(schemas[0]) if schemas else Markup(), headers)


def _problem(response: tuple[str, Mapping[str, Any]]) -> Problem:
    name, described = response
    examples = described["content"]["application/problem+json"]["examples"]
    return Problem(
        status=name.removeprefix("Problem"),
        meaning=_text(described["description"]),
        examples={code: _json(example["value"]) for code, example in examples.items()},
    )


def _header(header: tuple[str, Mapping[str, Any]]) -> Field:
    name, described = header
    return _field(name, described["schema"], described["description"], required=described["required"])


def _parameter(described: Mapping[str, Any], schemas: Mapping[str, Any]) -> Field:
    return _field(
        described["name"],
        described["schema"],
        described["description"],
        required=described.get("required", False),
        place=described["in"],
        schemas=schemas,
    )


def _schema(name: str, schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Schema:
    needed = schema.get("required", ())
    fields = tuple(
        _field(field, described, described.get("description", ""), required=field in needed, schemas=schemas)
        for field, described in schema.get("properties", {}).items()
    )
    return Schema(name, _text(schema.get("description", "")), fields, Markup() if fields else _type(schema))


def _field(
    name: str,
    schema: Mapping[str, Any],
    description: str,
    *,
    required: bool,
    place: str = "",
    schemas: Mapping[str, Any] | None = None,
) -> Field:
    flat = _not_null(schema)
    target = (schemas or {}).get(_name(flat.get("$ref", "")), flat)
    default = schema.get("default", flat.get("default"))
    limits = {**flat, "default": default}
    return Field(
        name=name,
        type=_type(schema),
        is_required=required,
        description=_text(description),
        limits=tuple(f"{key}: {limits[key]}" for key in _LIMITS if limits.get(key) not in (None, "")),
        choices=tuple(map(str, target.get("enum", ()))),
        default="" if default is None else str(default),
        place=place,
    )


def _not_null(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema without null, if that leaves one choice."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice.get("type") != "null"]
    return choices[0] if len(choices) == 1 else schema


def _type(schema: Mapping[str, Any]) -> Markup:
    """Return the type as in TypeScript, with links to schemas. A format is added in parentheses."""
    if "$ref" in schema:
        return _SCHEMA_LINK.format(SCHEMAS_PATH, _name(schema["$ref"]))
    if "anyOf" in schema:
        return Markup(" | ").join(map(_type, schema["anyOf"]))
    if "enum" in schema:
        return Markup(" | ").join(json.dumps(choice) for choice in schema["enum"])
    kind = schema.get("type", "any")
    if kind == "array":
        items = _type(schema["items"])
        return (_UNION_ITEMS if " | " in items else _ITEMS).format(items)
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return Markup("{{[key: string]: {}}}").format(_type(schema["additionalProperties"]))
    return Markup("{} ({})").format(kind, schema["format"]) if "format" in schema else escape(kind)


def _name(reference: str) -> str:
    """Return the last part of a reference such as ``#/components/schemas/Project``."""
    return reference.rsplit("/", 1)[-1]


def _text(text: str) -> Markup:
    """Return a text with its code marked: the only Markdown that descriptions of the document use."""
    parts = enumerate(_CODE.split(text))  # every second part is code
    return Markup().join(_AS_CODE.format(part) if number % 2 else part for number, part in parts)


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _command(method: str, path: str, parameters: tuple[Field, ...], body: Body | None) -> str:
    """Return a call with curl, with what the operation requires and no more."""
    url = _ARGUMENT.sub(lambda found: "$" + _VARIABLES.get(found[1], found[1].upper()), path)
    curl = "curl -sS --fail-with-body"
    if method != ("GET" if body is None else "POST"):  # what curl sends anyway
        curl += f" -X {method}"
    lines = [f'{curl} "$WORKROOM{url}"', '-H "Authorization: Bearer $TOKEN"']
    lines += [
        f"-H {shlex.quote(f'{field.name}: {_IN_COMMANDS[field.name]}')}"
        for field in parameters
        if field.name in _IN_COMMANDS and field.is_required
    ]
    if body is not None:
        compact = json.dumps(json.loads(body.example), ensure_ascii=False)
        lines.append(f"--json {shlex.quote(compact)}")
    return " \\\n  ".join(lines)
