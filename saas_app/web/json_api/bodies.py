"""What is accepted as a body: JSON, flat, without surprises. Refusals name the field."""

from __future__ import annotations

import json
import re
from typing import Final

from pydantic import ValidationError
from quart import Quart, request
from quart.typing import ResponseReturnValue
from quart_schema import RequestSchemaValidationError
from quart_schema.validation import QuerystringValidationError, RequestHeadersValidationError

from saas_app.errors import BadRequest, Invalid, UnsupportedMediaType
from saas_app.web.context import is_api, request_body
from saas_app.web.error_pages import answer_error

DEEPEST: Final = 16  # levels of brackets; our own bodies have three
_MOST_FIELDS_TOLD: Final = 20
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


def init(app: Quart) -> None:
    """Check every body of the API before its view, and tell which field of it breaks a rule."""
    app.before_request(_check_body)
    app.register_error_handler(RequestSchemaValidationError, _refused)


async def _check_body() -> None:
    if not is_api(request) or request.method not in _WITH_BODY:
        return
    raw = await request_body()
    if not raw:
        return
    if request.mimetype != "application/json":
        raise UnsupportedMediaType("Send the body as application/json.")
    if depth_of(raw) > DEEPEST:
        raise BadRequest(f"The JSON is nested deeper than {DEEPEST} levels.")
    try:
        json.loads(raw)
    except ValueError:
        raise BadRequest("The body is not JSON.") from None


def depth_of(raw: bytes) -> int:
    """How deep brackets are nested, without building anything: before the parser is let at it."""
    depth = deepest = 0
    for byte in _STRING.sub(b"", raw):
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


async def _refused(error: RequestSchemaValidationError) -> ResponseReturnValue:
    fields = _fields(error.validation_error)
    if isinstance(error, (QuerystringValidationError, RequestHeadersValidationError)):
        told = "; ".join(f"{name}: {problem}" for name, problem in fields.items())
        return await answer_error(BadRequest(told or "The query cannot be understood."))
    return await answer_error(Invalid("Some of what was sent breaks a rule.", fields=fields))


def _fields(error: Exception) -> dict[str, str]:
    if not isinstance(error, ValidationError):
        return {"body": "must be a JSON object"}
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    return {
        ".".join(str(part) for part in problem["loc"])[:200] or "body": problem["msg"]
        for problem in problems[:_MOST_FIELDS_TOLD]
    }
