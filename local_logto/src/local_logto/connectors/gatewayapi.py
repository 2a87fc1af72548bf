"""GatewayAPI: a text message as JSON, as Logto 1.42's connector ``gatewayapi-sms`` posts it.

Documented at https://gatewayapi.com/docs/apis/rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from local_logto.connectors.fetching import is_success
from local_logto.connectors.posting import basic_authorization, general, post
from local_logto.connectors.templates import Payload, by_usage, choose, fill


async def send(
    config: Mapping[str, Any], recipient: str, usage: str, payload: Payload, *, timeout_seconds: float
) -> None:
    """Post one message to ``recipient``, which is digits that start with the country code.

    Raises 400 ``connector.template_not_found``, or 400 ``connector.general`` with GatewayAPI's response.
    """
    text = fill(choose(by_usage(config["templates"]), usage)["content"], payload)
    status, answer = await post(
        config["endpoint"],
        message_of(config["sender"], text, recipient),
        {
            "Authorization": basic_authorization(config["apiToken"], ""),
            "Content-Type": "application/json",
        },
        timeout_seconds=timeout_seconds,
    )
    if not is_success(status):
        raise general({"message": answer})


def message_of(sender: str, text: str, recipient: str) -> bytes:
    """Return the body: one message to one number, which is sent as a string."""
    body = {"sender": sender, "message": text, "recipients": [{"msisdn": recipient}]}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
