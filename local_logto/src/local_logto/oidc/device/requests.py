"""``POST /oidc/device/auth``: a device requests a code for itself, and one that a person can enter."""

from __future__ import annotations

from quart import Blueprint, Response, request

from local_logto.context import current_store, origin_of
from local_logto.errors import invalid_request
from local_logto.oidc.authorization.request import check_of_device
from local_logto.oidc.client_authentication import authenticate
from local_logto.oidc.clients import DEVICE_CODE_GRANT
from local_logto.oidc.device import codes
from local_logto.oidc.no_store import no_store
from local_logto.oidc.request_params import body_params
from local_logto.responses import json_response

blueprint = Blueprint("device_requests", __name__, url_prefix="/oidc/device")
blueprint.after_request(no_store)


@blueprint.post("/auth")
async def ask_for_code() -> Response:
    """Return both codes and where to enter the short one. As in Logto, there is no polling interval."""
    params = await body_params(request)
    client = authenticate(request, params)
    if not client.allows_grant(DEVICE_CODE_GRANT):
        raise invalid_request(f"{DEVICE_CODE_GRANT} is not allowed for this client")
    kept = check_of_device(client, params)
    with current_store().begin() as connection:
        value, code = codes.create(connection, client.id, kept)
    page = f"{origin_of(request)}/device"
    return json_response(
        {
            "device_code": value,
            "user_code": code.shown_user_code,
            "verification_uri": page,
            "verification_uri_complete": f"{page}?user_code={code.shown_user_code}",
            "expires_in": codes.LIFETIME_SECONDS,
        }
    )
