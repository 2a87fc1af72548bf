"""What Logto's HTTP layer adds to every API response: security headers, a request ID, ETag, gzip."""

from __future__ import annotations

import gzip
import secrets
from typing import Final

from quart import Response, request

_HEADERS: Final = {  # helmet's, as Logto 1.42 configures them for its API
    "Cross-Origin-Resource-Policy": "same-origin",
    "Origin-Agent-Cluster": "?1",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Strict-Transport-Security": "max-age=15552000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Download-Options": "noopen",
    "X-Frame-Options": "SAMEORIGIN",
    "X-Permitted-Cross-Domain-Policies": "none",
    "X-XSS-Protection": "0",
}
_GZIP_FROM: Final = 1024  # bytes; smaller bodies are not compressed


async def complete_response(response: Response) -> Response:
    """Complete a response below ``/api`` or ``/oidc``. Pages set their own headers."""
    if not request.path.startswith(("/api", "/oidc")):
        return response
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Logto-Core-Request-Id"] = secrets.token_urlsafe(12)
    response.vary.add("Accept-Encoding")
    if response.status_code != 204:
        await response.add_etag()
        await response.make_conditional(request)
        await _compress(response)
    return response


async def _compress(response: Response) -> None:
    body = await response.get_data(as_text=False)
    if len(body) < _GZIP_FROM or not request.accept_encodings["gzip"]:
        return
    response.set_data(gzip.compress(body, compresslevel=1))
    response.headers["Content-Encoding"] = "gzip"
