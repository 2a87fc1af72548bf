"""The next step of an authorization request: a page that it still needs, or the grant that it ends with.

Requests of browsers and of devices take the same steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quart import Response

from local_logto.context import current_store
from local_logto.errors import OidcError
from local_logto.oidc.authorization import first_screen, id_token_hints
from local_logto.oidc.authorization.interaction_cookies import write_interaction_cookies
from local_logto.oidc.authorization.prompts import CONSENT, LOGIN, NeededPrompt, Situation, needed_prompt
from local_logto.oidc.authorization.request import AuthorizationRequest
from local_logto.oidc.grants import Grant, find_grant, new_grant
from local_logto.oidc.resources import scopes_of_user
from local_logto.oidc.session.interactions import create_interaction
from local_logto.oidc.session.op_sessions import OpSession
from local_logto.responses import redirect_response


def next_step(
    authorization: AuthorizationRequest,
    session: OpSession,
    result: Mapping[str, Any] | None,
    *,
    device_code_hash: str | None = None,
) -> Response | Grant:
    """Return a redirect to the next page, or the grant if no page is needed.

    Raises the error for ``prompt=none`` if a page is needed.
    """
    grant = _existing_grant(authorization, session, result)
    situation = _situation(authorization, session, grant, result)
    needed = needed_prompt(authorization, situation)
    if needed is None:
        return grant or new_grant(session.user_id or "", authorization.client.id)
    if "none" in authorization.prompts:
        raise OidcError(400, needed.error, needed.description)
    details = {
        "grant_id": None if grant is None else grant.id,
        "missing_oidc": needed.missing_oidc,
        "missing_on": needed.missing_on,
        "result": result or {},
        "forgets_sign_in": not result and session.grant_id_for(authorization.client.id) is not None,
        "device_code": device_code_hash,
    }
    return _send_to_page(authorization, session, needed, details)


def _existing_grant(
    authorization: AuthorizationRequest, session: OpSession, result: Mapping[str, Any] | None
) -> Grant | None:
    """Return the grant just consented to, or the one that the application has in this browser session."""
    client_id = authorization.client.id
    grant_id = (result or {}).get(CONSENT, {}).get("grantId") or session.grant_id_for(client_id)
    with current_store().begin() as connection:
        grant = find_grant(connection, grant_id)
    if grant is None or grant.user_id != session.user_id or grant.client_id != client_id:
        return None
    session.bind_grant(client_id, grant.id)
    return grant


def _situation(
    authorization: AuthorizationRequest,
    session: OpSession,
    grant: Grant | None,
    result: Mapping[str, Any] | None,
) -> Situation:
    available = {}
    organization_id = authorization.params.get("organization_id")
    if session.user_id is not None:
        with current_store().begin() as connection:
            for indicator in authorization.resources:
                available[indicator] = scopes_of_user(connection, session.user_id, indicator, organization_id)
    return Situation(
        user_id=session.user_id,
        is_stale=authorization.max_age is not None and session.is_older_than(authorization.max_age),
        hinted_user_id=id_token_hints.subject_of(authorization.id_token_hint, authorization.client),
        grant=grant,
        result=result,
        available=available,
    )


def _send_to_page(
    authorization: AuthorizationRequest,
    session: OpSession,
    needed: NeededPrompt,
    details: Mapping[str, Any],
) -> Response:
    client_id = authorization.client.id
    interaction = create_interaction(
        authorization.params,
        needed.name,
        session_uid=session.uid if session.user_id is not None else None,
        account_id=session.user_id,
        details=details,
    )
    if needed.name == LOGIN:
        location = first_screen.sign_in_location(authorization.params, client_id)
    else:
        location = first_screen.consent_location(client_id)
    response = redirect_response(location)
    write_interaction_cookies(response, interaction)
    return response
