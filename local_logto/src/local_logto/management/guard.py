"""Request bodies and queries, checked with the answers of Logto's validator: ``guard.invalid_input``.

A route declares the shape of its body once; ``read_body`` returns the members that were sent and are known.
Unknown members are dropped without a word, as in Logto. Rules that need the database are not for this room.
"""

from __future__ import annotations

import json
from typing import Any

from quart import request

from local_logto.errors import RequestError
from local_logto.values import Issue, Kind, Shape, refusal_of_faults


async def read_body(shape: Kind) -> Any:
    """The request's body, as far as ``shape`` knows it; nothing sent counts as an empty object.

    Raises 400 ``guard.invalid_input`` with every fault that was found.
    """
    data = await request.get_data()
    try:
        value = await _parsed(data) if data else {}
    except ValueError as error:
        raise RequestError(400, "guard.invalid_input", "The request body is invalid.") from error
    issues: list[Issue] = []
    values = shape.check(value, (), issues)
    if issues:
        raise invalid_input("body", issues)
    return values


async def _parsed(data: str | bytes) -> Any:
    """A body of JSON, or of a form; any other is one text, as Koa reads it."""
    if request.is_json:
        return json.loads(data)
    if request.mimetype == "application/x-www-form-urlencoded":
        return (await request.form).to_dict()
    return data.decode("utf-8", "replace") if isinstance(data, bytes) else data


def read_query(shape: Shape) -> dict[str, str]:
    """The query's parameters, as far as ``shape`` knows them; raises 400 ``guard.invalid_input``."""
    issues: list[Issue] = []
    values: dict[str, str] = shape.check(request.args.to_dict(), (), issues)
    if issues:
        raise invalid_input("query", issues)
    return values


def invalid_input(part: str, issues: list[Issue]) -> RequestError:
    """The refusal of a request whose ``part`` (body, query) has these faults."""
    return refusal_of_faults("guard.invalid_input", f"The request {part} is invalid.", issues)
