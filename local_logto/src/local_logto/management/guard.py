"""Checks of request bodies and queries, with the errors of Logto's validator: ``guard.invalid_input``.

A route declares the shape of its body. ``read_body`` returns the known members that were sent. Unknown
members are ignored, as in Logto. Rules that need the database are checked elsewhere.
"""

from __future__ import annotations

import json
from typing import Any, Final

from quart import request

from local_logto.errors import RequestError
from local_logto.faults import Issue, refusal_of_faults
from local_logto.values import Kind, Shape

_YES: Final = frozenset({"1", "true", "y", "yes"})  # what Logto accepts as true in a query


async def read_body(shape: Kind) -> Any:
    """Return the members of the request's body that ``shape`` knows. An empty body counts as an empty object.

    Raises 400 ``guard.invalid_input`` with every fault.
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
    """Parse a JSON or form body. Any other is one string, as in Koa."""
    if request.is_json:
        return json.loads(data)
    if request.mimetype == "application/x-www-form-urlencoded":
        return (await request.form).to_dict()
    return data.decode("utf-8", "replace") if isinstance(data, bytes) else data


def read_query(shape: Shape) -> dict[str, str]:
    """Return the query parameters that ``shape`` knows. Raises 400 ``guard.invalid_input``."""
    issues: list[Issue] = []
    values: dict[str, str] = shape.check(request.args.to_dict(), (), issues)
    if issues:
        raise invalid_input("query", issues)
    return values


def asks_for(name: str) -> bool:
    """Return whether the query has this parameter with a value that means yes."""
    return request.args.get(name, "").lower() in _YES


def invalid_input(part: str, issues: list[Issue]) -> RequestError:
    """Return the error for a request whose ``part`` (body, query) has these faults."""
    return refusal_of_faults("guard.invalid_input", f"The request {part} is invalid.", issues)
