"""``grant_type=authorization_code``: exchanges a code for the first tokens of a sign-in (RFC 6749 §4.1.3)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any, Final

import sqlalchemy as sa

from local_logto.context import current_store
from local_logto.errors import invalid_grant
from local_logto.oidc.authorization.request import check_pkce_format
from local_logto.oidc.claims import read_person
from local_logto.oidc.clients import Client
from local_logto.oidc.grants import Grant, find_grant, revoke_grant
from local_logto.oidc.request_params import Params
from local_logto.oidc.token import opaque_tokens
from local_logto.oidc.token.issuing import answer, issue_access_token, issue_id_token, issue_refresh_token
from local_logto.oidc.token.opaque_tokens import StoredToken

PARAMS: Final = ("code", "code_verifier", "redirect_uri")


async def exchange(client: Client, params: Params) -> dict[str, Any]:
    """Return the token response. A failed attempt leaves the code usable; a second use revokes the grant.

    A code is consumed in the transaction that issues its tokens, so that one of several concurrent exchanges
    succeeds.
    """
    params.require("code", "redirect_uri")
    with current_store().begin() as connection:
        code, grant = _check_code(connection, client, params)
        is_first_use = opaque_tokens.consume(connection, code)
        if is_first_use:
            return _first_tokens(connection, client, params, code, grant)
        revoke_grant(connection, grant.id)
    raise invalid_grant()


def _first_tokens(
    connection: sa.Connection, client: Client, params: Params, code: StoredToken, grant: Grant
) -> dict[str, Any]:
    person = read_person(connection, code.user_id)
    if person is None:
        raise invalid_grant()
    access = issue_access_token(connection, client, params, code, grant)
    id_token = issue_id_token(connection, client, code, person, grant, code.scopes)
    refresh_token = issue_refresh_token(connection, client, code)
    return answer(access, id_token=id_token, refresh_token=refresh_token)


def _check_code(connection: sa.Connection, client: Client, params: Params) -> tuple[StoredToken, Grant]:
    """Return the code and its grant. Raises ``invalid_grant`` unless this client may exchange it."""
    code = opaque_tokens.find(connection, params.get("code") or "", opaque_tokens.CODE)
    if code is None or code.client_id != client.id or code.is_expired:
        raise invalid_grant()
    grant = find_grant(connection, code.grant_id)
    if grant is None:
        raise invalid_grant()
    check_pkce(params.get("code_verifier"), code.payload["code_challenge"])
    if code.payload["redirect_uri"] != params.get("redirect_uri"):
        raise invalid_grant()
    return code, grant


def check_pkce(verifier: str | None, challenge: str | None) -> None:
    """Check the verifier (RFC 7636 §4.6, S256). Raises ``invalid_grant`` if it doesn't match or one is
    missing.
    """
    if verifier is not None:
        check_pkce_format(verifier, "code_verifier")
    if verifier is None and challenge is None:
        return
    if verifier is None or challenge is None:
        raise invalid_grant()
    digest = hashlib.sha256(verifier.encode()).digest()
    expected = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    if not hmac.compare_digest(expected, challenge):
        raise invalid_grant()
