"""The response to an authorization request: sent to the redirect URI, or shown if that is not safe."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from quart import Response

from local_logto.context import current_settings
from local_logto.errors import OidcError, render_oidc_error
from local_logto.oidc.authorization.request import (
    RESPONSE_MODES,
    invalid_redirect_uri,
    resolve_response_mode,
)
from local_logto.oidc.clients import find_client
from local_logto.oidc.request_params import Params
from local_logto.pages import posting_page
from local_logto.responses import redirect_response
from local_logto.translation import _


async def respond(redirect_uri: str, mode: str, members: Mapping[str, str]) -> Response:
    """Send the members to the redirect URI: in its query, its fragment, or a form that submits itself."""
    if mode == "form_post":
        page = await posting_page(
            redirect_uri, members, title=_("Signing in"), text=_("Taking you back to the application.")
        )
        page.status_code = 400 if "error" in members else 200
        return page
    return redirect_response(with_members(redirect_uri, mode, members))


def with_members(redirect_uri: str, mode: str, members: Mapping[str, str]) -> str:
    """Return the URI with the members added to its query or fragment."""
    encoded = urlencode(members, safe="*").replace("~", "%7E")
    if mode == "fragment":
        return f"{redirect_uri}#{encoded}"
    base, hash_mark, fragment = redirect_uri.partition("#")
    separator = "&" if "?" in base else "?"
    return f"{base}{separator}{encoded}{hash_mark}{fragment}"


async def refuse(params: Params, error: OidcError) -> Response:
    """Answer a rejected request: at its redirect URI if that belongs to the client."""
    origin = {"state": params.get("state") or "", "iss": current_settings().issuer}
    extra = {name: value for name, value in origin.items() if value}
    client = find_client(params.get("client_id") or "")
    redirect_uri = params.get("redirect_uri") or (client.only_redirect_uri if client else None)
    if client is not None and redirect_uri is not None and not client.allows_redirect(redirect_uri):
        error = invalid_redirect_uri()
    if client is None or redirect_uri is None or error.error == "invalid_redirect_uri":
        error.extra.update(extra)
        return await render_oidc_error(error)
    mode = params.get("response_mode")
    if mode not in RESPONSE_MODES:
        mode = resolve_response_mode(params.get("response_type"))
    members = {**error.body(parsed=False), **extra}
    return await respond(redirect_uri, mode, members)
