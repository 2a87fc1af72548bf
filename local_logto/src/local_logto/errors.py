"""The provider's two families of errors, and the exact bodies they are rendered as.

``OidcError`` answers on ``/oidc/*``, ``RequestError`` on ``/api/*``. Code raises them where a rule is broken,
and handlers that ``app`` registers render them. Nothing else builds an error body.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from quart import Response, request

from local_logto.responses import json_response

INVALID_GRANT_HELP: Final = "https://openid.sh/debug/invalid_grant"

_OIDC_MESSAGES: Final[Mapping[str, str]] = {
    "access_denied": "Access denied.",
    "insufficient_scope": "Token missing scope `{{scope}}`.",
    "invalid_grant": "Grant request is invalid.",
    "invalid_redirect_uri": "`redirect_uri` did not match any of the client's registered `redirect_uris`.",
    "invalid_request": "Request is invalid.",
    "invalid_scope": "Invalid scope: {{error_description}}.",
    "invalid_target": "Invalid resource indicator.",
    "invalid_token": "Invalid token provided.",
    "server_error": "An unknown OIDC error occurred. Please try again later.",
    "unsupported_grant_type": "Unsupported `grant_type` requested.",
    "unsupported_response_mode": "Unsupported `response_mode` requested.",
    "unsupported_response_type": "Unsupported `response_type` requested.",
}


class OidcError(Exception):
    """An error of the OIDC endpoints: ``error`` and ``error_description`` as in RFC 6749 §5.2.

    ``message`` is Logto's text for people; each known ``error`` has its own, including the double braces.
    ``scope`` and ``extra`` are additional members of the body. ``www_authenticate`` is the header's value.
    """

    def __init__(
        self,
        status: int,
        error: str,
        error_description: str | None,
        *,
        message: str | None = None,
        code: str | None = None,
        scope: str | None = None,
        www_authenticate: str | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{error}: {error_description}")
        self.status = status
        self.error = error
        self.error_description = error_description
        self.code = code or f"oidc.{error}"
        self.message = message or _OIDC_MESSAGES.get(error, f"An OIDC error occurred: oidc.{error}.")
        self.scope = scope
        self.www_authenticate = www_authenticate
        self.extra = dict(extra or {})

    def body(self, *, parsed: bool = True) -> dict[str, str]:
        """Return the JSON body. ``parsed=False`` leaves only what OAuth defines (``?parse_error=false``)."""
        members: dict[str, str | None] = {}
        if parsed:
            members |= {"code": self.code, "message": self.message}
            members["error_uri"] = INVALID_GRANT_HELP if self.error == "invalid_grant" else None
        members |= {"error": self.error, "error_description": self.error_description, "scope": self.scope}
        members |= self.extra
        return {name: value for name, value in members.items() if value is not None}


class RequestError(Exception):
    """An error of the Management and Experience APIs. Clients branch on ``code`` alone."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        data: object | None = None,
        details: str | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.data = data
        self.details = details
        self.extra = dict(extra or {})

    def body(self) -> dict[str, object]:
        members: dict[str, object | None] = {
            "code": self.code,
            "data": self.data,
            "details": self.details,
            "message": self.message,
            **self.extra,
        }
        return {name: value for name, value in members.items() if value is not None}


def not_implemented(what: str) -> RequestError:
    """Return the 501 for a part of Logto that this provider lacks."""
    message = f"local_logto does not implement this of Logto 1.42: {what}. Use a real Logto for it."
    return RequestError(501, "local_logto.not_implemented", message)


def invalid_request(description: str) -> OidcError:
    return OidcError(400, "invalid_request", description)


def invalid_grant() -> OidcError:
    """Return the one error that Logto gives for every reason, so that callers can't probe for reasons."""
    return OidcError(400, "invalid_grant", "grant request is invalid")


def invalid_target(description: str = "resource indicator is missing, or unknown") -> OidcError:
    return OidcError(400, "invalid_target", description)


def access_denied(description: str) -> OidcError:
    return OidcError(403, "access_denied", description)


def session_not_found(description: str) -> OidcError:
    """Return the error for a browser without the interaction or authorization request. ``/oidc`` shows it as
    JSON.
    """
    return OidcError(
        400,
        "invalid_request",
        description,
        code="session.not_found",
        message="Session not found. Please go back and sign in again.",
    )


async def render_oidc_error(error: OidcError) -> Response:
    response = json_response(error.body(parsed=request.args.get("parse_error") != "false"), error.status)
    if error.www_authenticate is not None:
        response.headers["WWW-Authenticate"] = error.www_authenticate
    return response


async def render_request_error(error: RequestError) -> Response:
    return json_response(error.body(), error.status)
