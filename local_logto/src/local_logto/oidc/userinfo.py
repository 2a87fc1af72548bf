"""``/oidc/me``: the claims that an opaque access token gives access to (OIDC Core §5.3)."""

from __future__ import annotations

from quart import Blueprint, Response, request

from local_logto.context import current_settings, current_store
from local_logto.errors import OidcError
from local_logto.oidc.claims import read_person, userinfo_claims
from local_logto.oidc.clients import find_client
from local_logto.oidc.cors import remember_client
from local_logto.oidc.grants import find_grant
from local_logto.oidc.no_store import no_store
from local_logto.oidc.request_params import Params, body_params
from local_logto.oidc.token import opaque_tokens
from local_logto.responses import json_response

blueprint = Blueprint("userinfo", __name__, url_prefix="/oidc")
blueprint.after_request(no_store)


@blueprint.get("/me")
async def userinfo() -> Response:
    return _userinfo(Params(()))


@blueprint.post("/me")
async def userinfo_by_form() -> Response:
    return _userinfo(await body_params(request))


def _userinfo(params: Params) -> Response:
    value = _bearer_token(params)
    with current_store().begin() as connection:
        token = opaque_tokens.find(connection, value, opaque_tokens.ACCESS_TOKEN)
        if token is None or token.is_expired:
            raise _invalid_token()
        if "openid" not in token.scopes:
            raise _refusal(403, "insufficient_scope", "access token missing openid scope", scope="openid")
        grant = find_grant(connection, token.grant_id)
        person = read_person(connection, token.user_id)
    client = find_client(token.client_id)
    if grant is None or person is None or client is None:
        raise _invalid_token()
    remember_client(client)
    return json_response(userinfo_claims(person, grant.granted_oidc(token.scopes)))


def _bearer_token(params: Params) -> str:
    if "access_token" in request.args:
        raise _refusal(400, "invalid_request", "access tokens must not be provided via query parameter")
    header, in_body = request.headers.get("Authorization"), params.get("access_token")
    if not header and in_body is None:
        raise OidcError(
            401,
            "invalid_token",
            "no access token provided",
            www_authenticate=f'Bearer realm="{current_settings().issuer}"',
        )
    if header and in_body is not None:
        raise _refusal(400, "invalid_request", "access token must only be provided using one mechanism")
    if in_body is not None:
        return in_body
    scheme, _, value = (header or "").partition(" ")
    if not value or " " in value:
        raise _refusal(400, "invalid_request", "invalid authorization header value format")
    if scheme.lower() != "bearer":
        raise _refusal(400, "invalid_request", "authorization header scheme must be `Bearer`")
    return value


def _invalid_token() -> OidcError:
    return _refusal(401, "invalid_token", "invalid token provided")


def _refusal(status: int, error: str, description: str, *, scope: str | None = None) -> OidcError:
    """Return an error with its challenge (RFC 6750 §3)."""
    challenge = (
        f'Bearer realm="{current_settings().issuer}", error="{error}", error_description="{description}"'
    )
    if scope is not None:
        challenge += f', scope="{scope}"'
    return OidcError(status, error, description, scope=scope, www_authenticate=challenge)
