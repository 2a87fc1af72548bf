"""The response with a page of a list, and the link to the next page (RFC 8288)."""

from __future__ import annotations

from typing import Any, TypeVar
from urllib.parse import urlencode

from quart import request

from saas_app.web.context import runtime

Model = TypeVar("Model")


def list_response(body: Model, next_cursor: str | None) -> tuple[Model, int, dict[str, str]]:
    """Return the response with a page of a list. Its ``Link`` header leads to the next page, if any."""
    if next_cursor is None:
        return body, 200, {}
    return body, 200, {"Link": f'<{_address(cursor=next_cursor)}>; rel="next"'}


def _address(**changed: Any) -> str:
    query = {**request.args.to_dict(), **changed}
    return f"{runtime().settings.app_url}{request.path}?{urlencode(query)}"
