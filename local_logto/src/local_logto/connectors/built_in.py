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
from local_logto.translation import SOURCE, Sentence, _, languages

_CODE: Final = _("Your code is {{code}}. It works for ten minutes.")
_SUBJECTS: Final = {
    "SignIn": _("Your code to sign in"),
    "Register": _("Your code to sign up"),
    "ForgotPassword": _("Your code to choose a new password"),
    "Generic": _("Your verification code"),
    "UserPermissionValidation": _("Your code to confirm your identity"),
    "BindNewIdentifier": _("Your code to confirm a new address"),
    "MfaVerification": _("Your second factor"),
    "BindMfa": _("Your code to set up a second factor"),
}
_INVITATION: Final = {
    "subject": _("You are invited to {{organization.name}}"),
    "content": _("You are invited to join {{organization.name}}. Open this link to respond: {{link}}"),
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
    subject, content = (_in_language_of(payload, template.get(part, "")) for part in ("subject", "content"))
    html = fill_html(content, payload) if _is_html(template, is_custom=custom is not None) else None
    message = Message(
        kind,
        recipient,
        usage,
        now_ms(),
        code=_text_or_none(payload.get("code")),
        link=_text_or_none(payload.get("link")),
        subject=fill(subject, payload) if subject and kind == "email" else None,
        text=fill(content, payload) if html is None else text_of_html(html),
        sender=_sender(config, payload, custom or {}),
        html=html if kind == "email" else None,
    )
    store_message(store, message)


def _in_language_of(payload: Payload, text: str) -> str:
    """Return a default text in the recipient's language. Texts of templates have one already."""
    wanted = str(payload.get("locale", SOURCE))
    return (
        text.in_language(wanted if wanted in languages() else SOURCE) if isinstance(text, Sentence) else text
    )


def _is_html(template: Mapping[str, str], *, is_custom: bool) -> bool:
    """Return whether the content is HTML. A connector's template says so in ``type``, a custom one in
    ``contentType``.
    """
    default = "text/html" if is_custom else "text/plain"
    return template.get("contentType", template.get("type", default)) == "text/html"


def _sender(config: Mapping[str, Any], payload: Payload, custom: Mapping[str, Any]) -> str | None:
    """Return the sender that the template or the mock email connector names."""
    if custom.get("sendFrom"):
        return fill(custom["sendFrom"], payload)
    address, name = config.get("fromEmail"), config.get("fromName")
    return f"{name} <{address}>" if name and name != address else address


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) else None
