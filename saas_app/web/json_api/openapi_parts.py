"""Components of the OpenAPI document: problems with examples, response headers, security schemes."""

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
    SsoRequired,
    UnsupportedMediaType,
)
from saas_app.identity.single_sign_on import SsoRequirement
from saas_app.rbac.permissions import Carrier, Permission, permissions_carried_by
from saas_app.rbac.policy import AccessFacts, decide
from saas_app.text.translation import Sentence
from saas_app.web.error_pages import as_app_error, problem_document
from saas_app.web.json_api.models import Problem

SESSION: Final = "session"
SCHEME_OF: Final = {Carrier.API_TOKEN: "apiToken", Carrier.ORGANIZATION_TOKEN: "organizationToken"}
ON_EVERY_RESPONSE: Final = ("RateLimit", "RateLimit-Policy", "X-Request-Id")

_ALWAYS_SENT: Final = frozenset({"ETag", "Location", "X-Request-Id"})  # in the responses that declare them
_SCHEMAS: Final = "#/components/schemas/"
_REQUEST_ID: Final = "01990d3c5f7a4b3e8b0c2f8a7d1e6b90"

_MEANINGS: Final = {
    400: "The request cannot be understood: a parameter, a header, the cursor or the JSON is malformed.",
    401: "No credential, or an invalid token. `WWW-Authenticate` says which.",
    403: "The token does not include the permission (`decision` lists each step), a browser "
    "session was used from another site, or the organization requires a second factor or single sign-on.",
    404: "The item does not exist, or the caller has no access to it.",
    409: "The request conflicts with the current state.",
    412: "`If-Match` is not the current version. Nothing was changed.",
    413: "The body is larger than 1 MB.",
    415: "The body is not `application/json`.",
    422: "A field is invalid. `errors` names it.",
    428: "An edit requires `If-Match`.",
    429: "Too many requests. `Retry-After` says when to try again.",
    503: "Logto or the database is unavailable or busy. `Retry-After` says when to try again.",
}

_PROBLEM_HEADERS: Final[dict[int, tuple[str, ...]]] = {
    401: ("WWW-Authenticate",),
    403: ("WWW-Authenticate",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}

_HEADERS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "ETag": ("The version, including quotes, to send as `If-Match`.", {"type": "string"}),
    "Location": ("The URL of the created item.", {"type": "string", "format": "uri-reference"}),
    "Link": ('The next page, `rel="next"` (RFC 8288). Absent on the last page.', {"type": "string"}),
    "Idempotency-Replayed": (
        "`true` if this response was stored earlier under the same `Idempotency-Key`.",
        {"type": "string", "enum": ["true"]},
    ),
    "WWW-Authenticate": (
        "What is required (RFC 6750 §3): `error`, and `scope` for the missing permission. "
        "`resource_metadata` is the URL of the RFC 9728 metadata.",
        {"type": "string"},
    ),
    "Retry-After": ("When to try again, in seconds.", {"type": "integer", "minimum": 0}),
    "RateLimit": (
        "What is left of each limit: `r` requests left, `t` seconds until the window starts again "
        "(draft-ietf-httpapi-ratelimit-headers-10).",
        {"type": "string"},
    ),
    "RateLimit-Policy": ("The limits that apply: `q` requests in `w` seconds.", {"type": "string"}),
    "X-Request-Id": ("Identifies this request in logs, problems and the audit log.", {"type": "string"}),
}


def _denial() -> PermissionDenied:
    facts = AccessFacts(
        subject="fq3n2k8w0xhz",
        organization_name="Acme Robotics",
        role_names=None,
        granted=frozenset({Permission.MEMBERS_READ}),
        carriers=frozenset({Carrier.ORGANIZATION_TOKEN}),
    )
    return PermissionDenied(decide(facts, Permission.MEMBERS_INVITE))


def _other_sign_in() -> SsoRequired:
    return SsoRequirement("cn4k2w8t0xqz", "Okta", recovery_id=None).token_refusal(
        "k2w8t0xqzcn4", "Acme Robotics"
    )


_EXAMPLES: Final[dict[int, tuple[AppError, ...]]] = {
    400: (BadRequest(Sentence("limit: Input should be less than or equal to 100")),),
    401: (
        SignInRequired(),
        InvalidToken(Sentence("The membership changed after the token was issued. Request a new token.")),
    ),
    403: (_denial(), CrossSiteRequest(), MfaRequired(), _other_sign_in()),
    404: (NotFound(Sentence("This organization does not exist, or the token is not for it.")),),
    409: (Conflict(), Busy(), ManagementNotSetUp()),
    412: (
        PreconditionFailed(Sentence("Another change was saved after you read it. Nothing was overwritten.")),
    ),
    413: (as_app_error(RequestEntityTooLarge()),),
    415: (UnsupportedMediaType(Sentence("Send the body as application/json in UTF-8.")),),
    422: (Invalid(Sentence("The request is invalid."), fields={"name": "must not be blank"}),),
    428: (PreconditionRequired(Sentence("Send If-Match with the ETag of the version you read.")),),
    429: (RateLimited(),),
    503: (LogtoUnavailable(), DatabaseBusy(), DatabaseUnavailable()),
}


def problem_reference(status: int) -> dict[str, str]:
    """Return the reference to the error response with this status."""
    return {"$ref": f"#/components/responses/Problem{status}"}


def header_references(*names: str) -> dict[str, Any]:
    """Return references to these response headers, and to those of every response."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*names, *ON_EVERY_RESPONSE)}


def problem_schemas() -> dict[str, Any]:
    """Return the schemas of a problem document and of the decision in it."""
    problem = Problem.model_json_schema(ref_template=_SCHEMAS + "{model}")
    return {**problem.pop("$defs"), "Problem": problem}


def problem_responses() -> dict[str, Any]:
    """Return all error responses, with an example of each code."""
    return {f"Problem{status}": _problem(status, meaning) for status, meaning in _MEANINGS.items()}


def headers() -> dict[str, Any]:
    """Return all response headers."""
    return {
        name: {"description": description, "required": name in _ALWAYS_SENT, "schema": schema}
        for name, (description, schema) in _HEADERS.items()
    }


def security_schemes() -> dict[str, Any]:
    """Return the security schemes: two kinds of bearer token, and the browser session."""
    return {
        SCHEME_OF[Carrier.API_TOKEN]: _bearer(
            Carrier.API_TOKEN,
            "A JWT from Logto for this API resource, requested with `resource` and `organization_id`.",
        ),
        SCHEME_OF[Carrier.ORGANIZATION_TOKEN]: _bearer(
            Carrier.ORGANIZATION_TOKEN,
            "A JWT from Logto for the organization, requested with `organization_id` only.",
        ),
        SESSION: {
            "type": "apiKey",
            "in": "cookie",
            "name": "workroom_session",
            "description": "The cookie of a browser that is signed in to Workroom. On HTTPS, its name "
            "begins with `__Host-`. Changes are accepted only from Workroom's own pages. A "
            "bearer token takes precedence over the cookie.",
        },
    }


def _bearer(carrier: Carrier, description: str) -> dict[str, Any]:
    scopes: Mapping[str, str] = {
        permission.value: permission.description for permission in permissions_carried_by(carrier)
    }
    return {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": f"{description} Scopes: {', '.join(f'`{scope}`' for scope in scopes)}.",
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
