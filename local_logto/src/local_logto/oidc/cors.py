"""CORS: every page may read metadata; only the application's own pages may read tokens.

An application's pages are at the origins of its redirect URIs and in ``corsAllowedOrigins``. Requests from
other pages are rejected once the client is known. Any page may read an earlier error (Logto 1.42).
"""

from __future__ import annotations

from typing import Final

from quart import Response, g, request

from local_logto.context import origin_of
from local_logto.errors import invalid_request
from local_logto.oidc.authorization.redirect_uris import is_at_origin
from local_logto.oidc.clients import Client

_FOR_ANYONE: Final = frozenset(
    {
        "/oidc/.well-known/openid-configuration",
        "/oidc/.well-known/oauth-authorization-server",
        "/oidc/jwks",
    }
)
_FOR_CLIENTS: Final = frozenset(
    {
        "/oidc/token",
        "/oidc/me",
        "/oidc/token/introspection",
        "/oidc/token/revocation",
        "/oidc/request",
        "/oidc/device/auth",
    }
)
_PREFLIGHT_SECONDS: Final = 3600


def remember_client(client: Client) -> None:
    """Store the request's client. Raises 400 if the request comes from a page that is not the client's."""
    g.client = client
    origin = request.headers.get("Origin")
    if origin is not None and request.path in _FOR_CLIENTS and not _is_of_client(origin):
        raise invalid_request(f"origin {origin} not allowed for client: {client.id}")


async def allow_origin(response: Response) -> Response:
    """Let the page's origin read the response if it may. Preflight requests are always answered."""
    origin = request.headers.get("Origin")
    if origin is None or request.path not in _FOR_ANYONE | _FOR_CLIENTS:
        return response
    response.headers.add("Vary", "Origin")
    is_preflight = request.method == "OPTIONS"
    if not (is_preflight or request.path in _FOR_ANYONE or _is_of_client(origin)):
        return response
    response.headers["Access-Control-Allow-Origin"] = origin
    if is_preflight:
        response.status_code = 204
        response.headers["Access-Control-Allow-Methods"] = "GET,POST"
        response.headers["Access-Control-Allow-Headers"] = request.headers.get(
            "Access-Control-Request-Headers", ""
        )
        response.headers["Access-Control-Max-Age"] = str(_PREFLIGHT_SECONDS)
    else:
        response.headers["Access-Control-Expose-Headers"] = "WWW-Authenticate"
    return response


def _is_of_client(origin: str) -> bool:
    client: Client | None = g.get("client")
    if origin == origin_of(request):
        return True
    return client is None or _is_own(origin, client)


def _is_own(origin: str, client: Client) -> bool:
    redirect_uris = client.oidc_metadata.get("redirectUris") or []
    return origin in (client.custom_metadata.get("corsAllowedOrigins") or []) or any(
        is_at_origin(uri, origin) for uri in redirect_uris
    )
