"""What operations of the schema refer to: problems with examples, response headers, ways to authenticate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from werkzeug.exceptions import RequestEntityTooLarge

from saas_app.errors import (
    AppError,
    BadRequest,
    Busy,
    Conflict,
    CrossSiteRequest,
    DatabaseBusy,
    DatabaseUnavailable,
    Invalid,
    InvalidToken,
    LogtoUnavailable,
    ManagementNotSetUp,
    MfaRequired,
    NotFound,
    PermissionDenied,
    PreconditionFailed,
    PreconditionRequired,
    RateLimited,
    SignInRequired,
    UnsupportedMediaType,
)
from saas_app.rbac.permissions import Carrier, Permission, permissions_carried_by
from saas_app.rbac.policy import AccessFacts, decide
from saas_app.web.error_pages import as_app_error, problem_document
from saas_app.web.json_api.models import Problem

SESSION: Final = "session"
SCHEME_OF: Final = {Carrier.API_TOKEN: "apiToken", Carrier.ORGANIZATION_TOKEN: "organizationToken"}
ON_EVERY_ANSWER: Final = ("RateLimit", "RateLimit-Policy", "X-Request-Id")

_ALWAYS_THERE: Final = frozenset({"ETag", "Location", "X-Request-Id"})  # where they are declared
_SCHEMAS: Final = "#/components/schemas/"
_REQUEST_ID: Final = "01990d3c5f7a4b3e8b0c2f8a7d1e6b90"

_MEANINGS: Final = {
    400: "The request cannot be understood: a parameter, a header, the cursor or the JSON is malformed.",
    401: "No credential, or a token that is not accepted; `WWW-Authenticate` says which.",
    403: "The token does not carry the permission, and `decision` says step by step why; or a browser "
    "session was used from another site, or the organization requires a second factor.",
    404: "It does not exist, or the caller may not see it.",
    409: "It conflicts with the current state.",
    412: "`If-Match` is not the current version. Nothing was changed.",
    413: "The body is larger than 1 MB.",
    415: "The body is not `application/json`.",
    422: "Well-formed, but a field is invalid; `errors` names it.",
    428: "An edit needs `If-Match`.",
    429: "Too many requests; `Retry-After` says when to try again.",
    503: "Logto or the database is not reachable or busy; `Retry-After` says when to try again.",
}

_PROBLEM_HEADERS: Final[dict[int, tuple[str, ...]]] = {
    401: ("WWW-Authenticate",),
    403: ("WWW-Authenticate",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}

_HEADERS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "ETag": ("The version, quotes included, as `If-Match` wants it.", {"type": "string"}),
    "Location": ("The address of the created item.", {"type": "string", "format": "uri-reference"}),
    "Link": ('The next page, `rel="next"` (RFC 8288); absent on the last one.', {"type": "string"}),
    "Idempotency-Replayed": (
        "`true` when this answer was stored under the same `Idempotency-Key` before.",
        {"type": "string", "enum": ["true"]},
    ),
    "WWW-Authenticate": (
        "What to send instead (RFC 6750 §3): `error`, and `scope` for the missing permission; "
        "`resource_metadata` is where RFC 9728 metadata stand.",
        {"type": "string"},
    ),
    "Retry-After": ("When to try again, in seconds.", {"type": "integer", "minimum": 0}),
    "RateLimit": (
        "What is left of each limit: `r` requests left, `t` seconds until the window starts again "
        "(draft-ietf-httpapi-ratelimit-headers-10).",
        {"type": "string"},
    ),
    "RateLimit-Policy": ("The limits that count: `q` requests in `w` seconds.", {"type": "string"}),
    "X-Request-Id": ("Names this request in logs, problems and the audit trail.", {"type": "string"}),
}


def _denial() -> PermissionDenied:
    facts = AccessFacts(
        subject="fq3n2k8w0xhz",
        organization_name="Acme Robotics",
        role_names=None,
        granted=frozenset({Permission.PROJECTS_READ}),
        carriers=frozenset({Carrier.API_TOKEN}),
    )
    return PermissionDenied(decide(facts, Permission.PROJECTS_WRITE))


_EXAMPLES: Final[dict[int, tuple[AppError, ...]]] = {
    400: (BadRequest("limit: Input should be less than or equal to 100"),),
    401: (
        SignInRequired(),
        InvalidToken("The membership changed after the token was issued: fetch a new one."),
    ),
    403: (_denial(), CrossSiteRequest(), MfaRequired()),
    404: (NotFound("There is no such organization, or the token is not for it."),),
    409: (Conflict(), Busy(), ManagementNotSetUp()),
    412: (PreconditionFailed("It has changed since you read it. Nothing was overwritten."),),
    413: (as_app_error(RequestEntityTooLarge()),),
    415: (UnsupportedMediaType("Send the body as application/json."),),
    422: (Invalid("The request is invalid.", fields={"name": "must not be blank"}),),
    428: (PreconditionRequired("Send If-Match with the ETag of the version you have read."),),
    429: (RateLimited(),),
    503: (LogtoUnavailable(), DatabaseBusy(), DatabaseUnavailable()),
}


def problem_reference(status: int) -> dict[str, str]:
    """A refusal, as an operation names it."""
    return {"$ref": f"#/components/responses/Problem{status}"}


def header_references(*names: str) -> dict[str, Any]:
    """Headers of an answer, as it names them."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*names, *ON_EVERY_ANSWER)}


