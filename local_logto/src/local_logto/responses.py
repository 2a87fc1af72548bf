"""Responses on the wire: JSON with Logto's content type, and Logto's short texts."""

from __future__ import annotations

import json
from collections.abc import Mapping

from markupsafe import escape
from quart import Response

JSON_TYPE = "application/json; charset=utf-8"


def json_response(
    body: object,
    status: int = 200,
    *,
    content_type: str = JSON_TYPE,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return compact UTF-8 JSON, as Node writes it."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status=status, headers=dict(headers or {}), content_type=content_type)


def text_response(text: str, status: int) -> Response:
    """Return plain text, as Koa does for a status."""
    return Response(text, status=status, content_type="text/plain; charset=utf-8")


def created() -> Response:
    """Return Logto's answer to a creation whose result it does not show."""
    return text_response("Created", 201)


def no_content() -> Response:
    response = Response("", status=204)
    del response.headers["Content-Type"]
    return response


def redirect_response(location: str, status: int = 303) -> Response:
    """Redirect to ``location`` exactly as given: a relative URL stays relative."""
    response = Response(
        f"Redirecting to {escape(location)}.", status=status, content_type="text/html; charset=utf-8"
    )
    response.headers["Location"] = location
    return response
