"""The routes that Logto calls: its webhooks, and the back-channel logout. A signature proves the caller.

The calls are handled in :mod:`saas_app.webhooks.changes`.
"""

from __future__ import annotations

import hashlib
import hmac

import structlog
from pydantic import SecretStr
from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from saas_app.errors import LogtoUnavailable, NotFound, SignatureRejected
from saas_app.identity.token_verifier import TokenRejected
from saas_app.text.translation import _
from saas_app.web.context import runtime
from saas_app.web.guards import public_webhook
from saas_app.webhooks.changes.deliveries import receive
from saas_app.webhooks.events import BACKCHANNEL_LOGOUT_PATH, WEBHOOK_PATH, WebhookEvent

log = structlog.get_logger(__name__)

SIGNATURE_HEADER = "logto-signature-sha-256"

blueprint = Blueprint("webhooks", __name__)


@blueprint.post(WEBHOOK_PATH)
@public_webhook
async def logto_webhook() -> ResponseReturnValue:
    """Receive one delivery of an event. Repeated and unknown events are accepted and ignored."""
    key = runtime().settings.webhook_signing_key
    if not key.get_secret_value():
        raise NotFound(_("Webhooks are not set up for this installation."))
    content = await request.get_data(cache=False, as_text=False, parse_form_data=False)
    if not is_signed(content, request.headers.get(SIGNATURE_HEADER, ""), key):
        log.warning("webhook with a wrong signature", size=len(content))
        raise SignatureRejected(_("The signature of this webhook is missing or wrong."))
    if await receive(runtime().work, content) == WebhookEvent.ORGANIZATION_DELETED:
        runtime().removals.wake()
    return "", 204


def is_signed(content: bytes, signature: str, key: SecretStr) -> bool:
    """Return whether a signature is the hex HMAC-SHA256 of these bytes, compared in constant time."""
    expected = hmac.new(key.get_secret_value().encode(), content, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))


@blueprint.post(BACKCHANNEL_LOGOUT_PATH)
@public_webhook
async def backchannel_logout() -> ResponseReturnValue:
    """End sessions that ended at Logto (OpenID Connect Back-Channel Logout 1.0 §2.8)."""
    tokens = (await request.form).getlist("logout_token")
    no_store = {"Cache-Control": "no-store"}
    try:
        await runtime().backchannel.receive(tokens[0] if len(tokens) == 1 else "")
    except TokenRejected as rejected:
        log.warning("logout token rejected", reason=str(rejected))
        refusal = {"error": "invalid_request", "error_description": f"The logout token {rejected}."}
        return refusal, 400, no_store
    except LogtoUnavailable as failure:
        refusal = {"error": "temporarily_unavailable", "error_description": failure.detail}
        return refusal, 400, no_store
    return "", 200, no_store
