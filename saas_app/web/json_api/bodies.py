"""Checks the bodies and queries of API requests: strict JSON, and text without NUL.

The checks run after the guard has admitted the caller, and before the view. A body or query that the view
does not use is ignored.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote_to_bytes

from quart import Quart, request
from quart_schema.validation import QUART_SCHEMA_QUERYSTRING_ATTRIBUTE, QUART_SCHEMA_REQUEST_ATTRIBUTE

from saas_app.errors import BadRequest, Invalid, UnsupportedMediaType
from saas_app.text.translation import _
from saas_app.web.context import request_body
from saas_app.web.json_api.strict_json import require_strict_json
from saas_app.web.request_checks import View, register_check

MAX_QUERY_LENGTH: Final = 8_192  # bytes, before decoding


def init(app: Quart) -> None:
    """Check the requests to all views of the API."""
    register_check(app, check_sent)


async def check_sent(view: View) -> None:
    """Check the query and the body of this request, if ``view`` uses them.

    Raises :class:`BadRequest`, :class:`UnsupportedMediaType` or :class:`Invalid`.
    """
    if hasattr(view, QUART_SCHEMA_QUERYSTRING_ATTRIBUTE):
        _check_query(request.query_string)
    if hasattr(view, QUART_SCHEMA_REQUEST_ATTRIBUTE):
        await _check_body()


def _check_query(query: bytes) -> None:
    if len(query) > MAX_QUERY_LENGTH:
        raise BadRequest(
            _("The query is longer than %(max_query_length)s bytes.", max_query_length=MAX_QUERY_LENGTH)
        )
    try:
        text = unquote_to_bytes(query).decode()
    except UnicodeError:
        raise BadRequest(_("The query is not valid UTF-8.")) from None
    if "\x00" in text:
        raise BadRequest(_("The query contains a NUL character."))


async def _check_body() -> None:
    raw = await request_body()
    if not raw:
        raise Invalid(_("A request body is required."), fields={"body": _("must be a JSON object")})
    charset = request.mimetype_params.get("charset", "utf-8")
    if request.mimetype != "application/json" or charset.lower() not in ("utf-8", "utf8"):
        raise UnsupportedMediaType(_("Send the body as application/json in UTF-8."))
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType(_("Send the body without a content encoding."))
    require_strict_json(raw)
