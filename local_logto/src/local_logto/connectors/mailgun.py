"""Mailgun: an email as a form, as Logto 1.42's connector ``mailgun-email`` posts it.

Documented at https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode, urljoin

from local_logto.connectors.fetching import is_success
from local_logto.connectors.posting import basic_authorization, general, post
from local_logto.connectors.templates import Payload, choose, fill, fill_html

DEFAULT_ENDPOINT: Final = "https://api.mailgun.net"

Config = Mapping[str, Any]
Fields = dict[str, str | None]


async def send(
    config: Config,
    recipient: str,
    usage: str,
    payload: Payload,
    custom: Mapping[str, Any] | None,
    *,
    base_url: str,
    timeout_seconds: float,
) -> None:
    """Post one message. ``custom`` is the tenant's own template, which takes precedence over the configured
    ones.

    Raises 400 ``connector.template_not_found``, or 400 ``connector.general`` with the status and response.
    """
    fields = custom_fields(custom, payload) if custom else delivery_fields(config, usage, payload)
    message = {"from": config["from"], "to": recipient, **_known(fields)}
    status, answer = await post(
        messages_url(base_url or config.get("endpoint", DEFAULT_ENDPOINT), config["domain"]),
        form_of(message),
        {
            "Authorization": basic_authorization("api", config["apiKey"]),
            "Content-Type": "application/x-www-form-urlencoded",
        },
        timeout_seconds=timeout_seconds,
    )
    if not is_success(status):
        raise general({"statusCode": status, "body": answer})


def messages_url(endpoint: str, domain: str) -> str:
    """Return the URL for messages of this domain. A path in the endpoint is ignored."""
    return urljoin(endpoint, f"/v3/{quote(domain)}/messages")


def delivery_fields(config: Config, usage: str, payload: Payload) -> Fields:
    """Return the fields of a configured delivery: a text, or a template that is stored at Mailgun."""
    delivery = choose(config["deliveries"], usage)
    subject = delivery.get("subject")
    fields: Fields = {
        "subject": None if subject is None else fill(subject, payload),
        "h:Reply-To": delivery.get("replyTo"),
    }
    if "template" in delivery:
        variables = {**delivery.get("variables", {}), **payload}
        return fields | {"template": delivery["template"], "h:X-Mailgun-Variables": _compact_json(variables)}
    text = delivery.get("text")
    html = fill_html(delivery["html"], payload)
    return fields | {"html": html, "text": None if text is None else fill(text, payload)}


def custom_fields(custom: Mapping[str, Any], payload: Payload) -> Fields:
    """Return the fields of the tenant's own template. A plain text is sent as HTML too."""
    content, reply_to, sender = custom["content"], custom.get("replyTo"), custom.get("sendFrom")
    is_plain = custom.get("contentType") == "text/plain"
    return {
        "subject": fill(custom["subject"], payload),
        "h:Reply-To": fill(reply_to, payload) if reply_to else None,
        "html": fill_html(content, payload) or None,
        "text": (fill(content, payload) or None) if is_plain else None,
        "from": fill(sender, payload) if sender else None,
    }


def form_of(fields: Mapping[str, str]) -> bytes:
    """Encode the body as JavaScript's ``URLSearchParams`` does (WHATWG URL §5.2): ``*`` stays, ``~`` is
    escaped.
    """
    return urlencode(fields, safe="*").replace("~", "%7E").encode()


def _known(fields: Fields) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value is not None}


def _compact_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
