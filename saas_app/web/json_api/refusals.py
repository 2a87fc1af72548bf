"""Turns validation errors of bodies and queries into problem documents that name the fields."""

from __future__ import annotations

from typing import Final

from pydantic import ValidationError
from quart import Quart
from quart.typing import ResponseReturnValue
from quart_schema import RequestSchemaValidationError
from quart_schema.validation import QuerystringValidationError, RequestHeadersValidationError

from saas_app.errors import BadRequest, Invalid
from saas_app.web.error_pages import answer_error

_MAX_FIELDS: Final = 20  # in one response


def init(app: Quart) -> None:
    """Handle validation errors."""
    app.register_error_handler(RequestSchemaValidationError, _refused)


async def _refused(error: RequestSchemaValidationError) -> ResponseReturnValue:
    fields = _fields(error.validation_error)
    if isinstance(error, (QuerystringValidationError, RequestHeadersValidationError)):
        detail = "; ".join(f"{name}: {problem}" for name, problem in fields.items())
        return await answer_error(BadRequest(detail or "The query cannot be understood."))
    return await answer_error(Invalid("The request is invalid.", fields=fields))


def _fields(error: Exception) -> dict[str, str]:
    if not isinstance(error, ValidationError):
        return {"body": "must be a JSON object"}
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    return {
        ".".join(str(part) for part in problem["loc"])[:200] or "body": problem["msg"]
        for problem in problems[:_MAX_FIELDS]
    }
