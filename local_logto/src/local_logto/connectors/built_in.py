"""The messages page as a connector, with default texts.

It is used while no connector of the kind is configured, and by Logto's mock connectors. A real Logto without
a connector would answer 501 ``connector.not_found``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from local_logto.connectors.templates import Payload, by_usage, choose, fill, fill_html, text_of_html
from local_logto.messages import Message, store_message
from local_logto.store import Store, now_ms

_CODE: Final = "Your code is {{code}}. It works for ten minutes."
_SUBJECTS: Final = {
    "SignIn": "Your code to sign in",
    "Register": "Your code to sign up",
    "ForgotPassword": "Your code to choose a new password",
    "Generic": "Your verification code",
    "UserPermissionValidation": "Your code to confirm your identity",
    "BindNewIdentifier": "Your code to confirm a new address",
    "MfaVerification": "Your second factor",
    "BindMfa": "Your code to set up a second factor",
}
_INVITATION: Final = {
    "subject": "You are invited to {{organization.name}}",
    "content": "You are invited to join {{organization.name}}. Open this link to respond: {{link}}",
}
DEFAULTS: Final[Mapping[str, Mapping[str, str]]] = {
    **{usage: {"subject": subject, "content": _CODE} for usage, subject in _SUBJECTS.items()},
    "OrganizationInvitation": _INVITATION,
}


def send(
    store: Store,
    config: Mapping[str, Any],
    kind: str,
    recipient: str,
    usage: str,
    payload: Payload,
    custom: Mapping[str, Any] | None,
) -> None:
    """Store the message for the messages page. Raises 400 ``connector.template_not_found``.

    ``config`` is a mock connector's configuration, or empty.
    """
    templates = by_usage(config["templates"]) if "templates" in config else DEFAULTS
    template = custom or choose(templates, usage)
    subject = template.get("subject")
    message = Message(
        kind,
        recipient,
        usage,
        now_ms(),
        code=_text_or_none(payload.get("code")),
        link=_text_or_none(payload.get("link")),
        subject=fill(subject, payload) if subject and kind == "email" else None,
        text=_text_of(template, payload, is_html=custom is not None),
    )
    store_message(store, message)


def _text_of(template: Mapping[str, str], payload: Payload, *, is_html: bool) -> str:
    is_html = template.get("contentType", "text/html" if is_html else "text/plain") == "text/html"
    content = template["content"]
    return text_of_html(fill_html(content, payload)) if is_html else fill(content, payload)


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) else None
