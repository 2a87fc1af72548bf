"""Notifying applications of the end of a browser session (OpenID Connect Back-Channel Logout 1.0).

One attempt each, in the background. A development provider may call URLs on this machine.
"""

from __future__ import annotations

import logging
import time
from typing import Final

import aiohttp
from quart import current_app

from local_logto.context import current_settings, current_store
from local_logto.crypto.opaque_values import new_opaque_value
from local_logto.crypto.signed_tokens import sign
from local_logto.oidc.clients import Client, find_client
from local_logto.oidc.session.op_sessions import OpSession

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
LIFETIME_SECONDS: Final = 120
TIMEOUT_SECONDS: Final = 5

logger = logging.getLogger("local_logto")


async def notify(session: OpSession) -> None:
    """Start a POST of a logout token to every application of the session that registered a URL."""
    if session.user_id is None:
        return
    for client_id in session.authorizations:
        client = find_client(client_id)
        if client is None or client.backchannel_logout_uri is None:
            continue
        token = await logout_token(client, session.user_id, session.sid_for(client_id))
        current_app.add_background_task(_deliver, client.id, client.backchannel_logout_uri, token)


async def logout_token(client: Client, user_id: str, sid: str | None) -> str:
    """Return the signed token for one application. It has a ``sid`` only if the application asks for it."""
    issued_at = int(time.time())
    claims: dict[str, object] = {"sub": user_id, "events": {EVENT: {}}, "jti": new_opaque_value()}
    if client.includes_sid and sid is not None:
        claims["sid"] = sid
    claims |= {
        "aud": client.id,
        "exp": issued_at + LIFETIME_SECONDS,
        "iat": issued_at,
        "iss": current_settings().issuer,
    }
    with current_store().begin() as connection:
        return sign(connection, claims, typ="logout+jwt")


async def _deliver(client_id: str, url: str, token: str) -> None:
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.post(url, data={"logout_token": token}, allow_redirects=False) as answer,
        ):
            status = answer.status
    except (TimeoutError, aiohttp.ClientError, ValueError) as error:
        logger.warning("back-channel logout of %s failed: %s", client_id, type(error).__name__)
        return
    if status not in {200, 204}:
        logger.warning("back-channel logout of %s returned status %d", client_id, status)