def problem_schemas() -> dict[str, Any]:
    """The schema of a problem document, and of the decision in it."""
    problem = Problem.model_json_schema(ref_template=_SCHEMAS + "{model}")
    return {**problem.pop("$defs"), "Problem": problem}


def problem_responses() -> dict[str, Any]:
    """Every refusal with an example of each of its codes."""
    return {f"Problem{status}": _problem(status, meaning) for status, meaning in _MEANINGS.items()}


def headers() -> dict[str, Any]:
    """Every response header there is."""
    return {
        name: {"description": told, "required": name in _ALWAYS_THERE, "schema": schema}
        for name, (told, schema) in _HEADERS.items()
    }


def security_schemes() -> dict[str, Any]:
    """Two kinds of bearer token and the browser session."""
    return {
        SCHEME_OF[Carrier.API_TOKEN]: _bearer(
            Carrier.API_TOKEN,
            "A JWT of Logto's for this API resource, asked for with `resource` and `organization_id`.",
        ),
        SCHEME_OF[Carrier.ORGANIZATION_TOKEN]: _bearer(
            Carrier.ORGANIZATION_TOKEN,
            "A JWT of Logto's for the organization, asked for with `organization_id` alone.",
        ),
        SESSION: {
            "type": "apiKey",
            "in": "cookie",
            "name": "workroom_session",
            "description": "The cookie of a browser that is signed in to Workroom; on HTTPS its name begins "
            "with `__Host-`. Changes are accepted from Workroom's own pages only. "
            "A bearer token wins over it.",
        },
    }


def _bearer(carrier: Carrier, told: str) -> dict[str, Any]:
    scopes: Mapping[str, str] = {
        permission.value: permission.description for permission in permissions_carried_by(carrier)
    }
    return {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": f"{told} Scopes: {', '.join(f'`{scope}`' for scope in scopes)}.",
        "x-scopes": dict(scopes),
    }


def _problem(status: int, meaning: str) -> dict[str, Any]:
    examples = {
        error.code: {"summary": error.title, "value": problem_document(error, _REQUEST_ID)}
        for error in _EXAMPLES[status]
    }
    content = {"schema": {"$ref": f"{_SCHEMAS}Problem"}, "examples": examples}
    return {
        "description": meaning,
        "headers": header_references(*_PROBLEM_HEADERS.get(status, ())),
        "content": {"application/problem+json": content},
    }
