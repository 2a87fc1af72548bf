"""Decorators that validate the query and the body of an API request, and write its response as JSON.

They declare their models like those of quart-schema, which describes them in the schema. Unlike those, they
use the validator and the serializer that a model has anyway, instead of making new ones for each request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from quart import Response, request
from quart_schema import DataSource
from quart_schema.validation import (
    QUART_SCHEMA_QUERYSTRING_ATTRIBUTE,
    QUART_SCHEMA_REQUEST_ATTRIBUTE,
    QUART_SCHEMA_RESPONSE_ATTRIBUTE,
)

from saas_app.errors import BadRequest, Invalid
from saas_app.text.translation import Sentence, _
from saas_app.text.validation import describe
from saas_app.web.json_api.responses import ApiResponse, View

_MAX_FIELDS: Final = 20  # that a response names

ApiView = Callable[..., Awaitable[ApiResponse]]


def validate_querystring(model: type[BaseModel]) -> Callable[[View], View]:
    """Pass the query to the view as ``query_args``. Raises :class:`BadRequest`."""

    def decorate(view: View) -> View:
        setattr(view, QUART_SCHEMA_QUERYSTRING_ATTRIBUTE, model)

        @wraps(view)
        async def validated(*arguments: Any, **named: Any) -> Any:
            try:
                query = model.model_validate(request.args.to_dict())
            except ValidationError as error:
                problems = (Sentence.joined(problem, ": ") for problem in _fields(error).items())
                raise BadRequest(Sentence.joined(problems, "; ")) from None
            return await view(*arguments, query_args=query, **named)

        return validated

    return decorate


def validate_request(model: type[BaseModel]) -> Callable[[View], View]:
    """Pass the JSON body to the view as ``data``. Raises :class:`Invalid`."""

    def decorate(view: View) -> View:
        setattr(view, QUART_SCHEMA_REQUEST_ATTRIBUTE, (model, DataSource.JSON))

        @wraps(view)
        async def validated(*arguments: Any, **named: Any) -> Any:
            try:
                data = model.model_validate(await request.get_json())
            except ValidationError as error:
                raise Invalid(_("The request is invalid."), fields=_fields(error)) from None
            return await view(*arguments, data=data, **named)

        return validated

    return decorate


def validate_response(model: type[BaseModel], status: int = 200) -> Callable[[ApiView], View]:
    """Send the model that the view returns, alone or with a status and headers.

    ``status`` is declared in the schema. Raises :class:`TypeError` if the view returns another one, or
    something else than the model.
    """

    def decorate(view: ApiView) -> View:
        setattr(view, QUART_SCHEMA_RESPONSE_ATTRIBUTE, {status: (model, None)})

        @wraps(view)
        async def answered(*arguments: Any, **named: Any) -> Response:
            result = await view(*arguments, **named)
            body, sent, headers = (*result, None)[:3] if isinstance(result, tuple) else (result, 200, None)
            if type(body) is not model or sent != status:
                raise TypeError(f"{view.__name__} must return {model.__name__} with status {status}")
            # pydantic escapes what is not ASCII, like Python's json
            text = body.model_dump_json(ensure_ascii=True)
            return Response(f"{text}\n", sent, headers, content_type="application/json")

        return answered

    return decorate


def _fields(error: ValidationError) -> dict[str, Sentence]:
    problems = error.errors(include_url=False, include_input=False)
    return {
        ".".join(str(part) for part in problem["loc"])[:200] or "body": describe(problem)
        for problem in problems[:_MAX_FIELDS]
    }
