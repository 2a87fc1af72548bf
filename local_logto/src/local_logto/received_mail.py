"""Email that other programs send here by SMTP, for the messages page."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Final

from local_logto.messages import Message, store_message
from local_logto.smtp import SmtpReceiver
from local_logto.store import Store, now_ms

_USAGE: Final = "SMTP"  # in place of Logto's template type


def receiver_for(store: Store) -> SmtpReceiver:
    """Return a mail server that keeps each message for the messages page."""
    return SmtpReceiver(lambda recipient, content: store_message(store, read_email(recipient, content)))


def read_email(recipient: str, content: bytes) -> Message:
    """Return an email as the messages page shows it."""
    email = message_from_bytes(content, policy=default)
    return Message(
        "email",
        recipient,
        _USAGE,
        now_ms(),
        subject=str(email["Subject"] or "") or None,
        text=_part(email, "plain"),
        sender=str(email["From"] or "") or None,
        html=_part(email, "html"),
    )


def _part(email: EmailMessage, kind: str) -> str | None:
    part = email.get_body((kind,))
    try:
        return None if part is None else str(part.get_content())
    except (LookupError, ValueError):  # an unknown or wrong encoding
        return None
