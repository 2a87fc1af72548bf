"""``grant_type=…:device_code``: the device asks whether a person has signed in for it (RFC 8628 §3.4)."""

from __future__ import annotations

from typing import Any, Final

from local_logto.context import current_store
from local_logto.errors import OidcError, invalid_grant
from local_logto.oidc.claims import read_person
from local_logto.oidc.clients import Client
from local_logto.oidc.device import codes
from local_logto.oidc.device.codes import DeviceCode
from local_logto.oidc.grants import find_grant, revoke_grant
from local_logto.oidc.request_params import Params
from local_logto.oidc.token.issuing import answer, issue_access_token, issue_id_token, issue_refresh_token
from local_logto.oidc.token.opaque_tokens import Source

PARAMS: Final = ("device_code",)


async def exchange(client: Client, params: Params) -> dict[str, Any]:
    """Return the token response. The code works once; a second use revokes what the first one got."""
    params.require("device_code")
    code = _used_code(client, params.get("device_code") or "")
    outcome = code.outcome or {}
    if "error" in outcome:
        raise OidcError(400, outcome["error"], outcome["error_description"])
    source = Source(grant_id=outcome["grant_id"], payload=outcome["payload"])
    with current_store().begin() as connection:
        grant = find_grant(connection, source.grant_id)
        person = read_person(connection, source.user_id)
        if grant is None or person is None:
            raise invalid_grant()
        access = issue_access_token(connection, client, params, source, grant)
        id_token = issue_id_token(connection, client, source, person, grant, source.scopes)
        refresh_token = issue_refresh_token(connection, client, source)
    return answer(access, id_token=id_token, refresh_token=refresh_token)


def _used_code(client: Client, value: str) -> DeviceCode:
    """Return the code, marked as used. Raises the error for the device if there are no tokens for it yet."""
    with current_store().begin() as connection:
        code = codes.find_by_value(connection, value)
        if code is None or code.client_id != client.id:
            raise invalid_grant()
        if code.is_expired:
            raise OidcError(400, "expired_token", "device code is expired")
        if code.outcome is None:
            raise OidcError(
                400,
                "authorization_pending",
                "authorization request is still pending as the end-user hasn't yet completed the user "
                "interaction steps",
            )
        is_first_use = codes.consume(connection, code)
        if not is_first_use and "grant_id" in code.outcome:
            revoke_grant(connection, code.outcome["grant_id"])
    if not is_first_use:
        raise invalid_grant()
    return code
