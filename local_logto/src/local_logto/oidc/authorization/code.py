"""The authorization code: what it carries from a request to the token endpoint."""

from __future__ import annotations

from typing import Final

from local_logto.context import current_store
from local_logto.errors import OidcError
from local_logto.oidc.authorization.request import AuthorizationRequest
from local_logto.oidc.grants import Grant
from local_logto.oidc.session.op_sessions import OpSession
from local_logto.oidc.token import opaque_tokens

CODE_LIFETIME_MS: Final = 60 * 1000


def issued_payload(
    authorization: AuthorizationRequest, session: OpSession, grant: Grant
) -> dict[str, object]:
    """Return what a code carries, with exactly the scopes that the grant allows.

    The refresh token gets the same scopes: for each resource only what is consented to by now.
    """
    client, wanted = authorization.client, authorization.scopes
    scopes = list(grant.granted_oidc(wanted))
    for indicator in authorization.resources:
        scopes += grant.granted_on(indicator, wanted)
    ends_with_session = "offline_access" not in scopes
    if not ends_with_session:
        session.keep_grant_after_sign_out(client.id)
    return {
        "user_id": session.user_id,
        "scope": " ".join(dict.fromkeys(scopes)),
        "resources": list(authorization.resources),
        "nonce": authorization.nonce,
        "auth_time": session.signed_in_at if authorization.wants_auth_time else None,
        "sid": session.sid_for(client.id) if client.includes_sid else None,
        "session_uid": session.uid,
        "ends_with_session": ends_with_session,
    }


def issue_code(authorization: AuthorizationRequest, session: OpSession, grant: Grant) -> str:
    """Issue a code for what the grant allows. Raises ``access_denied`` if that is nothing."""
    payload = issued_payload(authorization, session, grant)
    if not payload["scope"]:
        raise OidcError(400, "access_denied", None)
    proof = {
        "redirect_uri": authorization.redirect_uri,
        "code_challenge": authorization.code_challenge,
    }
    with current_store().begin() as connection:
        return opaque_tokens.issue(
            connection,
            opaque_tokens.CODE,
            grant_id=grant.id,
            client_id=authorization.client.id,
            payload={**payload, **proof},
            lifetime_ms=CODE_LIFETIME_MS,
        )
