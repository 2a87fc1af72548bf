"""The schema of the API is valid and complete, and the committed file is up to date."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

import saas_app.web.error_pages as error_pages
from saas_app.errors import AppError
from saas_app.rbac.permissions import Permission
from saas_app.web.guards import Callers
from saas_app.web.json_api.idempotency import REPEATABLE
from saas_app.web.json_api.pages import schema_text
from saas_app.web.json_api.preconditions import IF_MATCH
from tests.databases import ROOT
from tests.rules.routes import ROUTES, Route, application

pytestmark = pytest.mark.one_database

APP = application()
TEXT = schema_text(APP)
SCHEMA: dict[str, Any] = json.loads(TEXT)
DOCUMENT = "urn:openapi"
_REGISTRY: Registry[Any] = Registry().with_resource(
    DOCUMENT, Resource(contents=SCHEMA, specification=DRAFT202012)
)
_ONLY_ON_PAGES = {
    "support-not-granted",
    "sign-in-failed",
    "signature-rejected",
    "not-invited",
    "domain-not-verified",
    "version-conflict",
    "internal",
    "opened-by-somebody-else",
    "scripted-sign-in-failed",
}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in SCHEMA["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


OPERATIONS = list(operations())
each_operation = pytest.mark.parametrize(
    ("method", "path", "operation"), OPERATIONS, ids=lambda value: value if isinstance(value, str) else ""
)


def test_the_schema_is_valid_openapi() -> None:
    from openapi_spec_validator import OpenAPIV31SpecValidator  # takes seconds

    assert SCHEMA["openapi"].startswith("3.1.")
    problems = list(OpenAPIV31SpecValidator(SCHEMA).iter_errors())
    assert problems == []


def test_the_committed_schema_is_up_to_date() -> None:
    committed = (ROOT / "docs/openapi.json").read_text(encoding="utf-8")
    assert committed == TEXT, (
        "The API changed: run 'saas-app openapi --write docs/openapi.json' and check the diff."
    )


def test_the_schema_contains_exactly_the_routes_of_the_api() -> None:
    routes = {(route.method, _as_path(route)) for route in ROUTES if route.rule.startswith("/api/v1/")}
    assert routes == {(method, path) for method, path, _ in OPERATIONS}


def test_operations_have_unique_names_and_described_tags() -> None:
    names = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(names) == len(set(names))
    tags = {tag["name"] for tag in SCHEMA["tags"]}
    assert all(tag["description"] for tag in SCHEMA["tags"])
    assert {tag for _, _, operation in OPERATIONS for tag in operation["tags"]} == tags


@each_operation
def test_an_operation_describes_itself_and_its_parameters(
    method: str, path: str, operation: dict[str, Any]
) -> None:
    assert operation["summary"]
    assert not operation["summary"].endswith(".")
    assert operation["description"]
    assert all(parameter["description"] for parameter in operation["parameters"])
    named = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"}
    assert named == set(re.findall(r"{(\w+)}", path))


@each_operation
def test_an_operation_documents_its_errors(method: str, path: str, operation: dict[str, Any]) -> None:
    statuses = set(operation["responses"])
    assert any(status.startswith("2") for status in statuses)
    assert statuses >= {"401", "429", "503"}
    if "{organization_id}" in path:
        assert statuses >= {"403", "404"}
    if any(parameter["in"] == "query" for parameter in operation["parameters"]):
        assert "400" in statuses
    if "requestBody" in operation:
        assert statuses >= {"400", "413", "415", "422"}
        assert operation["requestBody"]["required"]
    for status, response in operation["responses"].items():
        if int(status) >= 400:
            assert response == {"$ref": f"#/components/responses/Problem{status}"}


@each_operation
def test_an_operation_requires_the_permission_that_its_guard_checks(
    method: str, path: str, operation: dict[str, Any]
) -> None:
    (route,) = (route for route in ROUTES if route.method == method and _as_path(route) == path)
    assert route.guard is not None
    assert route.guard.callers is not Callers.PUBLIC
    schemes = {name: scopes for entry in operation["security"] for name, scopes in entry.items()}
    assert set(schemes) <= set(SCHEMA["components"]["securitySchemes"])
    assert "session" in schemes
    if route.guard.permission is None:
        assert set(schemes) == {"apiToken", "organizationToken", "session"}
        return
    assert set(map(tuple, schemes.values())) == {(route.guard.permission.value,)}
    assert route.guard.permission.value in operation["description"]


@each_operation
def test_an_operation_documents_its_headers(method: str, path: str, operation: dict[str, Any]) -> None:
    (route,) = (route for route in ROUTES if route.method == method and _as_path(route) == path)
    view = APP.view_functions[route.endpoint]
    taken = {
        parameter["name"]: parameter for parameter in operation["parameters"] if parameter["in"] == "header"
    }
    sent = {
        name for status in operation["responses"] for name in _headers(operation, status) if status < "400"
    }
    assert ("If-Match" in taken) is hasattr(view, IF_MATCH)
    assert (
        ("Idempotency-Key" in taken) is ("Idempotency-Replayed" in sent) is getattr(view, REPEATABLE, False)
    )
    assert sent >= {"X-Request-Id", "RateLimit", "RateLimit-Policy"}
    if "If-Match" in taken:
        assert taken["If-Match"]["required"] is (getattr(view, IF_MATCH) == "required")
        assert "ETag" in sent or not taken["If-Match"]["required"]
        assert "412" in operation["responses"]
    if {"limit", "cursor"} <= {parameter["name"] for parameter in operation["parameters"]}:
        assert "Link" in sent


def test_the_scopes_of_the_token_schemes_match_the_registry() -> None:
    schemes = SCHEMA["components"]["securitySchemes"]
    scopes = {**schemes["apiToken"]["x-scopes"], **schemes["organizationToken"]["x-scopes"]}
    assert scopes == {permission.value: permission.description for permission in Permission}


def test_errors_that_another_token_or_a_retry_can_fix_have_the_header_that_says_so() -> None:
    responses = SCHEMA["components"]["responses"]
    for status, header in ((401, "WWW-Authenticate"), (403, "WWW-Authenticate")):
        assert header in responses[f"Problem{status}"]["headers"]
    for status in (429, 503):
        assert "Retry-After" in responses[f"Problem{status}"]["headers"]


@pytest.mark.parametrize("name", sorted(SCHEMA["components"]["responses"]))
def test_examples_of_problems_are_problems(name: str) -> None:
    content = SCHEMA["components"]["responses"][name]["content"]["application/problem+json"]
    for code, example in content["examples"].items():
        _check(example["value"], "Problem")
        assert example["value"]["code"] == code
        assert f"Problem{example['value']['status']}" == name


@each_operation
def test_a_body_has_an_example_that_its_schema_accepts(
    method: str, path: str, operation: dict[str, Any]
) -> None:
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]
        _check(content["example"], content["schema"]["$ref"].rsplit("/", 1)[1])


def test_the_guide_lists_every_error_code_of_the_api() -> None:
    guide = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| (\d{3}) \| `([a-z-]+)` \|", guide, flags=re.MULTILINE))
    ours = {(str(error.status), error.code) for error in _family(AppError)}
    framework = {(str(status), code) for status, (code, _, _) in error_pages._HTTP_ERRORS.items()}
    assert listed == {(status, code) for status, code in ours | framework if code not in _ONLY_ON_PAGES}


def _family(error: type[AppError]) -> Iterator[type[AppError]]:
    yield error
    for child in error.__subclasses__():
        is_on_pages_of_the_lab = child.__module__.startswith("saas_app.lab.")
        if child.__module__.startswith("saas_app.") and not is_on_pages_of_the_lab:
            yield from _family(child)


def _as_path(route: Route) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.rule)


def _headers(operation: dict[str, Any], status: str) -> set[str]:
    return set(operation["responses"][status].get("headers", {}))


def _check(value: Any, schema: str) -> None:
    from openapi_schema_validator import OAS31Validator  # takes seconds

    reference = {"$ref": f"{DOCUMENT}#/components/schemas/{schema}"}
    OAS31Validator(reference, registry=_REGISTRY, format_checker=OAS31Validator.FORMAT_CHECKER).validate(
        value
    )
